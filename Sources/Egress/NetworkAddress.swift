import Glibc

/// An IPv4 or IPv6 address.
///
/// An IPv4 address that is mapped into IPv6 (`::ffff:0:0/96`) is the IPv4 address it stands for, as it is to a kernel
/// that dials it.
public struct NetworkAddress: Sendable, Hashable {
    public enum Family: Sendable, Hashable { case ipv4, ipv6 }

    public let family: Family
    /// The address as a number; of IPv4 the last 32 bits.
    let bits: UInt128

    public init(ipv4 bits: UInt32) {
        self.family = .ipv4
        self.bits = UInt128(bits)
    }

    public init(ipv6 bits: UInt128) {
        self.family = bits >> 32 == 0xFFFF ? .ipv4 : .ipv6
        self.bits = bits >> 32 == 0xFFFF ? bits & 0xFFFF_FFFF : bits
    }

    /// Nil unless `text` is four decimal numbers without leading zeros, or IPv6 as RFC 4291 section 2.2 writes it,
    /// without brackets and without a zone. What `inet_aton` takes besides (`0177.1`, `2130706433`, `0x7f.1`) is none.
    public init?(_ text: some StringProtocol) {
        if let bits = Self.ipv4(text) {
            self.init(ipv4: bits)
        } else if let bits = Self.ipv6(text) {
            self.init(ipv6: bits)
        } else {
            return nil
        }
    }

    /// The address in the bytes of a `sockaddr_in` or `sockaddr_in6`. Nil for other families and for too few bytes.
    public init?(socketAddress bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<sa_family_t>.size else { return nil }
        // Fields by their places, which the kernel fixes: the C type may come from any of several modules.
        switch CInt(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where bytes.count >= 8:
            self.init(ipv4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        case AF_INET6 where bytes.count >= 24:
            self.init(ipv6: UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt128.self)))
        default: return nil
        }
    }

    /// What belongs to one household or server: an IPv4 address, or the first 64 bits of an IPv6 address, of which each device takes
    /// as many as it likes (RFC 6177).
    public var household: NetworkAddress {
        self.family == .ipv4 ? self : NetworkAddress(ipv6: (self.bits >> 64) << 64)
    }

    var bitCount: Int { self.family == .ipv4 ? 32 : 128 }
}

// MARK: - Reading

extension NetworkAddress {
    private static func ipv4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            // A leading zero is octal to some and nothing to others.
            let isPlain = part.first != UInt8(ascii: "0") || part.count == 1
            guard isPlain, let number = number(part, radix: 10, digitLimit: 3), number <= 255 else { return nil }
            bits = bits << 8 | number
        }
        return bits
    }

    private static func ipv6(_ text: some StringProtocol) -> UInt128? {
        let text = String(text)
        guard let gap = doubleColon(in: text.utf8) else {
            let groups = groups(text[...])
            return groups?.count == 8 ? groups.map(Self.bits) : nil
        }
        let rest = text.utf8.index(gap, offsetBy: 2)
        guard let before = groups(text[..<gap], mayEndInIPv4: false), let after = groups(text[rest...]),
            before.count + after.count < 8
        else { return nil }
        let zeros = Array(repeating: UInt16(0), count: 8 - before.count - after.count)
        return Self.bits(before + zeros + after)
    }

    /// Where the first `::` begins. A second one leaves an empty group, which is refused.
    private static func doubleColon(in text: String.UTF8View) -> String.Index? {
        let colon = UInt8(ascii: ":")
        return zip(text.indices, text.indices.dropFirst()).first { text[$0] == colon && text[$1] == colon }?.0
    }

    /// The groups of 16 bits in `text`, which has no `::`. Nil when there is anything else in it.
    private static func groups(_ text: Substring, mayEndInIPv4: Bool = true) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var tail: [UInt16] = []
        if mayEndInIPv4, let last = parts.last, last.contains(".") {
            guard let bits = ipv4(last) else { return nil }
            tail = [UInt16(bits >> 16), UInt16(bits & 0xFFFF)]
            parts.removeLast()
        }
        let head = parts.compactMap { number($0.utf8, radix: 16, digitLimit: 4).map { UInt16($0) } }
        return head.count == parts.count ? head + tail : nil
    }

    private static func bits(_ groups: [UInt16]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }
}

/// Digits and nothing else, neither a sign nor too many of them.
func number(_ digits: some Collection<UInt8>, radix: Int, digitLimit: Int) -> UInt32? {
    guard (1...digitLimit).contains(digits.count), digits.first != UInt8(ascii: "+") else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self), radix: radix)
}

// MARK: - Writing

extension NetworkAddress: CustomStringConvertible {
    /// The normal form: RFC 5952 for IPv6, without brackets.
    public var description: String { self.family == .ipv4 ? self.ipv4Text : self.ipv6Text }

    private var ipv4Text: String {
        [24, 16, 8, 0].map { "\(self.bits >> $0 & 0xFF)" }.joined(separator: ".")
    }

    private var ipv6Text: String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: self.bits >> (112 - 16 * $0)) }
        let texts = groups.map { String($0, radix: 16) }
        guard let zeros = Self.longestZeros(groups) else { return texts.joined(separator: ":") }
        let (before, after) = (texts[..<zeros.lowerBound], texts[zeros.upperBound...])
        return "\(before.joined(separator: ":"))::\(after.joined(separator: ":"))"
    }

    /// The first of the longest runs of two or more zero groups.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var longest = 0..<1
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 }
            if index + 1 - start > longest.count { longest = start..<(index + 1) }
        }
        return longest.count > 1 ? longest : nil
    }
}
