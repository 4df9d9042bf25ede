/// A length of time in the vendor's grammar: `{n?}{unit}` with the units `ms`, `s`, `m`, `h` and `d`; without a number it is
/// one unit (dialects.md section 2.2). Keeps its text, because a customer gets back what it wrote.
public struct Period: Sendable, Hashable {
    public let text: String
    public let duration: Duration

    /// The vendor's ceiling for a time to live and for the periods of send limits.
    public static let year = Duration.seconds(365 * 86_400)
    /// The vendor's ceiling for the period of a check limit.
    public static let day = Duration.seconds(86_400)

    /// Nil unless `text` is a period from 1 ms to `ceiling`.
    public init?(_ text: String, ceiling: Duration = Self.year) {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let unit = Self.milliseconds[String(text.dropFirst(digits.count))] else { return nil }
        // Nine digits of days are within Int64 by far; longer ones are above every ceiling.
        guard digits.count <= 11, let count = digits.isEmpty ? 1 : Int64(Substring(digits)) else { return nil }
        let duration = Duration.milliseconds(count * unit)
        guard count > 0, duration <= ceiling else { return nil }
        self.text = text
        self.duration = duration
    }

    private static let milliseconds: [String: Int64] = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]
}

/// So many in so long, in the vendor's grammar: `{attempts}/{n?}{unit}`, as in `10000/1d`.
public struct RateLimit: Sendable, Hashable {
    public let text: String
    public let count: Int32
    public let period: Duration

    /// Nil unless `text` is a limit of at least 1 in a period of at most `ceiling`.
    public init?(_ text: String, ceiling: Duration = Period.year) {
        let pieces = text.split(separator: "/", omittingEmptySubsequences: false)
        guard
            pieces.count == 2, pieces[0].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let count = Int32(pieces[0]), count > 0, let period = Period(String(pieces[1]), ceiling: ceiling)
        else { return nil }
        self.text = text
        self.count = count
        self.period = period.duration
    }
}
