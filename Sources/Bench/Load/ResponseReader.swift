/// Reads HTTP/1.1 responses off a connection on which one request at a time is under way. Of a response it takes the
/// status and the length (RFC 9112); the rest is passed over. Reads requests as well, whose status is 0.
struct ResponseReader {
    /// What a server of ours would never send.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// Bytes that a status line and the header fields may have.
    static let headByteLimit = 16 << 10

    /// What comes in.
    enum Kind {
        case response, request
    }

    private let kind: Kind
    private var head: [UInt8] = []
    /// The response whose body is being passed over.
    private var pending: (status: Int, remaining: Int)?

    init(of kind: Kind = .response) { self.kind = kind }

    /// Takes what came in. Returns the status once the response is complete.
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Int? {
        if let pending { return try self.skip(bytes.count, of: pending) }
        self.head.append(contentsOf: bytes)
        guard let end = Self.endOfHead(self.head) else {
            if self.head.count > Self.headByteLimit { throw Malformed(description: "an endless head") }
            return nil
        }
        let pending = try self.parse(self.head[..<end])
        let rest = self.head.count - end
        self.head.removeAll(keepingCapacity: true)
        return try self.skip(rest, of: pending)
    }

    // MARK: - Private

    private mutating func skip(_ count: Int, of pending: (status: Int, remaining: Int)) throws(Malformed) -> Int? {
        guard count <= pending.remaining else { throw Malformed(description: "more than one response to a request") }
        let remaining = pending.remaining - count
        self.pending = remaining == 0 ? nil : (pending.status, remaining)
        return remaining == 0 ? pending.status : nil
    }

    /// The index behind the empty line.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 3..<bytes.count where bytes[index] == 10 && bytes[index - 2] == 10 && bytes[index - 1] == 13 {
            return index + 1
        }
        return nil
    }

    private func parse(_ head: ArraySlice<UInt8>) throws(Malformed) -> (status: Int, remaining: Int) {
        let lines = head.split(separator: 10)
        guard let first = lines.first, let status = self.status(of: first) else {
            throw Malformed(description: "no HTTP/1.1")
        }
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), Self.isContentLength(line[..<colon]) else {
                continue
            }
            let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
            if let length = Self.number(value) { return (status, length) }
        }
        throw Malformed(description: "no Content-Length")
    }

    private func status(of line: ArraySlice<UInt8>) -> Int? {
        switch self.kind {
        case .response: line.starts(with: "HTTP/1.1 ".utf8) ? Self.number(line.dropFirst(9)) : nil
        case .request: line.dropLast().reversed().starts(with: "HTTP/1.1".utf8.reversed()) ? 0 : nil
        }
    }

    private static func isContentLength(_ name: ArraySlice<UInt8>) -> Bool {
        name.count == 14 && zip(name, "content-length".utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    /// The decimal number at the beginning of `bytes`; nil when there is none.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        let digits = bytes.prefix(9).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
