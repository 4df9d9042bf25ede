public import Messaging
public import Postgres
import Timestamps

// How the values of `Messaging` travel in PostgreSQL's binary formats.

extension MessageID: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .uuid }

    public func encode(into bytes: inout [UInt8]) {
        withUnsafeBytes(of: (self.high.bigEndian, self.low.bigEndian)) { bytes.append(contentsOf: $0) }
    }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard bytes.count == 16 else { throw .undecodable(MessageID.self) }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }
}

extension MessageID {
    /// The days that a batch lies in, as the first id of the first and the first id behind the last.
    ///
    /// Statements that touch `messages` name them, so that the planner looks at the one or two partitions that hold the
    /// batch and at no other. Whole days, because a narrower range would have it expect a row or two in there, and
    /// compare everything with everything.
    static func days(of ids: some Sequence<MessageID>) -> (first: MessageID, end: MessageID) {
        var first = Int64.max
        var last = Int64.min
        for id in ids {
            first = min(first, id.milliseconds / Self.day)
            last = max(last, id.milliseconds / Self.day)
        }
        guard first <= last else { return (Self.start(ofDay: 0), Self.start(ofDay: 0)) }
        return (
            Self.start(ofDay: first),
            last < Self.lastDay ? Self.start(ofDay: last + 1) : MessageID(high: .max, low: .max)
        )
    }

    /// The days that a message may have been accepted in when it is ready to be sent now: the furthest `send_at` and the
    /// longest time to live back, and a day ahead for clocks that differ. Partitions beyond it are not planned for, however
    /// much history is kept.
    static var daysOfReady: (first: MessageID, end: MessageID) {
        let today = Timestamp.now.milliseconds / Self.day
        return (Self.start(ofDay: today - 11), Self.start(ofDay: today + 2))
    }

    /// The days that a message may have been accepted in of which a receipt is still expected: the longest window and the
    /// furthest `send_at` before it, and more for when nobody has looked for a while.
    static var daysOfSilence: (first: MessageID, end: MessageID) {
        let today = Timestamp.now.milliseconds / Self.day
        return (Self.start(ofDay: today - 31), Self.start(ofDay: today + 2))
    }

    /// Milliseconds; partitions are by day in UTC.
    private static let day: Int64 = 86_400_000
    /// The last that an id has room for: one that a stranger makes up may name it.
    private static let lastDay = Int64(1) << 48 / Self.day - 1

    private static func start(ofDay day: Int64) -> MessageID {
        MessageID(high: UInt64(day * Self.day) << 16, low: 0)
    }
}

extension Lane {
    var column: Int16 { Int16(self.rawValue) }

    /// The lane of a statement's rows: on a cluster, a statement of several would be one of several machines.
    static func ofAll(_ lanes: some Sequence<Lane>) -> Lane {
        var found: Lane?
        for lane in lanes {
            precondition(found == nil || found == lane, "the rows of a statement are of one lane")
            found = lane
        }
        return found ?? Lane(rawValue: 0)
    }
}

extension Row {
    /// A column that a `CHECK` holds to the cases of an enumeration.
    func decode<Value: RawRepresentable<String>>(
        _ column: Int, oneOf type: Value.Type
    ) throws(PostgresError) -> Value {
        guard let value = Value(rawValue: try self.decode(column, as: String.self)) else {
            throw .decoding(column: column, expected: "\(type)")
        }
        return value
    }

    /// What a message costs, of the columns with the amount and with the network.
    func decodePrice(_ amount: Int, network: Int) throws(PostgresError) -> Price? {
        guard let amount = try self.decodeIfPresent(amount, as: Int64.self) else { return nil }
        return Price(amount: Money(rawValue: amount), network: try self.decodeIfPresent(network))
    }

    func decodePriority(_ column: Int) throws(PostgresError) -> Priority {
        guard let priority = Priority(rawValue: try self.decode(column, as: Int16.self)) else {
            throw .decoding(column: column, expected: "Priority")
        }
        return priority
    }
}
