import TestDatabase
import Testing
import Timestamps

@testable import Postgres

/// A 16-byte type of another module, as ids are.
struct Identifier: Hashable, PostgresEncodable, PostgresDecodable {
    var bytes: [UInt8]

    static var postgresType: PostgresType { .uuid }
    func encode(into bytes: inout [UInt8]) { bytes += self.bytes }
    init(bytes: [UInt8]) { self.bytes = bytes }
    init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard bytes.count == 16 else { throw .undecodable(Identifier.self) }
        self.bytes = Array(bytes)
    }
}

enum Colour: Int16, PostgresEncodable, PostgresDecodable { case red = 1, green = 2 }
enum Word: String, PostgresEncodable, PostgresDecodable { case yes, no }

/// Sends each value to the server and back: alone, as NULL, and in arrays. Returns what did not come back the same.
func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
    _ values: [Value], on connection: Connection
) async throws(PostgresError) -> [String] {
    var wrong: [String] = []
    for value in values {
        let row = try await connection.query("SELECT \(value), \(nil as Value?), pg_typeof(\(value))::oid::int8") {
            row throws(PostgresError) in
            (
                try row.decode(0, as: Value.self), try row.decodeIfPresent(1, as: Value.self),
                try row.decode(2, as: Int.self)
            )
        }[0]
        if row.0 != value || row.1 != nil || row.2 != Int(Value.postgresType.oid) { wrong.append("\(value): \(row)") }
    }
    let optionals = [nil] + values.map { $0 as Value? } + [nil]
    let row = try await connection.query(
        """
        SELECT \(values), \([] as [Value]), \(nil as [Value]?), \(optionals), \([] as [Value?]), \(nil as [Value?]?),
            pg_typeof(\(values))::oid::int8, cardinality(\(optionals))
        """
    ) { row throws(PostgresError) in
        let plain = (try row.decode(0, as: [Value].self), try row.decode(1, as: [Value].self))
        let none = (try row.decodeIfPresent(2, as: [Value].self), try row.decodeIfPresent(5, as: [Value?].self))
        let mixed = (try row.decode(3, as: [Value?].self), try row.decode(4, as: [Value?].self))
        return (plain, none, mixed, try row.decode(6, as: Int.self), try row.decode(7, as: Int.self))
    }[0]
    if row.0.0 != values || row.0.1 != [] { wrong.append("array: \(row.0)") }
    if row.1.0 != nil || row.1.1 != nil { wrong.append("NULL array: \(row.1)") }
    if row.2.0 != optionals || row.2.1 != [] { wrong.append("array with NULLs: \(row.2)") }
    if row.3 != Int(Value.postgresType.arrayOID) || row.4 != optionals.count { wrong.append("array type: \(row)") }
    return wrong
}

/// All types, so that another way to the server (PgBouncer, TLS) can be given the same.
func roundTripAll(on connection: Connection) async throws(PostgresError) -> [String] {
    var wrong = try await roundTrip([true, false], on: connection)
    wrong += try await roundTrip([0, 1, -1, Int16.min, .max] as [Int16], on: connection)
    wrong += try await roundTrip([0, 1, -1, Int32.min, .max] as [Int32], on: connection)
    wrong += try await roundTrip([0, 1, -1, Int64.min, .max] as [Int64], on: connection)
    wrong += try await roundTrip([0, 1, -1, Int.min, .max] as [Int], on: connection)
    wrong += try await roundTrip([0, -1.5, .infinity, -.infinity, .leastNonzeroMagnitude, .pi], on: connection)
    wrong += try await roundTrip(["", "a", "O'Reilly \"\\ {,}", "NULL", "żółć 👩‍👩‍👧", longText], on: connection)
    wrong += try await roundTrip([[], [0], Array(0...255)].map(Bytes.init), on: connection)
    wrong += try await roundTrip(timestamps, on: connection)
    wrong += try await roundTrip(durations, on: connection)
    wrong += try await roundTrip([0, 255].map { Identifier(bytes: Array(repeating: $0, count: 16)) }, on: connection)
    wrong += try await roundTrip([Colour.red, .green], on: connection)
    wrong += try await roundTrip([Word.yes, .no], on: connection)
    return wrong
}

private let longText = String(repeating: "0123456789abcdef", count: 65_536)

private let durations: [Duration] = [.zero, .microseconds(-1), .seconds(3_000_000_000), .milliseconds(1500)]

private let timestamps = [
    Timestamp(microseconds: 0), Timestamp(microseconds: -1), Timestamp(microseconds: 946_684_800_000_000),
    Timestamp(microseconds: 1_795_000_000_123_456), Timestamp(microseconds: .max), Timestamp(microseconds: .min),
    // PostgreSQL's first moment, 4714-11-24 BC, and our last.
    Timestamp(microseconds: -210_866_803_200_000_000), Timestamp(microseconds: .max - 1),
]

@Suite struct TypeTests {
    @Test func everyTypeComesBackAsItWasSent() async throws {
        try await TestDatabase.withDatabase { url in
            let connection = try await Connection.open(url: url, poller: TestDatabase.poller)
            #expect(try await roundTripAll(on: connection) == [])
        }
    }

    @Test func notANumberIsANumberToo() async throws {
        try await TestDatabase.withDatabase { url in
            let isNaN = try await TestDatabase.pool(url).query("SELECT \(Double.nan)") {
                row throws(PostgresError) in try row.decode(0, as: Double.self).isNaN
            }
            #expect(isNaN == [true])
        }
    }

    @Test func valuesMeanToTheServerWhatTheyMeanToUs() async throws {
        try await TestDatabase.withDatabase { url in
            let moment = try #require(Timestamp("2026-11-21T09:15:00.250Z"))
            let texts = try await TestDatabase.pool(url).query(
                """
                SELECT \(true)::text, \(-7 as Int16)::text, \(1.5)::text, \(moment)::text, \(Duration.milliseconds(90_500))::text,
                    \(Bytes([0, 255]))::text, \(Identifier(bytes: Array(0..<16)))::text, \(["a,b", nil, ""])::text,
                    (\(Timestamp(microseconds: .max)) = 'infinity')::text
                """
            ) { row throws(PostgresError) in
                var texts: [String] = []
                for column in 0..<9 { texts.append(try row.decode(column, as: String.self)) }
                return texts
            }
            #expect(
                texts == [
                    [
                        "true", "-7", "1.5", "2026-11-21 09:15:00.25+00", "00:01:30.5", "\\x00ff",
                        "00010203-0405-0607-0809-0a0b0c0d0e0f", "{\"a,b\",NULL,\"\"}", "true",
                    ]
                ])
        }
    }

    @Test func narrowIntegersAreReadAsWiderOnes() async throws {
        try await TestDatabase.withDatabase { url in
            let rows = try await TestDatabase.pool(url).query(
                "SELECT (-2)::int2, (-4)::int4, 1.5::float4, 'abc'::varchar(9), 'n'::name, '{}'::json, '3 days 1 s'::interval"
            ) { row throws(PostgresError) in
                #expect(try row.decode(0, as: Int32.self) == -2)
                #expect(try row.decode(0, as: Int64.self) == -2)
                #expect(try row.decode(0, as: Int.self) == -2)
                #expect(try row.decode(1, as: Int.self) == -4)
                #expect(try row.decode(2, as: Double.self) == 1.5)
                #expect(try row.decode(3, as: String.self) == "abc")
                #expect(try row.decode(4, as: String.self) == "n")
                #expect(try row.decode(5, as: String.self) == "{}")
                #expect(try row.decode(6, as: Duration.self) == .seconds(3 * 86400 + 1))
                return true
            }
            #expect(rows == [true])
        }
    }

    private func decodingError<Value: PostgresDecodable & Sendable>(
        _ statement: SQL, as type: Value.Type, column: Int = 0
    ) async throws -> PostgresError? {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            let error = await #expect(throws: PostgresError.self) {
                try await pool.query(statement) { row throws(PostgresError) in try row.decode(column, as: type) }
            }
            // The connection is none the worse for it.
            #expect(pool.statistics.idle == 1)
            return error
        }
    }

    @Test func whatAColumnDoesNotHoldIsRefused() async throws {
        #expect(
            try await self.decodingError("SELECT 1::int8", as: Int32.self) == .decoding(column: 0, expected: "Int32"))
        #expect(try await self.decodingError("SELECT 1::float8", as: Int.self) == .decoding(column: 0, expected: "Int"))
        #expect(
            try await self.decodingError("SELECT 'a'::text", as: Bytes.self) == .decoding(column: 0, expected: "Bytes"))
        #expect(
            try await self.decodingError("SELECT 3::int2", as: Colour.self) == .decoding(column: 0, expected: "Colour"))
        #expect(
            try await self.decodingError("SELECT '294276-12-31'::timestamptz", as: Timestamp.self)
                == .decoding(column: 0, expected: "Timestamp"))
        #expect(
            try await self.decodingError("SELECT 'perhaps'", as: Word.self) == .decoding(column: 0, expected: "Word"))
        #expect(
            try await self.decodingError("SELECT '1 month'::interval", as: Duration.self)
                == .decoding(column: 0, expected: "Duration"))
        #expect(
            try await self.decodingError("SELECT 1, NULL::text", as: String.self, column: 1)
                == .decoding(column: 1, expected: "String, as it is NULL"))
        let error = try await self.decodingError("SELECT 1", as: Int.self, column: 1)
        #expect(error == .decoding(column: 1, expected: "value, as there is no such column"))
    }

    @Test func aTextWithAZeroIsRefusedByTheServer() async throws {
        try await TestDatabase.withDatabase { url in
            let error = await #expect(throws: PostgresError.self) {
                try await TestDatabase.pool(url).execute("SELECT \("a\0b")")
            }
            #expect(error?.sqlState?.rawValue == "22021")
        }
    }

    @Test func momentsBeforePostgresBeganAreRefused() async throws {
        try await TestDatabase.withDatabase { url in
            let error = await #expect(throws: PostgresError.self) {
                try await TestDatabase.pool(url).execute("SELECT \(Timestamp(microseconds: .min + 1))")
            }
            #expect(error?.sqlState?.rawValue == "22008")
        }
    }
}
