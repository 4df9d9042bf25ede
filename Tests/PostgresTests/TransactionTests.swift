import TestDatabase
import Testing

@testable import Postgres

private struct Oops: Error {}

@Suite struct TransactionTests {
    private func withTable(_ body: (ConnectionPool) async throws -> Void) async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 2)
            try await pool.execute("CREATE TABLE t (n int PRIMARY KEY CHECK (n > 0))")
            try await body(pool)
        }
    }

    private func count(_ pool: ConnectionPool) async throws -> Int {
        try await integer("SELECT count(*) FROM t", on: pool)
    }

    @Test func commitsWhatReturns() async throws {
        try await self.withTable { pool async throws in
            let value = try await pool.transaction { transaction in
                let rows = try await transaction.execute("INSERT INTO t VALUES (\(1 as Int32)), (\(2 as Int32))")
                #expect(rows == 2)
                return try await transaction.query("SELECT sum(n) FROM t") {
                    row throws(PostgresError) in try row.decode(0, as: Int.self)
                }
            }
            #expect(value == [3])
            #expect(try await self.count(pool) == 2)
        }
    }

    @Test func rollsBackWhatThrows() async throws {
        try await self.withTable { pool async throws in
            await #expect(throws: Oops.self) {
                try await pool.transaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    throw Oops()
                }
            }
            #expect(try await self.count(pool) == 0)
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test func aBodyThatHidesAFailureDoesNotCountAsCommitted() async throws {
        try await self.withTable { pool async throws in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    _ = try? await transaction.execute("INSERT INTO t VALUES (-1)")
                }
            }
            #expect(error?.sqlState == .inFailedTransaction)
            #expect(try await self.count(pool) == 0)
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test func whatCommitItselfRefusesIsThrown() async throws {
        try await self.withTable { pool async throws in
            try await pool.execute("CREATE TABLE d (n int REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction { transaction in
                    _ = try await transaction.execute("INSERT INTO d VALUES (9)")
                }
            }
            guard case .server(.foreignKeyViolation, _, let constraint) = error else { throw Oops() }
            #expect(constraint == "d_n_fkey")
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test func aConnectionLostBeforeCommitHasCommittedNothing() async throws {
        try await self.withTable { pool async throws in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    let own = try await transaction.query("SELECT pg_backend_pid()") {
                        row throws(PostgresError) in try row.decode(0, as: Int32.self)
                    }[0]
                    try await pool.execute("SELECT pg_terminate_backend(\(own), 10000)")
                    try await transaction.execute("INSERT INTO t VALUES (2)")
                }
            }
            // The farewell may be read, or not: the statement may meet a closed socket.
            if case .connectionLost = error { Issue.record("COMMIT was never sent") }
            #expect(error?.isTransient == true)
            #expect(try await self.count(pool) == 0)
        }
    }

    @Test func cancellationBeforeCommitRollsBack() async throws {
        try await self.withTable { pool async throws in
            let task = Task {
                try await pool.transaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            await #expect(throws: PostgresError.cancelled) { try await task.value }
            #expect(try await self.count(pool) == 0)
            #expect(try await integer("SELECT 1", on: pool) == 1)
        }
    }
}

@Suite struct PostgresErrorTests {
    @Test func aViolationNamesItsConstraintAndKeepsItsValuesToItself() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await pool.execute("CREATE TABLE t (phone text CONSTRAINT one_each UNIQUE)")
            try await pool.execute("INSERT INTO t VALUES (\("+15550100"))")
            let error = await #expect(throws: PostgresError.self) {
                try await pool.execute("INSERT INTO t VALUES (\("+15550100"))")
            }
            guard case .server(let state, let message, let constraint) = error else { throw Oops() }
            #expect(state == .uniqueViolation)
            #expect(constraint == "one_each")
            #expect(!message.contains("15550100"))
            #expect(!String(reflecting: error).contains("15550100"))
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test(arguments: [
        (PostgresError.connection("x"), false, true), (.connectionLost("x"), true, true), (.timedOut, true, true),
        (.cancelled, true, false), (.poolExhausted, false, true), (.decoding(column: 0, expected: "x"), false, false),
        (.server(.uniqueViolation, message: "", constraint: nil), false, false),
        (.server(.serializationFailure, message: "", constraint: nil), false, true),
        (.server(.deadlockDetected, message: "", constraint: nil), false, true),
        (.server(.adminShutdown, message: "", constraint: nil), true, true),
        (.server(.cannotConnectNow, message: "", constraint: nil), false, true),
        (.server(.readOnlyTransaction, message: "", constraint: nil), false, true),
        (.server(SQLState(rawValue: "08P01"), message: "", constraint: nil), true, true),
        (.server(SQLState(rawValue: "53300"), message: "", constraint: nil), false, true),
        (.server(.undefinedTable, message: "", constraint: nil), false, false),
    ])
    func saysWhatMayHaveHappenedAndWhetherToTryAgain(error: PostgresError, mayHaveCommitted: Bool, isTransient: Bool) {
        #expect(error.mayHaveCommitted == mayHaveCommitted)
        #expect(error.isTransient == isTransient)
    }
}
