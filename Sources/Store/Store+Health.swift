public import Postgres

/// Who keeps PostgreSQL from clearing up dead rows: nothing that died after it began can go, in any table.
public struct SnapshotHolder: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case session, prepared, slot
    }

    public var kind: Kind
    /// Of a session, or of what reads a slot.
    public var process: Int32?
    /// The application's name; that of the prepared transaction, or of the replication slot.
    public var name: String
    /// The role.
    public var user: String
    /// As `pg_stat_activity` has it: `active`, `idle in transaction`.
    public var state: String
    /// How long its transaction has been open; nil of a slot.
    public var age: Duration?
    /// How many transactions have begun since.
    public var transactions: Int

    public init(
        kind: Kind, process: Int32?, name: String, user: String, state: String, age: Duration?, transactions: Int
    ) {
        self.kind = kind
        self.process = process
        self.name = name
        self.user = user
        self.state = state
        self.age = age
        self.transactions = transactions
    }
}

/// What is open, and whether all of it was seen.
public struct SnapshotHolders: Sendable, Hashable {
    /// The oldest first.
    public var holders: [SnapshotHolder]
    /// False: this role is shown nothing of other roles' sessions but that they are there.
    public var seesAll: Bool

    public init(holders: [SnapshotHolder], seesAll: Bool) {
        self.holders = holders
        self.seesAll = seesAll
    }
}

extension Store {
    /// The oldest of what holds back the clearing up of this database's dead rows, at most `limit` of it. Never what it was asked: a
    /// statement may hold secrets.
    public func snapshotHolders(limit: Int32) async throws(PostgresError) -> SnapshotHolders {
        let rows = try await self.pool.query(
            """
            WITH holders AS (
                SELECT 'session' AS kind, pid, application_name AS name, usename::text AS role, state,
                       -- One that began since this statement's own transaction has no age yet.
                       greatest(now() - xact_start, '0') AS age, greatest(age(backend_xmin), age(backend_xid)) AS transactions
                FROM pg_stat_activity
                -- Replicas that report what they read do so without a database. Vacuum holds up none but itself.
                WHERE (datname = current_database() OR backend_type = 'walsender') AND pid <> pg_backend_pid()
                  AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
                  AND backend_type NOT IN ('autovacuum worker', 'autovacuum launcher')
                UNION ALL
                SELECT 'prepared', NULL, gid, owner::text, 'prepared', now() - prepared, age(transaction)
                FROM pg_prepared_xacts WHERE database = current_database()
                UNION ALL
                SELECT 'slot', active_pid, slot_name::text, '', CASE WHEN active THEN 'active' ELSE 'inactive' END, NULL,
                       age(xmin)
                FROM pg_replication_slots WHERE xmin IS NOT NULL
            )
            SELECT kind, pid, coalesce(name, ''), coalesce(role, ''), coalesce(state, ''), age, transactions, s.sees_all
            FROM (SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all) s LEFT JOIN LATERAL (
                SELECT * FROM holders ORDER BY transactions DESC, age DESC NULLS LAST LIMIT \(limit)
            ) h ON true
            """
        ) { row throws(PostgresError) in (try SnapshotHolder(row: row), try row.decode(7, as: Bool.self)) }
        return SnapshotHolders(holders: rows.compactMap(\.0), seesAll: rows.allSatisfy(\.1))
    }

    /// Rows that wait to be cleared up, by table, as PostgreSQL estimates them; those of all days count as their table's.
    public func deadRows() async throws(PostgresError) -> [String: Int] {
        let rows = try await self.pool.query(
            """
            SELECT coalesce(p.relname, s.relname)::text, sum(s.n_dead_tup)::bigint
            FROM pg_stat_user_tables s
            LEFT JOIN pg_inherits i ON i.inhrelid = s.relid LEFT JOIN pg_class p ON p.oid = i.inhparent
            WHERE coalesce(p.relname, s.relname) = ANY(\(Self.updatedTables)) AND s.schemaname = current_schema()
            GROUP BY 1
            """
        ) { row throws(PostgresError) in
            (try row.decode(0, as: String.self), Int(try row.decode(1, as: Int64.self)))
        }
        return Dictionary(rows) { $0 + $1 }
    }

    /// Where rows are updated and deleted all the time.
    private static let updatedTables = [
        "outbox", "scheduled", "standby", "event_outbox", "tallies", "idempotency_keys", "recipient_limits",
        "scoped_codes", "guard_counts", "messages", "verifications",
    ]
}

extension SnapshotHolder {
    /// Nil for the row that stands for none.
    fileprivate init?(row: borrowing Row) throws(PostgresError) {
        guard try row.decodeIfPresent(0, as: String.self) != nil else { return nil }
        self.init(
            kind: try row.decode(0, oneOf: Kind.self), process: try row.decodeIfPresent(1), name: try row.decode(2),
            user: try row.decode(3), state: try row.decode(4), age: try row.decodeIfPresent(5),
            transactions: Int(try row.decode(6, as: Int32.self)))
    }
}
