/// Travels as `text`; reads `varchar`, `char(n)`, `name` and `json` as well. For `jsonb`, select `…::text`.
extension String: PostgresEncodable, PostgresDecodable {
    @inlinable public static var postgresType: PostgresType { .text }

    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool {
        type == .text || type == .varchar || type == .bpchar || type == .name || type == .json
    }

    @inlinable
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: self.utf8) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .undecodable(String.self) }
        self = text
    }
}

/// A `bytea`.
public struct Bytes: Sendable, Hashable, PostgresEncodable, PostgresDecodable {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    @inlinable public static var postgresType: PostgresType { .bytea }
    @inlinable
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: self.bytes) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) { self.bytes = Array(bytes) }
}
