public import Messaging
public import Postgres

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
    /// The first and the last id of a batch: statements that touch `messages` name them, so that the planner
    /// looks at the one or two partitions that hold the batch and at no other.
    static func bounds(of ids: some Sequence<MessageID>) -> (first: MessageID, last: MessageID) {
        var first = MessageID(high: .max, low: .max)
        var last = MessageID(high: 0, low: 0)
        for id in ids {
            first = min(first, id)
            last = max(last, id)
        }
        return (first, last)
    }
}

extension Lane {
    var column: Int16 { Int16(self.rawValue) }
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

    func decodePriority(_ column: Int) throws(PostgresError) -> Priority {
        guard let priority = Priority(rawValue: try self.decode(column, as: Int16.self)) else {
            throw .decoding(column: column, expected: "Priority")
        }
        return priority
    }
}
