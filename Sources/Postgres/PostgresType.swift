/// A PostgreSQL type by the numbers of its catalogue: the type itself and the array of it (`pg_type.dat`).
///
/// Only built-in types have numbers that are the same in every database. Two types are the same if `oid` is.
public struct PostgresType: Sendable, Hashable {
    public let oid: UInt32
    public let arrayOID: UInt32

    public init(oid: UInt32, arrayOID: UInt32) {
        self.oid = oid
        self.arrayOID = arrayOID
    }

    public static func == (left: PostgresType, right: PostgresType) -> Bool { left.oid == right.oid }
    public func hash(into hasher: inout Hasher) { hasher.combine(self.oid) }

    public static let boolean = PostgresType(oid: 16, arrayOID: 1000)
    public static let bytea = PostgresType(oid: 17, arrayOID: 1001)
    public static let name = PostgresType(oid: 19, arrayOID: 1003)
    public static let int8 = PostgresType(oid: 20, arrayOID: 1016)
    public static let int2 = PostgresType(oid: 21, arrayOID: 1005)
    public static let int4 = PostgresType(oid: 23, arrayOID: 1007)
    public static let text = PostgresType(oid: 25, arrayOID: 1009)
    public static let json = PostgresType(oid: 114, arrayOID: 199)
    public static let float4 = PostgresType(oid: 700, arrayOID: 1021)
    public static let float8 = PostgresType(oid: 701, arrayOID: 1022)
    public static let bpchar = PostgresType(oid: 1042, arrayOID: 1014)
    public static let varchar = PostgresType(oid: 1043, arrayOID: 1015)
    public static let timestamptz = PostgresType(oid: 1184, arrayOID: 1185)
    public static let interval = PostgresType(oid: 1186, arrayOID: 1187)
    public static let uuid = PostgresType(oid: 2950, arrayOID: 2951)
}
