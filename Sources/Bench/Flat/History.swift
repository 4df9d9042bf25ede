import Messaging
import Postgres
import Store

/// Days of messages that are over, made by SQL: whole partitions, filled before they have indexes and then attached.
struct History: Sendable {
    let database: BenchDatabase
    /// Of all filled tables together.
    let rows: Int

    /// With those that there are anyway, as many as are kept where nobody says otherwise; workers drop what is older. The newest is the
    /// day before yesterday.
    static let days = 88
    /// Of these the newest are filled. The others are there to be looked into, or not.
    static let filledDays = 7
    static let tables = PartitionedTable.allCases.map(\.rawValue)
    static let filledTables = ["messages", "attempts", "receipts"]

    init(_ database: BenchDatabase, rows: Int) {
        self.database = database
        self.rows = rows
    }

    /// Makes all of it and attaches it.
    func make(told: (String) -> Void) async throws {
        for day in 0..<Self.filledDays {
            let date = try await self.date(day)
            told("history: making \(date)")
            // As many at once as there are tables: they are of one day and have nothing to do with each other.
            try await withThrowingTaskGroup { group in
                for table in Self.filledTables { group.addTask { try await self.make(table, date) } }
                try await group.waitForAll()
            }
        }
        told("history: making days of which nothing is left")
        for day in 0..<Self.days {
            let date = try await self.date(day)
            for table in Self.tables where day >= Self.filledDays || !Self.filledTables.contains(table) {
                try await self.database.runAlone(Self.creation(table, date))
            }
        }
        told("history: making its indexes")
        try await self.attach()
        try await self.database.runAlone("ANALYZE messages")
    }

    /// One table after the other, as each has its indexes made when it is attached for the first time.
    func attach() async throws {
        for day in 0..<Self.days {
            let date = try await self.date(day)
            let (first, end) = try await self.bounds(date)
            for table in Self.tables {
                try await self.database.runAlone(
                    "ALTER TABLE \(table) ATTACH PARTITION \(table)_\(date) FOR VALUES FROM (\(first)) TO (\(end))")
            }
        }
    }

    func detach() async throws {
        for day in 0..<Self.days {
            let date = try await self.date(day)
            for table in Self.tables {
                try await self.database.runAlone("ALTER TABLE \(table) DETACH PARTITION \(table)_\(date)")
            }
        }
    }

    /// Drops one day for good, as workers do.
    func drop(_ day: Int) async throws {
        let date = try await self.date(day)
        let store = Store(self.database.pool)
        let partitions = try await store.partitions()
        for table in Self.tables {
            guard let partition = partitions.first(where: { $0.name == "\(table)_\(date)" }) else {
                throw BenchError("there is no \(table)_\(date) to drop")
            }
            try await store.retire(partition, waitLimit: Self.dropLimit)
        }
    }

    /// As long as a worker gives it.
    private static let dropLimit = Duration.seconds(30)

    // MARK: - Private

    /// Of day 0, which is the day before yesterday, and of those before it; as in `20261118`.
    private func date(_ day: Int) async throws -> String {
        try await self.database.pool.query(
            "SELECT to_char(now() AT TIME ZONE 'UTC' - \(Int32(day) + 2) * interval '1 day', 'YYYYMMDD')"
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }[0]
    }

    /// As literals: of functions PostgreSQL would not see that a check says what a partition's bounds say.
    private func bounds(_ date: String) async throws -> (first: String, end: String) {
        try await self.database.pool.query(
            """
            SELECT quote_literal(first_id_of(day AT TIME ZONE 'UTC')),
                   quote_literal(first_id_of((day + interval '1 day') AT TIME ZONE 'UTC'))
            FROM to_timestamp(\(date), 'YYYYMMDD') AS moment, LATERAL (SELECT moment::date::timestamp AS day) AS days
            """
        ) { row throws(PostgresError) in (try row.decode(0, as: String.self), try row.decode(1, as: String.self)) }[0]
    }

    private func make(_ table: String, _ date: String) async throws {
        let account = try await self.database.account().rawValue
        let provider = try await self.database.provider(.discard).rawValue
        let name = "\(table)_\(date)"
        let key = table == "messages" ? "id" : "message_id"
        let (first, end) = try await self.bounds(date)
        let count = max(1, self.rows / Self.filledTables.count / Self.filledDays)
        try await self.database.runAlone(
            """
            \(Self.creation(table, date));
            INSERT INTO \(name) \(Self.columns(table, account: account, provider: provider)) FROM (
                SELECT n, t,
                    (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') || '7' || substr(r, 1, 3) || 'a'
                        || substr(r, 4, 13) || '00')::uuid AS id
                FROM (
                    SELECT n, md5('\(date)' || n) AS r,
                        ('\(date)'::timestamp AT TIME ZONE 'UTC') + n * (interval '86399 s' / \(count)) AS t
                    FROM generate_series(1, \(count)) AS n
                ) AS moments
            ) AS rows;
            -- So that it needs not be read again whenever it is attached.
            ALTER TABLE \(name) ADD CHECK (\(key) >= \(first) AND \(key) < \(end));
            """)
        try await self.database.runAlone("VACUUM (FREEZE, ANALYZE) \(name)")
    }

    private static func creation(_ table: String, _ date: String) -> String {
        "CREATE TABLE \(table)_\(date) (LIKE \(table) INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    }

    /// Which columns are filled and with what, of a row with the number `n`, the moment `t` and the message's `id`.
    private static func columns(_ table: String, account: Int32, provider: Int32) -> String {
        switch table {
        case "messages":
            """
            (lane, id, account_id, provider_id, priority, channel, state, reason, recipient, accepted_at, expires_at, changed_at)
            SELECT 0, id, \(account), \(provider), 0, 'sms', 'delivered', 'ok', '+41' || 100000000 + n, t,
                   t + interval '10 min', t
            """
        case "attempts":
            """
            (lane, message_id, attempt, series, provider_id, worker_id, outcome, reason, duration, settled_at)
            SELECT 0, id, 1, 1, \(provider), 1, 'accepted', 'accepted', '5 ms', t
            """
        default:
            """
            (lane, message_id, part, status, code, provider_id, state, reason, occurred_at, received_at)
            SELECT 0, id, '0A' || n, 'delivered', '0', \(provider), 'delivered', 'ok', t, t
            """
        }
    }
}
