/// An amount of an account's currency, exact to eight decimals, as the vendors tell prices.
public struct Money: RawRepresentable, Sendable, Hashable, Comparable {
    /// Hundred-millionths; up to some 92 billion whole ones.
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static let zero = Money(rawValue: 0)
    static let unit: Int64 = 100_000_000

    public static func < (left: Money, right: Money) -> Bool { left.rawValue < right.rawValue }

    /// Nil when the product is greater than there is money.
    public func times(_ count: Int) -> Money? {
        let (product, overflows) = self.rawValue.multipliedReportingOverflow(by: Int64(count))
        return overflows ? nil : Money(rawValue: product)
    }

    /// Reads `12`, `0.05` or `-3.5`: at most ten digits before the point and eight behind it. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        let isNegative = text.hasPrefix("-")
        let pieces = text.dropFirst(isNegative ? 1 : 0).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = Self.digits(pieces[0], upTo: 10) else { return nil }
        var fraction: Int64 = 0
        if pieces.count == 2 {
            guard let digits = Self.digits(pieces[1], upTo: 8) else { return nil }
            fraction = (pieces[1].utf8.count..<8).reduce(digits) { value, _ in value * 10 }
        }
        let value = whole * Self.unit + fraction
        self.init(rawValue: isNegative ? -value : value)
    }

    /// With `decimals` places at least and no more zeros than that: `0.05`, `12.50`, `0.0075`.
    public func text(decimals: Int = 2) -> String {
        let (whole, fraction) = self.rawValue.magnitude.quotientAndRemainder(dividingBy: UInt64(Self.unit))
        var digits = String(fraction)
        digits = String(repeating: "0", count: 8 - digits.count) + digits
        while digits.utf8.count > decimals, digits.hasSuffix("0") { digits.removeLast() }
        return (self.rawValue < 0 ? "-" : "") + (digits.isEmpty ? "\(whole)" : "\(whole).\(digits)")
    }

    private static func digits(_ text: some StringProtocol, upTo limit: Int) -> Int64? {
        guard (1...limit).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }
}

extension Money: CustomStringConvertible {
    public var description: String { self.text() }
}

/// What a message costs.
public struct Price: Sendable, Hashable {
    public var amount: Money
    /// The mobile country and network code (ITU-T E.212) of the number, where it is known.
    public var network: String?

    public init(amount: Money, network: String? = nil) {
        self.amount = amount
        self.network = network
    }

    /// Whether this is a mobile country and network code, or a country's alone.
    public static func isNetwork(_ text: String) -> Bool {
        (3...6).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Of so many segments.
    public func times(_ count: Int16) throws(MoneyOverflow) -> Price {
        guard let amount = self.amount.times(Int(count)) else { throw MoneyOverflow() }
        return Price(amount: amount, network: self.network)
    }
}

/// Something costs more than there is money.
public struct MoneyOverflow: Error {}

/// Where the customer wants to be told of one message, besides its own endpoints.
public struct Callback: Sendable, Hashable {
    public var endpoint: EndpointID
    /// Exactly, when it is the message's own.
    public var url: String?

    public init(endpoint: EndpointID, url: String? = nil) {
        self.endpoint = endpoint
        self.url = url
    }
}
