/// All addresses that begin alike: `127.0.0.0/8`, `2001:db8::/32`.
public struct Network: Sendable, Hashable {
    private let base: NetworkAddress
    private let prefixLength: Int

    /// A single address.
    public init(_ address: NetworkAddress) {
        self.base = address
        self.prefixLength = address.bitCount
    }

    /// Nil unless `text` is an address, a slash and the number of bits that count, behind which all are zero. The
    /// addresses mapped into IPv6 are IPv4: they belong to networks that are written so.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let base = NetworkAddress(parts[0]),
            (base.family == .ipv6) == parts[0].contains(":"),
            let length = number(parts[1].utf8, radix: 10, digitLimit: 3).map({ Int($0) }), length <= base.bitCount
        else { return nil }
        self.base = base
        self.prefixLength = length
        guard base.bits & ~self.mask == 0 else { return nil }
    }

    public func contains(_ address: NetworkAddress) -> Bool {
        address.family == self.base.family && address.bits & self.mask == self.base.bits
    }

    private var mask: UInt128 { ~((1 << UInt128(self.base.bitCount - self.prefixLength)) &- 1) }
}

extension Network: CustomStringConvertible {
    public var description: String { "\(self.base)/\(self.prefixLength)" }
}
