import Messaging
public import Postgres

extension Store {
    /// Spreads the tables over the cluster, `shards` pieces of each; returns the tables that were not spread before. `now` is told
    /// each before it begins.
    ///
    /// Each table in a transaction of its own, one process at a time, so that what was interrupted is gone on with by
    /// calling it again. A table with rows takes as long as copying them; nobody can write to it meanwhile.
    ///
    /// Throws ``DistributionError`` when there is no cluster.
    public func distribute(shards: Int, now announce: (String) -> Void = { _ in }) async throws -> [String] {
        try await self.requireCluster()
        var tables: [String] = []
        for step in Distribution.steps(done: try await self.distributedTables()) {
            if let table = step.table { announce(table) }
            if try await self.take(step, shards: Int32(shards)), let table = step.table { tables.append(table) }
        }
        return tables
    }

    /// Whether Citus knows a table; false where there is no Citus.
    static func isDistributed(
        _ table: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        let exists = try await transaction.query("SELECT to_regclass('citus_tables') IS NOT NULL") {
            row throws(PostgresError) in try row.decode(0, as: Bool.self)
        }
        guard exists == [true] else { return false }
        return try await transaction.query(
            "SELECT EXISTS (SELECT FROM citus_tables WHERE table_name = \(table)::regclass)"
        ) { row throws(PostgresError) in try row.decode(0, as: Bool.self) } == [true]
    }

    /// How many lanes there are to be when nobody says: `usual` of them, or as many as there are when there are more or their number
    /// cannot change any more.
    public func lanesOnCluster(_ usual: Int) async throws(PostgresError) -> Int {
        let present = try await self.lanes().count
        return try await self.distributedTables().contains(Distribution.leader) ? present : max(usual, present)
    }

    /// Throws ``DistributionError`` when the database is of no cluster with a server that could hold rows.
    public func requireCluster() async throws {
        let extensions = try await self.pool.query("SELECT to_regproc('citus_version') IS NOT NULL") {
            row throws(PostgresError) in try row.decode(0, as: Bool.self)
        }
        guard extensions == [true] else { throw DistributionError.noExtension }
        let servers = try await self.pool.query("SELECT count(*) FROM citus_get_active_worker_nodes()") {
            row throws(PostgresError) in try row.decode(0, as: Int64.self)
        }
        guard servers != [0] else { throw DistributionError.noServers }
    }

    // MARK: - Private

    private func distributedTables() async throws(PostgresError) -> Set<String> {
        Set(
            try await self.pool.query("SELECT table_name::text FROM citus_tables") { row throws(PostgresError) in
                try row.decode(0, as: String.self)
            })
    }

    /// False when another process had been quicker.
    private func take(_ step: Distribution.Step, shards: Int32) async throws -> Bool {
        try await self.pool.transaction { transaction in
            try await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('pinpost migrations'))")
            if let table = step.table, try await Self.isDistributed(table, in: transaction) { return false }
            for statement in Self.statements(of: step, shards: shards) {
                _ = try await transaction.query(statement, timeout: Self.distributionTimeout) { _ in }
            }
            return true
        }
    }

    /// As long as a table may take to be copied to the servers.
    private static let distributionTimeout = Duration.seconds(24 * 3600)

    private static func statements(of step: Distribution.Step, shards: Int32) -> [SQL] {
        switch step {
        case .distributeLeader(let table):
            [
                """
                SELECT create_distributed_table(\(table)::regclass, 'lane', colocate_with => 'none', shard_count => \(shards))
                """
            ]
        case .distribute(let table, let leader):
            ["SELECT create_distributed_table(\(table)::regclass, 'lane', colocate_with => \(leader))"]
        case .copy(let table):
            Self.ownNumbers + ["SELECT create_reference_table(\(table)::regclass)"]
        case .shareFunction(let signature):
            ["SELECT create_distributed_function(\(signature)::regprocedure)"]
        }
    }

    /// Has `workers` take its numbers from a sequence.
    private static let ownNumbers: [SQL] = [
        "ALTER TABLE workers ALTER COLUMN id DROP IDENTITY IF EXISTS",
        "CREATE SEQUENCE IF NOT EXISTS workers_ids AS integer",
        "SELECT setval('workers_ids', (SELECT coalesce(max(id), 0) + 1 FROM workers), false)",
        "ALTER TABLE workers ALTER COLUMN id SET DEFAULT nextval('workers_ids')",
    ]
}
