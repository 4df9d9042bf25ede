import Messaging
import Polling
import Postgres
import PostgresServer
import Store
import TestDatabase
import Testing

@testable import Bench

struct HistoryTests {
    @Test func aHistoryIsAttachedAndDetachedAndStaysWhenTheTablesAreEmptied() async throws {
        try await Self.withTables { database in
            let history = History(database, rows: 210)
            try await history.make { _ in }
            #expect(try await Self.counts(database) == [70, 70, 70])
            // Whole partitions with indexes, in which an id is looked up like any other.
            let invalid = try await Self.count(
                database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid")
            #expect(invalid == 0)
            try await database.fillOutbox(30)
            #expect(try await Self.counts(database) == [100, 70, 70])
            try await database.reset()
            #expect(try await Self.counts(database) == [70, 70, 70])
            try await history.detach()
            #expect(try await Self.counts(database) == [0, 0, 0])
            try await history.attach()
            try await history.drop(History.filledDays - 1)
            #expect(try await Self.counts(database) == [60, 60, 60])
            #expect(try await database.delivered() == 0)
            #expect(try await database.acceptances().isEmpty)
        }
    }

    @Test func messagesThatAreNotDueAreScheduledAndThoseThatAreReadyCanBeClaimed() async throws {
        try await Self.withTables { database in
            try await database.makeFuture(1000) { #expect($0 == 1000) }
            try await database.fillOutbox(50)
            #expect(try await Self.count(database, "SELECT count(*) FROM scheduled WHERE due_at > now()") == 1000)
            let store = Store(database.pool)
            let worker = try await store.registerWorker(name: "w", lease: .seconds(60))
            let request = ClaimRequest(provider: try await database.provider(.discard), limit: 20, after: [:])
            let claims = try await store.claim(lane: Lane(rawValue: 0), worker: worker, requests: [request])
            #expect(claims.count == 20)
            #expect(claims.allSatisfy { $0.id.lane == Lane(rawValue: 0) && $0.body != nil })
            #expect(try await store.promote(lane: Lane(rawValue: 0), limit: 100).moved == 0)
            #expect(try await database.newest(7).count == 7)
        }
    }

    @Test func statementsAreNotCountedWhereTheServerCannot() async throws {
        try await Self.withTables { database in
            let counter = try await StatementCount(database)
            #expect(counter == nil)
        }
    }

    // MARK: - Private

    private static func counts(_ database: BenchDatabase) async throws -> [Int64] {
        [
            try await self.count(database, "SELECT count(*) FROM messages"),
            try await self.count(database, "SELECT count(*) FROM attempts"),
            try await self.count(database, "SELECT count(*) FROM receipts"),
        ]
    }

    private static func count(_ database: BenchDatabase, _ statement: SQL) async throws -> Int64 {
        try await database.pool.query(statement) { row throws(PostgresError) in try row.decode(0, as: Int64.self) }[0]
    }

    /// With the tables, the account and the provider of the load.
    private static func withTables(_ body: (BenchDatabase) async throws -> Void) async throws {
        let migrations = "\(#filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined())/migrations"
        let server = try await TestDatabase.server.url
        let database = try await BenchDatabase.make(serverURL: server, parent: "/tmp", poller: TestDatabase.poller)
        do {
            _ = try await Store(database.pool).migrate(try Migration.all(in: migrations))
            try await database.pool.execute("INSERT INTO accounts (name) VALUES ('bench')")
            try await database.pool.execute(
                """
                INSERT INTO providers (name, kind, url, credentials, in_flight_limit, rate_limit, timeout)
                VALUES ('discard', 'discard', '', '', 1, 1, '1 s')
                """)
            try await body(database)
        } catch {
            try await database.remove()
            throw error
        }
        try await database.remove()
    }
}
