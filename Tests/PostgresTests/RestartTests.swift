import Glibc
import Polling
import PostgresServer
import TestDatabase
import Testing

@testable import Postgres

/// Runs `body` with a server that is nobody else's, in a directory that is removed afterwards.
func withOwnServer(
    settings: [String: String] = [:], _ body: (PostgresServer, _ directory: String) async throws -> Void
) async throws {
    let directory = "/tmp/pinpost-own-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let server = PostgresServer(
        directory: directory, settings: ["shared_buffers": "16MB"].merging(settings) { _, chosen in chosen }
    )
    let result = await Result { () async throws in try await body(server, directory) }
    try await server.stop(.immediate)
    _ = try await ChildProcess.start("/bin/rm", ["-rf", directory]).waitForExit()
    try result.get()
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

@Suite struct RestartTests {
    @Test func aPoolRecoversFromImmediateStopsAndLosesNothingItWasToldIsCommitted() async throws {
        try await withOwnServer { server, _ in
            try await server.start()
            let pool = TestDatabase.pool(server.url, limit: 4)
            try await pool.execute("CREATE TABLE t (n int8 PRIMARY KEY)")
            let acknowledged = try await withThrowingTaskGroup(of: [Int].self) { group in
                for writer in 0..<6 { group.addTask { try await self.write(writer, to: pool) } }
                for round in 1...3 {
                    try await eventually("SELECT (count(*) > \(round * 50))::int FROM t", is: 1, on: pool)
                    try await server.stop(.immediate)
                    try await server.start()
                }
                try await eventually("SELECT (count(*) > 300)::int FROM t", is: 1, on: pool)
                try await pool.execute("CREATE TABLE stop ()")
                return try await group.reduce(into: [], +=)
            }
            let stored = try await pool.query("SELECT n FROM t") { row throws(PostgresError) in
                try row.decode(0, as: Int.self)
            }
            #expect(Set(acknowledged).subtracting(stored) == [])
            #expect(pool.statistics.open <= 4)
        }
    }

    /// Writes numbers of its own until it is told to stop. Returns those whose write was acknowledged.
    private func write(_ writer: Int, to pool: ConnectionPool) async throws -> [Int] {
        var acknowledged: [Int] = []
        var number = writer
        while true {
            do {
                let rows = try await pool.execute(
                    "INSERT INTO t SELECT \(number) WHERE to_regclass('stop') IS NULL"
                )
                if rows == 0 { return acknowledged }
                acknowledged.append(number)
            } catch {
                guard error.isTransient else { throw error }
                // Refused at once while the server is away.
                await Task.yield()
            }
            number += 10
        }
    }
}
