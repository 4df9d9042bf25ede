/// A PostgreSQL type by the numbers of its catalogue: the type itself and the array of it (`pg_type.dat`).
///
/// Only built-in types have numbers that are the same in every database. Two types are the same if `oid` is.
public struct PostgresType: Sendable, Hashable {
    public let oid: UInt32
    public let arrayOID: UInt32

    @inlinable
    public init(oid: UInt32, arrayOID: UInt32) {
        self.oid = oid
        self.arrayOID = arrayOID
    }

    @inlinable
    public static func == (left: PostgresType, right: PostgresType) -> Bool { left.oid == right.oid }
    public func hash(into hasher: inout Hasher) { hasher.combine(self.oid) }

    @inlinable public static var boolean: PostgresType { PostgresType(oid: 16, arrayOID: 1000) }
    @inlinable public static var bytea: PostgresType { PostgresType(oid: 17, arrayOID: 1001) }
    @inlinable public static var name: PostgresType { PostgresType(oid: 19, arrayOID: 1003) }
    @inlinable public static var int8: PostgresType { PostgresType(oid: 20, arrayOID: 1016) }
    @inlinable public static var int2: PostgresType { PostgresType(oid: 21, arrayOID: 1005) }
    @inlinable public static var int4: PostgresType { PostgresType(oid: 23, arrayOID: 1007) }
    @inlinable public static var text: PostgresType { PostgresType(oid: 25, arrayOID: 1009) }
    @inlinable public static var json: PostgresType { PostgresType(oid: 114, arrayOID: 199) }
    @inlinable public static var float4: PostgresType { PostgresType(oid: 700, arrayOID: 1021) }
    @inlinable public static var float8: PostgresType { PostgresType(oid: 701, arrayOID: 1022) }
    @inlinable public static var bpchar: PostgresType { PostgresType(oid: 1042, arrayOID: 1014) }
    @inlinable public static var varchar: PostgresType { PostgresType(oid: 1043, arrayOID: 1015) }
    @inlinable public static var timestamptz: PostgresType { PostgresType(oid: 1184, arrayOID: 1185) }
    @inlinable public static var interval: PostgresType { PostgresType(oid: 1186, arrayOID: 1187) }
    @inlinable public static var uuid: PostgresType { PostgresType(oid: 2950, arrayOID: 2951) }
}
