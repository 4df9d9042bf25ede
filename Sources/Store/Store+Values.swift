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
