import Messaging
import Postgres
import Testing

/// The ids that the database makes are those that the processes make.
@Suite struct NewIDTests {
    @Test(arguments: [0, 1, 127, 128, 255] as [Int16])
    func idsAreUUIDsOfTheirTimeAndLane(lane: Int16) async throws {
        try await StoreFixture.run { fixture async throws in
            let rows = try await fixture.pool.query(
                "SELECT new_id(\(lane)), (extract(epoch FROM now()) * 1000)::bigint FROM generate_series(1, 1000)"
            ) { row throws(PostgresError) in (try row.decode(0, as: MessageID.self), try row.decode(1, as: Int64.self))
            }
            #expect(Set(rows.map(\.0)).count == 1000)
            for (id, now) in rows {
                #expect(id.milliseconds == now)
                #expect(id.lane == Lane(rawValue: UInt8(lane)))
                #expect(id.high >> 12 & 0xF == 7, "the version")
                #expect(id.low >> 62 == 0b10, "the variant")
            }
        }
    }

    /// PostgreSQL writes it into the statement.
    @Test func makingOneCallsNoFunctionInSQL() async throws {
        try await StoreFixture.run { fixture async throws in
            let plan = try await fixture.pool.query("EXPLAIN (VERBOSE) SELECT new_id(0::smallint)") {
                row throws(PostgresError) in try row.decode(0, as: String.self)
            }
            #expect(plan.contains { $0.contains("gen_random_uuid()") })
            #expect(!plan.contains { $0.contains("new_id") })
        }
    }
}
