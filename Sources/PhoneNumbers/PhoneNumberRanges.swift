import Synchronization

/// Remembers what was looked up, range by range: a look-up takes 15 to 60 µs, too long for each of many thousand messages a second.
public final class PhoneNumberRanges: Sendable {
    /// Ranges kept; when there are more, all are forgotten and looked up again as they are used.
    /// As many as a table of 2^16 places holds: one more would double it.
    public static let limit = 49_152

    /// The plans are the same for everybody in a process.
    public static let shared = PhoneNumberRanges()

    private let known = Mutex<[UInt64: PhoneNumberRange]>([:])

    public init() {}

    /// The range of a number in E.164.
    public func range(of e164: String) -> PhoneNumberRange {
        guard let start = Self.start(of: e164) else { return PhoneNumberRange(of: e164) }
        if let range = self.known.withLock({ $0[start] }) { return range }
        let range = PhoneNumberRange(of: e164)
        self.known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[start] = range
        }
        return range
    }

    /// One person's number has one form, however it was written: a national prefix after the country code, as in +44 0 7400…, goes.
    public func canonical(_ e164: String) -> String {
        guard let start = self.range(of: e164).canonicalStart else { return e164 }
        return start + e164.suffix(4)
    }

    /// The digits but for the last four, as a number: no first digit is 0, so it tells their count too. Nil for what is no
    /// number of 15 digits at most.
    private static func start(of e164: String) -> UInt64? {
        let digits = e164.utf8.dropFirst()
        guard e164.utf8.first == UInt8(ascii: "+"), (5...15).contains(digits.count),
            digits.first != UInt8(ascii: "0"),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return digits.dropLast(4).reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
    }
}
