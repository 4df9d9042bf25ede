/// Reads a body from its first octet to its last.
struct OctetReader {
    private var rest: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) { self.rest = octets }

    var isAtEnd: Bool { self.rest.isEmpty }

    mutating func octet(_ field: String) throws(PDUError) -> UInt8 {
        guard let octet = self.rest.popFirst() else { throw PDUError(.body, field: field) }
        return octet
    }

    mutating func number16(_ field: String) throws(PDUError) -> UInt16 {
        UInt16(try self.octet(field)) << 8 | UInt16(try self.octet(field))
    }

    mutating func number32(_ field: String) throws(PDUError) -> UInt32 {
        UInt32(try self.number16(field)) << 16 | UInt32(try self.number16(field))
    }

    mutating func octets(_ count: Int, _ field: String) throws(PDUError) -> [UInt8] {
        guard count <= self.rest.count else { throw PDUError(.body, field: field) }
        defer { self.rest = self.rest.dropFirst(count) }
        return Array(self.rest.prefix(count))
    }

    /// A text and the NUL at its end. With `lenient` the end of the PDU will do.
    mutating func text(_ field: String, lenient: Bool = false) throws(PDUError) -> String {
        guard let end = self.rest.firstIndex(of: 0) else {
            guard lenient else { throw PDUError(.body, field: field) }
            defer { self.rest = [] }
            return String(latin1: self.rest)
        }
        defer { self.rest = self.rest[(end + 1)...] }
        return String(latin1: self.rest[..<end])
    }
}

/// Writes a body, and refuses what does not fit.
struct OctetWriter {
    private(set) var octets: [UInt8] = []

    mutating func octet(_ value: UInt8) { self.octets.append(value) }

    mutating func number16(_ value: UInt16) {
        self.octets.append(UInt8(value >> 8))
        self.octets.append(UInt8(value & 0xFF))
    }

    mutating func number32(_ value: UInt32) {
        self.number16(UInt16(value >> 16))
        self.number16(UInt16(value & 0xFFFF))
    }

    mutating func append(_ octets: some Sequence<UInt8>) { self.octets += octets }

    /// `size` counts the NUL, as the specification does.
    mutating func text(_ text: String, size: Int, _ field: String) throws(PDUError) {
        guard let octets = text.latin1, octets.count < size, !octets.contains(0) else {
            throw PDUError(.tooLong, field: field)
        }
        self.octets += octets
        self.octets.append(0)
    }

    mutating func replace32(at index: Int, with value: UInt32) {
        for byte in 0..<4 { self.octets[index + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte)) }
    }
}

extension String {
    init(latin1 octets: some Sequence<UInt8>) {
        self = String(String.UnicodeScalarView(octets.lazy.map { Unicode.Scalar($0) }))
    }

    /// Nil when a character is not among the first 256.
    var latin1: [UInt8]? {
        var octets: [UInt8] = []
        octets.reserveCapacity(self.utf8.count)
        for scalar in self.unicodeScalars {
            guard let octet = UInt8(exactly: scalar.value) else { return nil }
            octets.append(octet)
        }
        return octets
    }
}
