import Polling
import Postgres
import Store
import TestDatabase
import Testing

/// `pinpost migrate` as an operator runs it.
@Suite struct MigrateTests {
    private func migrate(_ url: String) async throws -> String {
        let result = try await Executable.run(["migrate"], environment: ["DATABASE_URL": url])
        #expect(result.status == .exited(0), "\(result.errorOutput)")
        return result.output
    }

    @Test func makesThePartitionsThatAnIdleInstallationLacks() async throws {
        try await TestDatabase.withDatabase { url in
            let first = try await self.migrate(url)
            #expect(first.contains("Applied 0001_spine.sql") && !first.contains("partitions"))
            #expect(try await self.migrate(url) == "The database is up to date.\n")
            try await self.dropPartitions(url)
            // Of four tables, for yesterday, today and seven days.
            #expect(try await self.migrate(url) == "Made 36 partitions for the coming days.\n")
            #expect(try await self.migrate(url) == "The database is up to date.\n")
        }
    }

    @Test func raisesTheLanesAndChangesNothingWithoutACluster() async throws {
        try await TestDatabase.withDatabase { url in
            _ = try await self.migrate(url)
            let refused = try await Executable.run(["migrate", "--citus"], environment: ["DATABASE_URL": url])
            #expect(refused.status != .exited(0))
            #expect(refused.errorOutput.contains("the database has no extension citus"))
            let environment = ["DATABASE_URL": url]
            let raised = try await Executable.run(["migrate", "--lanes", "4"], environment: environment)
            #expect(raised.output == "There are 4 lanes now. Start every process again.\n", "\(raised.errorOutput)")
            let lowered = try await Executable.run(["migrate", "--lanes", "2"], environment: environment)
            #expect(lowered.status != .exited(0))
            #expect(lowered.errorOutput.contains("there are 4 lanes already"))
            #expect(try await self.migrate(url) == "The database is up to date.\n")
        }
    }

    /// As if they had all been for days that are long past.
    private func dropPartitions(_ url: String) async throws {
        let pool = TestDatabase.pool(url, limit: 1)
        try await pool.withConnection { connection in
            try await connection.executeScript(
                """
                DO $$ DECLARE partition regclass; BEGIN
                    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits
                        WHERE inhparent IN ('messages'::regclass, 'attempts'::regclass, 'parts'::regclass, 'receipts'::regclass)
                            AND (SELECT relkind FROM pg_class WHERE oid = inhrelid) = 'r'
                    LOOP EXECUTE format('DROP TABLE %s', partition); END LOOP;
                END $$
                """)
        }
        pool.close()
    }
}
