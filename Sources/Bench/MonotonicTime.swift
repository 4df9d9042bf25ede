import Glibc

/// A moment of the monotonic clock, in nanoseconds.
struct MonotonicTime: Sendable, Hashable, Comparable {
    var nanoseconds: Int64

    static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    static func + (left: MonotonicTime, seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: left.nanoseconds + Int64(seconds * 1e9))
    }

    /// Seconds from `right` to `left`.
    static func - (left: MonotonicTime, right: MonotonicTime) -> Double {
        Double(left.nanoseconds - right.nanoseconds) / 1e9
    }
}
