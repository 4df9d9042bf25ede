import Postgres

/// Counts the statements that others send to the database, by PostgreSQL's extension `pg_stat_statements`: every statement, those
/// that begin and end transactions included.
///
/// It is switched on for the processes that are started while it counts, and off for all else, as it costs a little.
struct StatementCount {
    /// What a server needs to be started with.
    static let settings = [
        "shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "none", "compute_query_id": "off",
    ]

    private let database: BenchDatabase

    /// Nil where the server has no such extension, or does not let us.
    init?(_ database: BenchDatabase) async throws {
        self.database = database
        do {
            try await self.run(
                """
                CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
                SELECT pg_stat_statements_reset();
                DO $$ BEGIN
                    EXECUTE format('ALTER DATABASE %I SET pg_stat_statements.track = top', current_database());
                    EXECUTE format('ALTER DATABASE %I SET compute_query_id = on', current_database());
                END $$
                """)
        } catch PostgresError.server {
            return nil
        }
    }

    /// Statements a second.
    struct Rate: Sendable {
        var perSecond: Double
        /// Those that came most often, by their beginnings, and how often a second each.
        var most: [(statement: String, perSecond: Double)]
    }

    /// What comes over so many seconds, beside our own.
    func rate(over seconds: Double) async throws -> Rate {
        try await self.run("SELECT pg_stat_statements_reset()")
        let start = MonotonicTime.now
        try await Task.sleep(for: .seconds(seconds))
        let counts = try await self.counts()
        let elapsed = MonotonicTime.now - start
        return Rate(
            perSecond: counts.reduce(0) { $0 + $1.calls } / elapsed,
            most: counts.prefix(Self.most).map { ($0.statement, $0.calls / elapsed) })
    }

    /// Processes that are started from now on are not counted.
    func end() async throws {
        try await self.run(
            """
            DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I RESET pg_stat_statements.track', current_database());
                EXECUTE format('ALTER DATABASE %I RESET compute_query_id', current_database());
            END $$
            """)
    }

    // MARK: - Private

    /// Statements that are named, and how much of each.
    private static let most = 4
    private static let length: Int32 = 60

    private func counts() async throws -> [(statement: String, calls: Double)] {
        try await self.database.pool.query(
            """
            SELECT left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), \(Self.length)), calls::float8
            FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
            WHERE d.datname = current_database() AND query NOT LIKE '%pg_stat_statements%'
            ORDER BY calls DESC
            """
        ) { row throws(PostgresError) in (try row.decode(0, as: String.self), try row.decode(1, as: Double.self)) }
    }

    private func run(_ script: String) async throws {
        try await self.database.pool.withConnection { connection in
            try await connection.executeScript(script, timeout: .seconds(30))
        }
    }
}
