import Postgres
import Store
import TestDatabase
import TestSystem
import Testing

/// What a migration does to a database that others work with.
@Suite struct UpgradeTests {
    /// Whatever wants a table behind one that waits for it alone waits too, so none waits for long.
    @Test(arguments: ["accounts", "messages", "verifications"] as [SQL.Fragment])
    func eventsDoNotWaitForLongBehindWhoReads(_ table: SQL.Fragment) async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 4)
            let store = Store(pool)
            var migrations = try Migration.all(in: TestSystem.migrations)
            let events = try #require(migrations.firstIndex { $0.name == "0003_events.sql" })
            _ = try await store.migrate(Array(migrations[..<events]))
            migrations[events].script.replace("lock_timeout = '5s'", with: "lock_timeout = '50ms'")
            try await pool.transaction { [migrations] transaction in
                _ = try await transaction.execute("LOCK TABLE \(table) IN ACCESS SHARE MODE")
                await #expect { _ = try await store.migrate(Array(migrations[...events])) } throws: { error in
                    guard case MigrationError.failed(_, let cause) = error else { return false }
                    return cause.sqlState == .lockNotAvailable
                }
            }
            #expect(try await store.migrate(Array(migrations[...events])) == ["0003_events.sql"])
            pool.close()
        }
    }

    /// Also one that says nothing of it itself.
    @Test func aMigrationGivesUpWhatOthersReadForLong() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 4)
            let store = Store(pool)
            let migrations = try Migration.all(in: TestSystem.migrations)
            let lanes = try #require(migrations.firstIndex { $0.name == "0008_lanes.sql" })
            _ = try await store.migrate(Array(migrations[..<lanes]))
            try await pool.transaction { transaction in
                _ = try await transaction.execute("LOCK TABLE configuration IN ACCESS SHARE MODE")
                await #expect { _ = try await store.migrate(migrations, lockTimeout: .milliseconds(50)) } throws: {
                    error in
                    guard case MigrationError.failed("0008_lanes.sql", let cause) = error else { return false }
                    return cause.sqlState == .lockNotAvailable
                }
            }
            #expect(try await store.migrate(migrations).first == "0008_lanes.sql")
            pool.close()
        }
    }
}
