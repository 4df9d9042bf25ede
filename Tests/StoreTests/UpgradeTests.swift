import Postgres
import Store
import TestDatabase
import TestSystem
import Testing

/// What a migration does to a database that others work with.
@Suite struct UpgradeTests {
    /// Whatever wants a table behind one that waits for it alone waits too, so none waits for long: neither one that says so itself nor
    /// one that says nothing of it.
    @Test(
        arguments: [
            ("0003_events.sql", "accounts"), ("0003_events.sql", "messages"), ("0003_events.sql", "verifications"),
            ("0008_lanes.sql", "configuration"),
        ] as [(String, SQL.Fragment)])
    func aMigrationGivesUpWhatOthersReadForLong(_ name: String, _ table: SQL.Fragment) async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 4)
            let store = Store(pool)
            var migrations = try Migration.all(in: TestSystem.migrations)
            let place = try #require(migrations.firstIndex { $0.name == name })
            _ = try await store.migrate(Array(migrations[..<place]))
            migrations[place].script.replace("lock_timeout = '5s'", with: "lock_timeout = '50ms'")
            let upgrade = Array(migrations[...place])
            try await pool.transaction { transaction in
                _ = try await transaction.execute("LOCK TABLE \(table) IN ACCESS SHARE MODE")
                await #expect {
                    _ = try await store.migrate(upgrade, lockTimeout: .milliseconds(50))
                } throws: { error in
                    guard case MigrationError.failed(name, let cause) = error else { return false }
                    return cause.sqlState == .lockNotAvailable
                }
            }
            #expect(try await store.migrate(upgrade) == [name])
            pool.close()
        }
    }
}
