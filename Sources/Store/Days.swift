import Messaging
import Postgres
import Timestamps

/// Days of messages, as the first id of the first and the first id behind the last.
///
/// Statements that touch what has a partition for each day name them, so that the planner looks at the one or two that hold a batch
/// and at no other. Whole days, because a narrower range would have it expect a row or two in there, and compare everything with
/// everything.
struct Days {
    /// In a statement, one end of the days.
    struct Bound {
        var id: MessageID
        /// It stands in the text: see `SQL`'s `knownUUID`.
        var isKnown: Bool
    }

    let first: Bound
    let end: Bound

    /// Whether a message is of yesterday, today, or tomorrow by a clock that is ahead. As these days are few, they may stand in the
    /// text of a statement: a kept plan then has their partitions and no others, and is made and carried out in the same time
    /// however long the history is. What is older goes in a batch of its own, or it would take that from all others.
    static func areRecent(_ id: MessageID, now: Timestamp = .now) -> Bool {
        self.recent(now).contains(id.milliseconds / Self.length)
    }

    /// Those of `ids`; without any, none.
    init(of ids: some Sequence<MessageID>, now: Timestamp = .now) {
        var first = Int64.max
        var last = Int64.min
        for id in ids {
            first = min(first, id.milliseconds / Self.length)
            last = max(last, id.milliseconds / Self.length)
        }
        guard first <= last else {
            self.init(0, until: 0, isKnown: true)
            return
        }
        self.init(first, until: last + 1, isKnown: Self.recent(now).contains(first) && Self.recent(now).contains(last))
    }

    /// Yesterday, today, and tomorrow by a clock that is ahead.
    static var recent: Days { .around(-1) }

    /// The days that a message may have been accepted in when it is ready to be sent now: the furthest `send_at` and the
    /// longest time to live back, and a day ahead for clocks that differ.
    static var ofReady: Days { .around(-11) }

    /// The days that a message may have been accepted in of which a receipt is still expected: the longest window and the
    /// furthest `send_at` before it, and more for when nobody has looked for a while.
    static var ofSilence: Days { .around(-31) }

    // MARK: - Private

    /// Milliseconds; partitions are by day in UTC.
    private static let length: Int64 = 86_400_000
    /// Behind the last day that an id has room for: one that a stranger makes up may name it.
    private static let none = Int64(1) << 48 / Self.length

    private static func recent(_ now: Timestamp) -> ClosedRange<Int64> {
        let today = now.milliseconds / Self.length
        return today - 1...today + 1
    }

    private static func around(_ first: Int64) -> Days {
        let today = Timestamp.now.milliseconds / Self.length
        return Days(today + first, until: today + 2, isKnown: true)
    }

    private init(_ first: Int64, until end: Int64, isKnown: Bool) {
        self.first = Bound(id: Self.start(ofDay: first), isKnown: isKnown)
        self.end = Bound(
            id: end < Self.none ? Self.start(ofDay: end) : MessageID(high: .max, low: .max), isKnown: isKnown)
    }

    private static func start(ofDay day: Int64) -> MessageID {
        MessageID(high: UInt64(day * Self.length) << 16, low: 0)
    }
}

extension SQL.StringInterpolation {
    mutating func appendInterpolation(_ bound: Days.Bound) {
        if bound.isKnown {
            self.appendInterpolation(knownUUID: bound.id.high, bound.id.low)
        } else {
            self.appendInterpolation(bound.id)
            self.needsItsValues = true
        }
    }
}
