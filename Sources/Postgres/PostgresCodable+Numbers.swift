extension Bool: PostgresEncodable, PostgresDecodable {
    @inlinable public static var postgresType: PostgresType { .boolean }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard bytes.count == 1 else { throw .undecodable(Bool.self) }
        self = bytes[0] != 0
    }
}

extension Int16: PostgresEncodable, PostgresDecodable {
    @inlinable public static var postgresType: PostgresType { .int2 }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        self = try decodeInteger(bytes)
    }
}

/// Reads `int2` as well.
extension Int32: PostgresEncodable, PostgresDecodable {
    @inlinable public static var postgresType: PostgresType { .int4 }
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .int4 || type == .int2 }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        self = try decodeInteger(bytes)
    }
}

/// Reads `int2` and `int4` as well.
extension Int64: PostgresEncodable, PostgresDecodable {
    @inlinable public static var postgresType: PostgresType { .int8 }
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .int8 || type == .int4 || type == .int2 }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        self = try decodeInteger(bytes)
    }
}

/// Travels as `int8`; reads `int2` and `int4` as well.
extension Int: PostgresEncodable, PostgresDecodable {
    @inlinable public static var postgresType: PostgresType { .int8 }
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { Int64.canDecode(type) }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { Int64(self).encode(into: &bytes) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        self = try decodeInteger(bytes)
    }
}

/// Travels as `float8`; reads `float4` as well.
extension Double: PostgresEncodable, PostgresDecodable {
    @inlinable public static var postgresType: PostgresType { .float8 }
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .float8 || type == .float4 }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self.bitPattern) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        if let pattern = bytes.wholeBigEndian(as: UInt64.self) {
            self.init(bitPattern: pattern)
        } else if let pattern = bytes.wholeBigEndian(as: UInt32.self) {
            self.init(Float(bitPattern: pattern))
        } else {
            throw .undecodable(Double.self)
        }
    }
}

// MARK: - Private

/// An integer as wide as the bytes are, which `canDecode` has made sure fits.
private func decodeInteger<Value: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Value {
    let value: Value? =
        switch bytes.count {
        case 8: bytes.bigEndian(as: Int64.self).flatMap(Value.init(exactly:))
        case 4: bytes.bigEndian(as: Int32.self).flatMap(Value.init(exactly:))
        case 2: bytes.bigEndian(as: Int16.self).flatMap(Value.init(exactly:))
        default: nil
        }
    guard let value else { throw .undecodable(Value.self) }
    return value
}
