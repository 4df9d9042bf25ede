import Glibc
import Messaging
import Postgres
import PostgresServer
import Store
import TestDatabase
import Testing

@testable import Bench

struct FloorTests {
    @Test func theLifecycleLeavesMessagesDeliveredWithTheirHistory() async throws {
        try await Self.withTables { url in
            let rate = try await Floor(url: url, seconds: 0.5).lifecycles(connections: 2)
            #expect(rate > 0)
            let pool = TestDatabase.pool(url)
            let delivered = try await Self.count(pool, "SELECT count(*) FROM messages WHERE state = 'delivered'")
            #expect(delivered >= Int64(rate * 0.5))
            #expect(delivered == (try await Self.count(pool, "SELECT count(*) FROM attempts")))
            #expect(delivered == (try await Self.count(pool, "SELECT count(*) FROM receipts")))
            // A claim skips what the other has locked, so a few may be left.
            let left = try await Self.count(pool, "SELECT count(*) FROM outbox WHERE worker_id IS NULL")
            #expect(delivered + left == (try await Self.count(pool, "SELECT count(*) FROM messages")))
            #expect(left <= 200)
        }
    }

    @Test func insertsAndCommitsStoreWhatTheyCount() async throws {
        try await Self.withTables { url in
            let pool = TestDatabase.pool(url)
            let commits = try await Floor(url: url, seconds: 0.3).commits(connections: 8)
            let single = try await Self.count(pool, "SELECT count(*) FROM messages")
            #expect(commits > 0)
            #expect(single >= Int64(commits * 0.3))
            let inserts = try await Floor(url: url, seconds: 0.3).inserts(connections: 2)
            let all = try await Self.count(pool, "SELECT count(*) FROM messages")
            #expect(inserts > 0)
            #expect(all - single == (try await Self.count(pool, "SELECT count(*) FROM outbox")))
        }
    }

    @Test func updatesAreTimedOneByOne() async throws {
        try await Self.withTables { url in
            let pool = TestDatabase.pool(url)
            let ids = try await pool.query(
                """
                INSERT INTO verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit,
                                           allows_reuse, channel, recipient, mac, message_id, expires_at)
                SELECT 0, first_id_of(now() + n * interval '1 ms'), 1, 1, 1, 1, 10, true, 'sms', n::text,
                       sha256(n::text::bytea), first_id_of(now()), now()
                FROM generate_series(1, 10) n RETURNING id
                """
            ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }
            let floor = try await Floor(url: url, seconds: 0.5).updates(of: ids, connections: 2)
            #expect(floor.perSecond > 0)
            #expect(try #require(floor.times)[99] > 0)
            let updated = try await Self.count(pool, "SELECT sum(attempts) FROM verifications")
            #expect(updated >= Int64(floor.perSecond * 0.5))
        }
    }

    @Test func verificationsAreInsertedAndUpdated() async throws {
        try await Self.withTables { url in
            let pool = TestDatabase.pool(url)
            let rate = try await Floor(url: url, seconds: 0.3).verifications(connections: 4)
            #expect(rate > 0)
            let stored = try await Self.count(pool, "SELECT count(*) FROM verifications WHERE attempts = 1")
            #expect(stored >= Int64(rate * 0.3))
        }
    }

    @Test func aDatabaseThatIsNotThereIsAnError() async throws {
        let url = try await TestDatabase.server.url(database: "nowhere")
        await #expect(throws: BenchError.self) { _ = try await Floor(url: url, seconds: 1).commits(connections: 3) }
    }

    private static func count(_ pool: ConnectionPool, _ statement: SQL) async throws -> Int64 {
        try await pool.query(statement) { row throws(PostgresError) in try row.decode(0, as: Int64.self) }[0]
    }

    private static func withTables(_ body: (_ url: String) async throws -> Void) async throws {
        let migrations = "\(#filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined())/migrations"
        try await TestDatabase.withDatabase { url in
            _ = try await Store(TestDatabase.pool(url)).migrate(try Migration.all(in: migrations))
            try await body(url)
        }
    }
}
