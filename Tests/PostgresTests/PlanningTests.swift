import TestDatabase
import Testing

@testable import Postgres

/// When statements are planned, and by what.
@Suite struct PlanningTests {
    private static let settings: SQL = """
        SELECT concat_ws(' ', current_setting('plan_cache_mode'), current_setting('enable_seqscan'),
                         current_setting('enable_bitmapscan'), current_setting('enable_mergejoin'))
        """
    private static let (each, once) = ("auto on on on", "force_generic_plan on on on")
    private static let few = "force_generic_plan off off off"

    private static func text(_ row: borrowing Row) throws(PostgresError) -> String { try row.decode(0) }

    private static func settings(
        _ pool: ConnectionPool, _ statement: SQL = settings
    ) async throws -> [String] {
        try await pool.query(statement, decode: Self.text)
    }

    @Test func eachStatementFindsTheSettingsOfItsKind() async throws {
        try await TestDatabase.withDatabase { url async throws in
            let pool = TestDatabase.pool(url, limit: 1)
            // In every order, since each has to undo what the one before has set.
            for _ in 0..<2 {
                for first in [Self.settings, Self.settings.prepared, Self.settings.preparedForLookUps] {
                    _ = try await Self.settings(pool, first)
                    #expect(try await Self.settings(pool) == [Self.each])
                    _ = try await Self.settings(pool, first)
                    #expect(try await Self.settings(pool, Self.settings.prepared) == [Self.once])
                    _ = try await Self.settings(pool, first)
                    #expect(try await Self.settings(pool, Self.settings.preparedForLookUps) == [Self.few])
                }
            }
        }
    }

    /// A rollback takes back what was set inside, without our knowing.
    @Test func inATransactionNothingIsSetAndNothingPrepared() async throws {
        struct Oops: Error {}
        try await TestDatabase.withDatabase { url async throws in
            let pool = TestDatabase.pool(url, limit: 1)
            #expect(try await Self.settings(pool, Self.settings.preparedForLookUps) == [Self.few])
            await #expect(throws: Oops.self) {
                try await pool.transaction { transaction async throws in
                    let found = try await transaction.query(Self.settings.preparedForLookUps, decode: Self.text)
                    #expect(found == [Self.each])
                    throw Oops()
                }
            }
            #expect(try await Self.settings(pool) == [Self.each])
            #expect(try await Self.settings(pool, Self.settings.preparedForLookUps) == [Self.few])
        }
    }

    @Test func aScriptIsPlannedAsItComes() async throws {
        try await TestDatabase.withDatabase { url async throws in
            let pool = TestDatabase.pool(url, limit: 1)
            _ = try await Self.settings(pool, Self.settings.preparedForLookUps)
            try await pool.withConnection { connection in
                try await connection.executeScript("CREATE TABLE seen AS SELECT current_setting('enable_seqscan') AS s")
            }
            #expect(try await Self.settings(pool, "SELECT s FROM seen") == ["on"])
        }
    }

    @Test func theSameTextPlannedInTwoWaysIsTwoStatements() async throws {
        try await TestDatabase.withDatabase { url async throws in
            let pool = TestDatabase.pool(url, limit: 1)
            for _ in 0..<3 {
                _ = try await Self.settings(pool, Self.settings.prepared)
                _ = try await Self.settings(pool, Self.settings.preparedForLookUps)
                _ = try await Self.settings(pool)
            }
            let prepared = try await integer("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", on: pool)
            let plans = try await integer("SELECT sum(generic_plans)::bigint FROM pg_prepared_statements", on: pool)
            // Six, or fewer on a machine that stood still meanwhile.
            #expect(prepared == 2 && plans >= 4)
        }
    }

    /// So that an idle process asks one question a second, and not two.
    @Test func whatComesSeldomIsPlannedByTheSameMeansAndNotPrepared() async throws {
        try await TestDatabase.withDatabase { url async throws in
            let pool = TestDatabase.pool(url, limit: 1)
            #expect(try await Self.settings(pool, Self.settings.preparedForLookUps) == [Self.few])
            try await Task.sleep(for: Planning.seldom)
            let other: SQL = "SELECT current_setting('enable_seqscan')"
            #expect(try await Self.settings(pool, other.preparedForLookUps) == ["off"])
            #expect(try await integer("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", on: pool) == 1)
        }
    }

    /// The days in the texts change, and so a connection meets ever more of them.
    @Test func whatIsPreparedIsForgottenWhenThereIsTooMuchOfIt() async throws {
        try await TestDatabase.withDatabase { url async throws in
            let pool = TestDatabase.pool(url, limit: 1)
            for number in 0..<UInt64(PreparedStatements.limit) * 2 + 10 {
                let statement: SQL = "SELECT \(knownUUID: 0x01a2_008d_7400_7000, number)::text || \("!")"
                let text = try await pool.query(statement.prepared, decode: Self.text)
                let digits = String(number, radix: 16)
                let zeros = String(repeating: "0", count: 12 - digits.count)
                #expect(text == ["01a2008d-7400-7000-0000-\(zeros)\(digits)!"])
            }
            let prepared = try await integer("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", on: pool)
            #expect((1...Int64(PreparedStatements.limit)).contains(Int64(prepared)))
        }
    }

    /// Planned while the table is empty, where reading all of it is the cheapest there is, it is soon planned for what it has.
    @Test(.timeLimit(.minutes(1))) func noPlanForAnEmptyTableIsUsedForLong() async throws {
        try await TestDatabase.withDatabase { url async throws in
            let pool = TestDatabase.pool(url, limit: 1)
            try await pool.execute("CREATE TABLE t (n int PRIMARY KEY) WITH (autovacuum_enabled = off)")
            // Or it would count as one of whose size nothing is known.
            try await pool.execute("ANALYZE t")
            let wanted: [Int32] = [1, 7, 9]
            let statement: SQL = "SELECT 'x' FROM unnest(\(wanted)) AS w (n) JOIN t USING (n)"
            #expect(try await Self.settings(pool, statement.preparedForLookUps).isEmpty)
            try await pool.execute("INSERT INTO t SELECT generate_series(1, 50000)")
            // Each in the index and in the table.
            while try await Self.rowsRead(pool, by: statement.preparedForLookUps) != 6 {}
        }
    }

    private static func rowsRead(_ pool: ConnectionPool, by statement: SQL) async throws -> Int {
        let before = try await Self.rowsRead(pool)
        #expect(try await Self.settings(pool, statement).count == 3)
        return try await Self.rowsRead(pool) - before
    }

    /// By all scans of the table so far.
    private static func rowsRead(_ pool: ConnectionPool) async throws -> Int {
        // Counts are told to the others once a second at most, unless asked for.
        try await pool.withConnection { connection in
            try await connection.executeScript("SELECT pg_stat_force_next_flush()")
        }
        return try await integer(
            """
            SELECT seq_tup_read + idx_tup_fetch + pg_stat_get_tuples_returned('t_pkey'::regclass)
            FROM pg_stat_user_tables WHERE relname = 't'
            """, on: pool)
    }
}
