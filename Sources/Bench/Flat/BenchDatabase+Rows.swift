import Messaging
import Postgres
import Timestamps

/// Rows that are made by SQL: more of them than the product would take in.
extension BenchDatabase {
    /// Rows in one statement.
    private static let batch: Int32 = 500_000
    /// For one statement of so many rows.
    private static let patience = Duration.seconds(600)

    /// An id as ``MessageID`` has them, in lane 0, of the milliseconds `ms` and the hexadecimal digits `r`.
    private static let id: SQL.Fragment =
        "(lpad(to_hex(ms), 12, '0') || '7' || substr(r, 1, 3) || 'a' || substr(r, 4, 13) || '00')::uuid"

    func provider(_ route: Deployment.Route) async throws -> ProviderID {
        try await self.pool.query("SELECT id FROM providers WHERE name = \("\(route)")") { row throws(PostgresError) in
            ProviderID(rawValue: try row.decode(0))
        }[0]
    }

    /// Empties the ready queue and fills it with new messages of the load's account.
    func fillOutbox(_ count: Int32) async throws {
        let account = try await self.account()
        let provider = try await self.provider(.discard)
        try await self.pool.execute("TRUNCATE outbox")
        try await self.pool.execute(
            """
            WITH new AS MATERIALIZED (
                SELECT n, \(Self.id) AS id FROM (
                    SELECT n, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms, md5(n::text || random()::text) AS r
                    FROM generate_series(1, \(count)) AS n
                ) AS s
            ), stored AS (
                INSERT INTO messages (lane, id, account_id, provider_id, priority, channel, recipient, expires_at, body)
                SELECT 0, id, \(account.rawValue), \(provider.rawValue), 0, 'sms', '+41' || 100000000 + n,
                       now() + interval '1 hour', decode(repeat('5a', 50), 'hex')
                FROM new
            )
            INSERT INTO outbox (lane, id, account_id, provider_id, priority)
            SELECT 0, id, \(account.rawValue), \(provider.rawValue), 0 FROM new
            """, timeout: Self.patience)
        try await self.pool.execute("ANALYZE outbox")
    }

    /// Adds messages that are due in a day and later, and has what is known of the tables brought up to date.
    func makeFuture(_ count: Int, told: (Int) -> Void) async throws {
        var made = 0
        while made < count {
            let batch = min(Self.batch, Int32(count - made))
            try await self.makeFuture(batch, from: Int32(made))
            made += Int(batch)
            told(made)
        }
        try await self.runAlone("VACUUM (ANALYZE) scheduled")
        try await self.runAlone("VACUUM (ANALYZE) messages")
    }

    /// The ids of the newest messages.
    func newest(_ count: Int32) async throws -> [MessageID] {
        try await self.pool.query("SELECT id FROM messages WHERE lane = 0 ORDER BY id DESC LIMIT \(count)") {
            row throws(PostgresError) in try row.decode(0, as: MessageID.self)
        }
    }

    /// One statement that may be in no transaction, and takes as long as it takes.
    func runAlone(_ statement: String) async throws {
        try await self.pool.withConnection { connection in try await connection.executeScript(statement) }
    }

    // MARK: - Private

    private func makeFuture(_ count: Int32, from first: Int32) async throws {
        let account = try await self.account()
        let provider = try await self.provider(.discard)
        try await self.pool.execute(
            """
            WITH new AS MATERIALIZED (
                SELECT n, \(Self.id) AS id, now() + interval '1 day' + n * interval '1 ms' AS due FROM (
                    SELECT n, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms, md5(n::text || random()::text) AS r
                    FROM generate_series(\(first) + 1, \(first) + \(count)) AS n
                ) AS s
            ), stored AS (
                INSERT INTO messages (lane, id, account_id, provider_id, priority, channel, recipient, send_at, expires_at,
                                      body)
                SELECT 0, id, \(account.rawValue), \(provider.rawValue), 0, 'sms', '+41' || 100000000 + n, due,
                       due + interval '1 hour', decode(repeat('5a', 50), 'hex')
                FROM new
            )
            INSERT INTO scheduled (lane, id, account_id, provider_id, priority, due_at)
            SELECT 0, id, \(account.rawValue), \(provider.rawValue), 0, due FROM new
            """, timeout: Self.patience)
    }
}
