/// A value that travels to PostgreSQL as a binary parameter of a stated type, so that SQL needs no casts.
///
/// Optionals and arrays of conforming types are parameters too; see ``SQL``.
public protocol PostgresEncodable {
    static var postgresType: PostgresType { get }

    /// Appends the type's binary form (its `send` function in PostgreSQL) to `bytes`, and leaves alone what is there.
    func encode(into bytes: inout [UInt8])
}

/// A value read from the binary form PostgreSQL sends.
public protocol PostgresDecodable {
    /// True for each type whose binary form `init(postgresBinary:)` reads. Only `type.oid` may be looked at.
    ///
    /// Types that are also ``PostgresEncodable`` read their own type unless they say otherwise.
    static func canDecode(_ type: PostgresType) -> Bool

    /// Reads a value that is not NULL. `bytes` lives only as long as the call.
    ///
    /// Throws `PostgresError.undecodable(Self.self)` if the bytes do not hold a value of this type.
    init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError)
}

extension PostgresDecodable where Self: PostgresEncodable {
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == Self.postgresType }
}

// MARK: - Enumerations

/// `enum State: Int16, PostgresEncodable` travels as its raw value.
extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    @inlinable public static var postgresType: PostgresType { RawValue.postgresType }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { self.rawValue.encode(into: &bytes) }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { RawValue.canDecode(type) }

    @inlinable
    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard let value = Self(rawValue: try RawValue(postgresBinary: bytes)) else { throw .undecodable(Self.self) }
        self = value
    }
}

/// Between the two constrained extensions above, neither is the more special: this one is.
extension PostgresDecodable where Self: RawRepresentable & PostgresEncodable, RawValue: PostgresDecodable {
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { RawValue.canDecode(type) }
}
