import Glibc

/// A moment, in microseconds since 1970-01-01T00:00:00Z: PostgreSQL's own resolution.
///
/// Time that matters (leases, expiry, schedules) is the database's; a process's own clock makes
/// timestamps only for log lines and for what others sign.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }
    public init(seconds: Int64) { self.microseconds = seconds * 1_000_000 }

    /// This process's wall clock.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    public var seconds: Int64 { self.microseconds.quotientAndRemainder(dividingBy: 1_000_000).quotient }
    public var milliseconds: Int64 { self.microseconds / 1000 }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    public static func + (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(microseconds: left.microseconds + right.microseconds)
    }

    public static func - (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(microseconds: left.microseconds - right.microseconds)
    }

    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }
}

extension Duration {
    /// Whole microseconds, truncated.
    public var microseconds: Int64 {
        self.components.seconds * 1_000_000 + self.components.attoseconds / 1_000_000_000_000
    }

    /// Whole milliseconds, truncated.
    public var milliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }

    /// Seconds with their fraction, for metrics and for people.
    public var inSeconds: Double { Double(self.microseconds) / 1e6 }
}
