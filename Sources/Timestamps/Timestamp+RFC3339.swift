import Glibc

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds, as in `2026-11-21T09:15:00.250Z`.
    public var description: String {
        let (date, time) = self.fields
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
            + ".\(padded(time.millisecond, 3))Z"
    }

    /// Reads RFC 3339 section 5.6: a date, `T`, a time with up to six decimals kept, and `Z` or an
    /// offset with or without a colon (Infobip writes `+0100`). Nil for anything else.
    public init?(_ text: String) {
        var reader = Reader(text.utf8)
        guard
            let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
            let second = reader.number(2),
            (1...12).contains(month), (1...daysIn(month: month, year: year)).contains(day),
            hour < 24, minute < 60, second <= 60,
            let fraction = reader.fraction(), let offset = reader.offset(), reader.isAtEnd
        else { return nil }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        let seconds = Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second - offset)
        self.init(microseconds: seconds * 1_000_000 + Int64(fraction))
    }

    /// The calendar day and the time of day, in UTC.
    public var fields:
        (
            date: (year: Int, month: Int, day: Int), time: (hour: Int, minute: Int, second: Int, millisecond: Int)
        )
    {
        var seconds = self.microseconds / 1_000_000
        var rest = self.microseconds % 1_000_000
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1_000_000) }
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        return (
            (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)),
            (Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec), Int(rest / 1000))
        )
    }
}

// MARK: - Private

private func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private func daysIn(month: Int, year: Int) -> Int {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
}

private func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    var parts = tm()
    parts.tm_year = CInt(year - 1900)
    parts.tm_mon = CInt(month - 1)
    parts.tm_mday = CInt(day)
    return Int(timegm(&parts)) / 86400
}

/// Reads fixed-width fields from the front of a text.
private struct Reader {
    private var bytes: Substring.UTF8View

    init(_ bytes: String.UTF8View) { self.bytes = bytes[...] }

    var isAtEnd: Bool { self.bytes.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = self.bytes.first, UInt32(first) == character.value else { return false }
        self.bytes.removeFirst()
        return true
    }

    mutating func digit() -> Int? {
        guard let first = self.bytes.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        self.bytes.removeFirst()
        return Int(first - UInt8(ascii: "0"))
    }

    mutating func number(_ width: Int) -> Int? {
        var value = 0
        for _ in 0..<width {
            guard let digit = self.digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Microseconds; digits past the sixth are dropped. Nil when a point stands without digits.
    mutating func fraction() -> Int? {
        guard self.skip(".") else { return 0 }
        var value = 0
        var count = 0
        while let digit = self.digit() {
            if count < 6 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 6)..<6 { value *= 10 }
        return value
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int? {
        if self.skip("Z") || self.skip("z") { return 0 }
        let sign = self.skip("+") ? 1 : self.skip("-") ? -1 : 0
        guard sign != 0, let hours = self.number(2), hours < 24 else { return nil }
        _ = self.skip(":")
        guard let minutes = self.number(2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
