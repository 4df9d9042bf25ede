import Glibc
import Polling
import TestDatabase
import Testing

@testable import Postgres

/// All of it through PgBouncer in transaction mode, with fewer servers than clients, so that statements of one connection
/// meet different servers.
@Suite struct PgBouncerTests {
    /// Runs `body` with a URL that leads through a PgBouncer, and one that leads straight to the same database.
    private func withPgBouncer(_ body: (_ url: String, _ direct: String) async throws -> Void) async throws {
        try await TestDatabase.withDatabase { direct in
            let directory = "/tmp/pinpost-bouncer-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            mkdir(directory, 0o700)
            let configuration = try self.configuration(for: direct, directory: directory)
            // PgBouncer too refuses to run as root.
            let script = """
                cat > \(directory)/pgbouncer.ini
                if [ $(id -u) = 0 ]; then
                    chown -R postgres \(directory)
                    exec setpriv --reuid=postgres --regid=postgres --init-groups --pdeathsig=KILL -- \
                        /usr/sbin/pgbouncer \(directory)/pgbouncer.ini
                fi
                exec /usr/sbin/pgbouncer \(directory)/pgbouncer.ini
                """
            let bouncer = try await ChildProcess.start(
                "/bin/sh", ["-c", script], input: Array(configuration.utf8), output: .captured(byteLimit: 65536),
                errorOutput: .captured(byteLimit: 65536)
            )
            let isUp = await bouncer.waitForLine(until: .now + .seconds(30)) { $0.contains("process up") }
            #expect(isUp != nil, "\(String(decoding: bouncer.errorOutput, as: UTF8.self))")
            let result: Result<Void, any Error>
            do {
                result = .success(try await body("postgresql://pinpost@/test?host=\(directory)&port=6432", direct))
            } catch { result = .failure(error) }
            bouncer.kill(SIGKILL)
            _ = await bouncer.waitForExit()
            _ = try await ChildProcess.start("/bin/rm", ["-rf", directory]).waitForExit()
            try result.get()
        }
    }

    private func configuration(for url: String, directory: String) throws -> String {
        let parameters = try ConnectionParameters(url: url, applicationName: "")
        let target = parameters.values.filter { ["host", "port", "dbname", "user"].contains($0.keyword) }
            .map { "\($0.keyword)=\($0.value)" }.joined(separator: " ")
        return """
            [databases]
            test = \(target)
            [pgbouncer]
            listen_addr =
            listen_port = 6432
            unix_socket_dir = \(directory)
            auth_type = any
            pool_mode = transaction
            default_pool_size = 3
            max_client_conn = 100
            """
    }

    @Test func everyTypeComesBackAsItWasSent() async throws {
        try await self.withPgBouncer { url, _ in
            let pool = TestDatabase.pool(url, limit: 8)
            let wrong = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<8 {
                    group.addTask { try await pool.withConnection { try await roundTripAll(on: $0) } }
                }
                return try await group.reduce(into: [], +=)
            }
            #expect(wrong == [])
        }
    }

    @Test func manyClientsShareFewServersAndEachTransactionStaysOnOne() async throws {
        try await self.withPgBouncer { url, direct in
            let pool = TestDatabase.pool(url, limit: 20)
            try await pool.execute("CREATE TABLE t (n int8)")
            try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        try await pool.transaction { transaction in
                            let first = try await backend(transaction)
                            try await transaction.execute("INSERT INTO t VALUES (\(number))")
                            #expect(try await backend(transaction) == first)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let sum = try await integer("SELECT sum(n)::int8 FROM t", on: TestDatabase.pool(direct))
            #expect(sum == 199 * 200 / 2)
        }
    }

    @Test func aStatementPastItsDeadlineIsStoppedOnTheServer() async throws {
        try await self.withPgBouncer { url, direct in
            let pool = TestDatabase.pool(url, limit: 4)
            await #expect(throws: PostgresError.timedOut) {
                try await pool.execute("SELECT pg_sleep(600), 'slow'", timeout: .milliseconds(300))
            }
            try await eventually(slowStatements, is: 0, on: TestDatabase.pool(direct))
            let one = try await integer("SELECT 1", on: pool)
            #expect(one == 1)
        }
    }

    @Test func aRefusedStatementLeavesTheConnectionUsable() async throws {
        try await self.withPgBouncer { url, _ in
            let pool = TestDatabase.pool(url, limit: 1)
            let error = await #expect(throws: PostgresError.self) { try await pool.execute("SELECT 1/0") }
            #expect(error?.sqlState?.rawValue == "22012")
            #expect(error?.mayHaveCommitted == false)
            let one = try await integer("SELECT 1", on: pool)
            #expect(one == 1)
            #expect(pool.statistics.acquisitions == 2 && pool.statistics.idle == 1)
        }
    }
}

private func backend(_ transaction: borrowing Transaction) async throws -> [Int] {
    try await transaction.query("SELECT pg_backend_pid()") { row throws(PostgresError) in
        try row.decode(0, as: Int.self)
    }
}
