import CPostgres

/// One row, lent to a decoding closure. Being noncopyable, it cannot be kept past the closure.
///
/// Columns go by their position in the statement, from 0. What decodes them is inlined where it is asked for: as generic code it
/// would look up its types for each value.
public struct Row: ~Copyable {
    private let result: OpaquePointer
    private let index: Int32

    init(result: OpaquePointer, index: Int32) {
        self.result = result
        self.index = index
    }

    /// The value in `column`. Throws `.decoding` if it is NULL, or of a type `Value` does not read.
    @inlinable
    public func decode<Value: PostgresDecodable>(
        _ column: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        try present(self.decodeIfPresent(column, as: type), column)
    }

    /// The value in `column`, nil for NULL. Throws `.decoding` if it is of a type `Value` does not read.
    @inlinable
    public func decodeIfPresent<Value: PostgresDecodable>(
        _ column: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value? {
        guard Value.canDecode(try self.type(of: column)) else {
            throw .decoding(column: column, expected: "\(Value.self)")
        }
        guard let bytes = self.bytes(of: column) else { return nil }
        return try value(bytes, column)
    }

    /// The array in `column`, which must not be NULL nor hold NULLs.
    public func decode<Element: PostgresDecodable>(
        _ column: Int, as type: [Element].Type = [Element].self
    ) throws(PostgresError) -> [Element] {
        try present(self.decodeIfPresent(column, as: type), column)
    }

    /// The array in `column`, which must not hold NULLs; nil for NULL.
    public func decodeIfPresent<Element: PostgresDecodable>(
        _ column: Int, as type: [Element].Type = [Element].self
    ) throws(PostgresError) -> [Element]? {
        guard let elements = try self.decodeIfPresent(column, as: [Element?].self) else { return nil }
        let present = elements.compactMap(\.self)
        guard present.count == elements.count else { throw .decoding(column: column, expected: "\(type)") }
        return present
    }

    /// The array in `column`, which must not be NULL but may hold NULLs.
    public func decode<Element: PostgresDecodable>(
        _ column: Int, as type: [Element?].Type = [Element?].self
    ) throws(PostgresError) -> [Element?] {
        try present(self.decodeIfPresent(column, as: type), column)
    }

    /// The array in `column`, which may hold NULLs; nil for NULL.
    public func decodeIfPresent<Element: PostgresDecodable>(
        _ column: Int, as type: [Element?].Type = [Element?].self
    ) throws(PostgresError) -> [Element?]? {
        _ = try self.type(of: column)
        guard let bytes = self.bytes(of: column) else { return nil }
        guard var reader = ArrayReader(bytes), Element.canDecode(reader.elementType) else {
            throw .decoding(column: column, expected: "\(type)")
        }
        var elements: [Element?] = []
        elements.reserveCapacity(reader.count)
        for _ in 0..<reader.count {
            guard let element = reader.next() else { throw .decoding(column: column, expected: "\(type)") }
            elements.append(try element.map { bytes throws(PostgresError) in try value(bytes, column) })
        }
        return elements
    }

    // MARK: - Private

    @usableFromInline
    func type(of column: Int) throws(PostgresError) -> PostgresType {
        guard column >= 0 && column < Int(PQnfields(self.result)) else {
            throw .decoding(column: column, expected: "value, as there is no such column")
        }
        return PostgresType(oid: PQftype(self.result, Int32(column)), arrayOID: 0)
    }

    @usableFromInline
    func bytes(of column: Int) -> UnsafeRawBufferPointer? {
        let column = Int32(column)
        guard PQgetisnull(self.result, self.index, column) == 0 else { return nil }
        let length = Int(PQgetlength(self.result, self.index, column))
        return UnsafeRawBufferPointer(start: PQgetvalue(self.result, self.index, column), count: length)
    }
}

@inlinable
func value<Value: PostgresDecodable>(
    _ bytes: UnsafeRawBufferPointer, _ column: Int
) throws(PostgresError) -> Value {
    do {
        return try Value(postgresBinary: bytes)
    } catch .decoding(_, let expected) {
        throw .decoding(column: column, expected: expected)
    }
}

@inlinable
func present<Value>(_ value: Value?, _ column: Int) throws(PostgresError) -> Value {
    guard let value else { throw .decoding(column: column, expected: "\(Value.self), as it is NULL") }
    return value
}
