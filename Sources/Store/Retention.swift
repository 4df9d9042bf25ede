/// For how many days what is over is kept, 20 to 36500; nil: for ever.
public struct Retention: Sendable, Hashable {
    /// With their attempts, parts, receipts and conversions.
    public var messages: Int32?
    /// With the tries to tell them.
    public var events: Int32?
    public var verifications: Int32?

    /// A message may wait for ten days to be sent and for its receipt eight more; the last look for one that never comes is at 19 days.
    public static let range: ClosedRange<Int64> = 20...36_500

    public init(messages: Int32? = nil, events: Int32? = nil, verifications: Int32? = nil) {
        self.messages = messages
        self.events = events
        self.verifications = verifications
    }

    /// Of what a partition's rows belong to.
    subscript(owner: PartitionedTable.Owner) -> Int32? {
        switch owner {
        case .messages: self.messages
        case .events: self.events
        case .verifications: self.verifications
        }
    }
}

/// A table with a partition for each day.
///
/// The order is that in which a day's are dropped: what is told of a message is kept only when the message is found, so once that is
/// out of reach nothing is put into the others any more.
public enum PartitionedTable: String, Sendable, Hashable, CaseIterable {
    case messages, attempts, parts, receipts, conversions, events
    case eventAttempts = "event_attempts"
    case verifications

    /// What the rows of several tables belong to, and go with.
    public enum Owner: String, Sendable, Hashable, CaseIterable { case messages, events, verifications }

    public var owner: Owner {
        switch self {
        case .messages, .attempts, .parts, .receipts, .conversions: .messages
        case .events, .eventAttempts: .events
        case .verifications: .verifications
        }
    }
}

/// One day of a table.
public struct Partition: Sendable, Hashable {
    /// How far it has come on its way out.
    public enum State: Sendable, Hashable {
        case attached
        /// A detachment was broken off: nobody sees its rows any more.
        case detaching
        /// By us; what others have detached is none of our business.
        case detached
    }

    public var table: PartitionedTable
    /// Since the first of January 1970, in UTC.
    public var day: Int32
    /// As the table is called: `messages_20261101`.
    public var name: String
    public var state: State

    public init(table: PartitionedTable, day: Int32, name: String, state: State) {
        self.table = table
        self.day = day
        self.name = name
        self.state = state
    }
}

/// A day of which something waits, or is good for something.
public struct NeededDay: Sendable, Hashable {
    public var owner: PartitionedTable.Owner
    public var day: Int32

    public init(owner: PartitionedTable.Owner, day: Int32) {
        self.owner = owner
        self.day = day
    }
}

/// Which partitions go, and in which order.
public struct Retirement: Sendable, Hashable {
    /// Days, as ``Partition/day`` has them, whose retention is over.
    public var candidates: [Partition]
    /// Detachments that were begun and are to be ended before another can begin: a table has one at most.
    public var begun: [Partition]

    public init(_ partitions: [Partition], retention: Retention, today: Int32) {
        let place = Dictionary(uniqueKeysWithValues: PartitionedTable.allCases.enumerated().map { ($1, $0) })
        let sorted = partitions.sorted { ($0.day, place[$0.table] ?? 0) < ($1.day, place[$1.table] ?? 0) }
        self.begun = sorted.filter { $0.state != .attached }
        self.candidates = sorted.filter { partition in
            guard partition.state == .attached, let days = retention[partition.table.owner] else { return false }
            // A database may hold a number from when 14 was the least.
            return partition.day < today - max(days, Int32(Retention.range.lowerBound))
        }
    }

    /// What is to be done, in its order.
    public func partitions(besides needed: Set<NeededDay>) -> [Partition] {
        self.begun + self.candidates.filter { !needed.contains(NeededDay(owner: $0.table.owner, day: $0.day)) }
    }

    /// The days that are past their time and stay nevertheless.
    public func kept(by needed: Set<NeededDay>) -> [NeededDay] {
        Set(self.candidates.map { NeededDay(owner: $0.table.owner, day: $0.day) }).intersection(needed)
            .sorted { ($0.day, $0.owner.rawValue) < ($1.day, $1.owner.rawValue) }
    }
}
