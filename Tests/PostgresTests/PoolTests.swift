import Polling
import Synchronization
import TestDatabase
import Testing

@testable import Postgres

/// Runs `statement`, which returns one integer.
func integer(_ statement: SQL, on pool: ConnectionPool) async throws -> Int {
    try await pool.query(statement) { row throws(PostgresError) in try row.decode(0, as: Int.self) }[0]
}

/// Asks until `statement` returns `expected`, for half a minute: for what other processes bring about.
func eventually(_ statement: SQL, is expected: Int, on pool: ConnectionPool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    var found = try? await integer(statement, on: pool)
    while found != expected && ContinuousClock.now < deadline { found = try? await integer(statement, on: pool) }
    #expect(found == expected, "\(statement)")
}

@Suite struct PoolTests {
    @Test func manyTasksShareFewConnections() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 4)
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<200 {
                    group.addTask { try await integer("SELECT \(number) FROM pg_sleep(0.001)", on: pool) }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 199 * 200 / 2)
            #expect(pool.statistics.open <= 4)
            #expect(pool.statistics.idle == pool.statistics.open)
            #expect(pool.statistics.waiting == 0)
            #expect(pool.statistics.acquisitions == 200)
            #expect(pool.statistics.totalWait > .zero)
        }
    }

    @Test func aStatementPastItsDeadlineIsStoppedOnTheServer() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            let error = await #expect(throws: PostgresError.self) {
                try await pool.execute("SELECT pg_sleep(600), 'slow'", timeout: .milliseconds(30))
            }
            #expect(error == .timedOut)
            #expect(error?.mayHaveCommitted == true)
            try await eventually(slowStatements, is: 0, on: pool)
        }
    }

    @Test func thePoolsOwnDeadlineHoldsForWhoGivesNone() async throws {
        try await TestDatabase.withDatabase { url in
            var configuration = ConnectionPool.Configuration(url: url, connectTimeout: .seconds(300))
            configuration.statementTimeout = .milliseconds(30)
            let pool = ConnectionPool(configuration, poller: TestDatabase.poller)
            await #expect(throws: PostgresError.timedOut) { try await pool.execute("SELECT pg_sleep(600)") }
            let rows = try await pool.execute("SELECT 1", timeout: .seconds(300))
            #expect(rows == 1)
        }
    }

    @Test func cancellingATaskStopsItsStatementOnTheServer() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            let observer = TestDatabase.pool(url, limit: 1)
            let task = Task { try await pool.execute("SELECT pg_sleep(600), 'slow'") }
            try await eventually(slowStatements, is: 1, on: observer)
            task.cancel()
            await #expect(throws: PostgresError.cancelled) { try await task.value }
            try await eventually(slowStatements, is: 0, on: observer)
            // The place in the pool is free again.
            #expect(try await integer("SELECT 1", on: pool) == 1)
        }
    }

    @Test func aTaskCancelledBeforehandSendsNothing() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await pool.execute("CREATE TABLE t (n int)")
            let process = try await integer("SELECT pg_backend_pid()", on: pool)
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await pool.execute("INSERT INTO t VALUES (1)")
            }
            await #expect(throws: PostgresError.cancelled) { try await task.value }
            #expect(try await integer("SELECT count(*) FROM t", on: pool) == 0)
            #expect(try await integer("SELECT pg_backend_pid()", on: pool) == process)
        }
    }

    @Test func whoWaitsTooLongForAConnectionIsTurnedAway() async throws {
        try await TestDatabase.withDatabase { url in
            var configuration = ConnectionPool.Configuration(url: url, limit: 1, connectTimeout: .seconds(300))
            configuration.acquireTimeout = .milliseconds(20)
            let pool = ConnectionPool(configuration, poller: TestDatabase.poller)
            try await pool.withConnection { _ in
                for _ in 1...2 {
                    await #expect(throws: PostgresError.poolExhausted) { try await pool.execute("SELECT 1") }
                }
            }
            #expect(pool.statistics.timeouts == 2)
            #expect(try await integer("SELECT 1", on: pool) == 1)
        }
    }

    @Test func cancellingEndsTheWaitForAConnection() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await pool.withConnection { _ in
                let task = Task { try await pool.execute("SELECT 1") }
                while pool.statistics.waiting == 0 { await Task.yield() }
                task.cancel()
                await #expect(throws: PostgresError.cancelled) { try await task.value }
                #expect(pool.statistics.waiting == 0)
            }
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test func anIdleConnectionTheServerClosedIsReplacedUnseen() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            let killer = TestDatabase.pool(url, limit: 1)
            for _ in 1...10 {
                let process = try await integer("SELECT pg_backend_pid()", on: pool)
                try await killer.execute("SELECT pg_terminate_backend(\(Int32(process)), 10000)")
                #expect(try await integer("SELECT pg_backend_pid()", on: pool) != process)
            }
        }
    }

    @Test func aConnectionKilledUnderAStatementIsThatStatementsError() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            let killer = TestDatabase.pool(url, limit: 1)
            let task = Task { try await pool.execute("SELECT pg_sleep(600), 'slow'") }
            try await eventually(slowStatements, is: 1, on: killer)
            try await killer.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """
            )
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.mayHaveCommitted == true)
            #expect(error?.isTransient == true)
            #expect(error?.sqlState == .adminShutdown)
            #expect(pool.statistics.open == 0)
        }
    }

    @Test func aConnectionLeftInsideATransactionIsNotLentAgain() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await pool.withConnection { connection in _ = try await connection.execute("BEGIN") }
            #expect(pool.statistics.open == 0)
        }
    }

    @Test func aServerThatIsNotThereIsReportedAndNotHammered() async throws {
        let pool = ConnectionPool(.init(url: "postgresql:///x?host=/nowhere"), poller: TestDatabase.poller)
        for _ in 1...50 {
            let error = await #expect(throws: PostgresError.self) { try await pool.execute("SELECT 1") }
            guard case .connection(let reason) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(reason.contains("/nowhere"))
            #expect(error?.mayHaveCommitted == false)
            #expect(error?.isTransient == true)
        }
    }

    @Test func aSilentServerIsGivenUpAtTheDeadline() async throws {
        // A listener that never answers: the kernel takes the connection, and nobody accepts it.
        let (descriptor, port) = try listenOnLoopback()
        defer { closeDescriptor(descriptor) }
        var configuration = ConnectionPool.Configuration(url: "postgresql://x@127.0.0.1:\(port)/x")
        configuration.connectTimeout = .milliseconds(50)
        let pool = ConnectionPool(configuration, poller: TestDatabase.poller)
        await #expect(throws: connectTimedOut) { try await pool.execute("SELECT 1") }
        #expect(pool.statistics.open == 0)
    }

    @Test func cancellingEndsConnecting() async throws {
        let (descriptor, port) = try listenOnLoopback()
        defer { closeDescriptor(descriptor) }
        let pool = ConnectionPool(.init(url: "postgresql://x@127.0.0.1:\(port)/x"), poller: TestDatabase.poller)
        let task = Task { try await pool.execute("SELECT 1") }
        while pool.statistics.open == 0 { await Task.yield() }
        task.cancel()
        await #expect(throws: PostgresError.cancelled) { try await task.value }
        #expect(pool.statistics.open == 0)
    }

    @Test(arguments: ["postgres//x", "host=x secret", "postgresql://u:secret@h/d?nonsense=secret"])
    func aURLThatCannotBeReadIsNotQuoted(url: String) async throws {
        let pool = ConnectionPool(.init(url: url), poller: TestDatabase.poller)
        let error = await #expect(throws: PostgresError.self) { try await pool.execute("SELECT 1") }
        #expect(!String(describing: error).contains("secret"))
        #expect(String(describing: error).contains("database URL"))
        #expect(!String(reflecting: ConnectionPool.Configuration(url: url)).contains("secret"))
    }

    @Test func aClosedPoolRefusesAndClosesWhatComesBack() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 2)
            try await pool.withConnection { connection in
                pool.close()
                _ = try await connection.execute("SELECT 1")
            }
            #expect(pool.statistics.open == 0)
            await #expect(throws: poolIsClosed) { try await pool.execute("SELECT 1") }
        }
    }

    @Test func scriptsRunSeveralStatementsAsOneTransaction() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await pool.withConnection { connection in
                try await connection.executeScript("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2);")
            }
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection { connection in
                    try await connection.executeScript("INSERT INTO t VALUES (3); SELECT 1/0; INSERT INTO t VALUES (4)")
                }
            }
            #expect(error?.sqlState?.rawValue == "22012")
            #expect(try await integer("SELECT count(*) FROM t", on: pool) == 2)
            await #expect(throws: PostgresError.self) {
                try await pool.withConnection { connection in try await connection.executeScript("COPY t TO STDOUT") }
            }
            #expect(try await integer("SELECT count(*) FROM t", on: pool) == 2)
        }
    }

    @Test func noticesDoNotReachStandardErrorOrTheCaller() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            let rows = try await pool.execute("DROP TABLE IF EXISTS nothing_of_this_name")
            #expect(rows == 0)
        }
    }

    @Test func largeStatementsAndLargeResultsCrossWithoutBlockingEachOther() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            let numbers = Array(0..<500_000)
            let back = try await pool.query("SELECT unnest(\(numbers)), repeat('x', 20)") {
                row throws(PostgresError) in try row.decode(0, as: Int.self)
            }
            #expect(back == numbers)
        }
    }
}

let slowStatements: SQL =
    """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND query LIKE '%''slow''%' AND pid <> pg_backend_pid()
    """
