public import Guard
public import Messaging
public import Postgres
public import Timestamps

/// What a process tells of one window; see ``GuardState/Share``.
public struct GuardCountRow: Sendable {
    public var share: GuardState.Share
    /// A keyed hash of what the share's key is about; 16 bytes.
    public var key: [UInt8]

    public init(share: GuardState.Share, key: [UInt8]) {
        self.share = share
        self.key = key
    }
}

/// A block as it is stored.
public struct StoredGuardBlock: Sendable, Hashable {
    public var id: Int64
    public var block: GuardBlock
    public var reason: String
    public var level: Int16
    public var isGuards: Bool
    public var madeAt: Timestamp
    public var liftedAt: Timestamp?
    public var liftedUntil: Timestamp?
}

/// How many messages were refused for one reason to one country in one hour.
public struct GuardRefusalCount: Sendable, Hashable {
    public var account: AccountID
    public var reason: GuardReason
    public var country: String
    public var refused: Int64
    /// Would have been, were the account not only watched.
    public var watched: Int64

    public init(account: AccountID, reason: GuardReason, country: String, refused: Int64, watched: Int64) {
        self.account = account
        self.reason = reason
        self.country = country
        self.refused = refused
        self.watched = watched
    }
}

extension Store {
    /// Counts are kept for the longest window and the one before it.
    public static let guardCountRetention = Duration.seconds(2 * 86_400)
    /// Those of an hour and of ten minutes.
    public static let guardShortRetention = Duration.seconds(3 * 3600)
    public static let guardRefusalRetention = Duration.seconds(90 * 86_400)

    /// Adds what one process counted to what all have, and returns what all have now, in the same order.
    ///
    /// A row for each window, always in the order of the key, so that two processes wait for each other and never in a circle.
    public func exchangeGuardCounts(_ rows: [GuardCountRow]) async throws(PostgresError) -> [GuardState.Total] {
        guard !rows.isEmpty else { return [] }
        let statement: SQL = """
            WITH told AS MATERIALIZED (
                SELECT * FROM unnest(
                    \(rows.map(\.share.key.account.rawValue)), \(rows.map(\.kindColumn)), \(rows.map { Bytes($0.key) }),
                    \(rows.map(\.share.since)), \(rows.map(\.share.length)), \(rows.map(\.share.count.sent)),
                    \(rows.map(\.share.count.used))
                ) WITH ORDINALITY AS t (account_id, kind, key, since, length, sent, used, n)
            ), put AS (
                INSERT INTO guard_counts AS c (account_id, kind, key, since, sent, used)
                SELECT account_id, kind, key, since, sent, used FROM told ORDER BY account_id, kind, key, since
                ON CONFLICT (account_id, kind, key, since) DO UPDATE SET
                    sent = c.sent + excluded.sent, used = c.used + excluded.used
                RETURNING account_id, kind, key, since, sent, used
            )
            SELECT p.sent, p.used, coalesce(b.sent, 0), coalesce(b.used, 0)
            FROM told t JOIN put p USING (account_id, kind, key, since)
            LEFT JOIN LATERAL (
                SELECT sent, used FROM guard_counts
                WHERE account_id = t.account_id AND kind = t.kind AND key = t.key AND since = t.since - t.length LIMIT 1
            ) b ON true
            ORDER BY t.n
            """
        return try await self.pool.query(statement) { row throws(PostgresError) in
            GuardState.Total(
                current: GuardCount(sent: try row.decode(0), used: try row.decode(1)),
                previous: GuardCount(sent: try row.decode(2), used: try row.decode(3)))
        }
    }

    /// Drops counts and refusals that are of no use any more, `limit` at once.
    public func dropGuardCounts(limit: Int32) async throws(PostgresError) {
        try await self.dropAll(
            """
            DELETE FROM guard_counts WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM guard_counts
                WHERE since < now() - \(Self.guardShortRetention)
                  AND (kind % 2 = 0 OR since < now() - \(Self.guardCountRetention))
                LIMIT \(limit) FOR UPDATE SKIP LOCKED))
            """, limit: limit)
        try await self.dropAll(
            """
            DELETE FROM guard_refusals WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM guard_refusals WHERE hour < now() - \(Self.guardRefusalRetention) LIMIT \(limit)
                FOR UPDATE SKIP LOCKED))
            """, limit: limit)
    }

    /// An attack leaves more than one statement drops.
    private func dropAll(_ statement: SQL, limit: Int32) async throws(PostgresError) {
        while try await self.pool.execute(statement) >= Int(limit) {}
    }

    /// The database's time, and the number that every change of blocks raises.
    public func guardRevision() async throws(PostgresError) -> (now: Timestamp, revision: Int64) {
        try await self.pool.query("SELECT now(), revision FROM guard_revision") { row throws(PostgresError) in
            (try row.decode(0), try row.decode(1))
        }[0]
    }

    // MARK: - Blocks

    /// The blocks in force, and those that are lifted for a time still running, in ``GuardBlock/until``.
    public func guardBlocks() async throws(PostgresError) -> GuardBlocks {
        let rows = try await self.pool.query(
            """
            SELECT account_id, scope, value, until, made_by = 'guard', false FROM guard_blocks
            WHERE lifted_at IS NULL AND (until IS NULL OR until > now())
            UNION ALL
            SELECT account_id, scope, value, lifted_until, made_by = 'guard', true FROM guard_blocks WHERE lifted_until > now()
            """
        ) { row throws(PostgresError) in
            (
                block: GuardBlock(
                    account: try row.decodeIfPresent(0, as: Int32.self).map(AccountID.init(rawValue:)),
                    scope: try row.decode(1, oneOf: GuardBlock.Scope.self), value: try row.decode(2),
                    until: try row.decodeIfPresent(3), isGuards: try row.decode(4)),
                isLifted: try row.decode(5, as: Bool.self)
            )
        }
        return GuardBlocks(rows.filter { !$0.isLifted }.map(\.block), lifted: rows.filter(\.isLifted).map(\.block))
    }

    /// Makes a block that the guard has decided on, longer than the one before it; nil when there is one in force, of another
    /// process that saw the same.
    public func trip(_ block: GuardBlock, reason: GuardReason) async throws(PostgresError) -> StoredGuardBlock? {
        try await self.pool.query(
            """
            WITH before AS (
                SELECT coalesce(max(level) + 1, 0)::smallint AS level FROM guard_blocks
                WHERE scope = \(block.scope.rawValue) AND value = \(block.value) AND made_by = 'guard'
                  AND account_id IS NOT DISTINCT FROM \(block.account?.rawValue)
                  AND lifted_at IS NULL AND made_at > now() - \(GuardBlock.memory)
            )
            INSERT INTO guard_blocks AS g (account_id, scope, value, reason, level, made_by, until)
            SELECT \(block.account?.rawValue), \(block.scope.rawValue), \(block.value), \(reason.rawValue), level, 'guard',
                   CASE WHEN level < \(GuardBlock.permanentLevel)
                       THEN now() + \(GuardBlock.firstDuration) * 2 ^ level::integer END
            FROM before WHERE NOT EXISTS (
                SELECT FROM guard_blocks
                WHERE scope = \(block.scope.rawValue) AND value = \(block.value)
                  AND account_id IS NOT DISTINCT FROM \(block.account?.rawValue)
                  AND (lifted_at IS NULL AND (until IS NULL OR until > now()) OR lifted_until > now())
            )
            RETURNING \(Self.blockColumns)
            """,
            decode: StoredGuardBlock.init
        ).first
    }

    /// Makes an operator's block, for a time or until it is lifted.
    public func putGuardBlock(
        _ block: GuardBlock, reason: String, for duration: Duration?
    ) async throws(PostgresError) -> StoredGuardBlock {
        try await self.pool.query(
            """
            INSERT INTO guard_blocks AS g (account_id, scope, value, reason, made_by, until)
            VALUES (\(block.account?.rawValue), \(block.scope.rawValue), \(block.value), \(reason), 'operator',
                    now() + \(duration))
            RETURNING \(Self.blockColumns)
            """,
            decode: StoredGuardBlock.init
        )[0]
    }

    /// Lifts a block of an account, or of all; with `duration`, the guard makes no other of the same for as long. Nil when there is none.
    public func liftGuardBlock(
        _ id: Int64, account: AccountID, by: String, for duration: Duration?
    ) async throws(PostgresError) -> StoredGuardBlock? {
        try await self.pool.query(
            """
            UPDATE guard_blocks AS g SET lifted_at = coalesce(lifted_at, now()), lifted_by = \(by),
                lifted_until = now() + \(duration)
            WHERE id = \(id) AND (account_id = \(account.rawValue) OR account_id IS NULL)
            RETURNING \(Self.blockColumns)
            """,
            decode: StoredGuardBlock.init
        ).first
    }

    /// An account's blocks and those of all, newest first; those in force alone unless `isWhole`.
    public func guardBlocks(
        of account: AccountID, isWhole: Bool, before: Int64, limit: Int32
    ) async throws(PostgresError) -> [StoredGuardBlock] {
        try await self.pool.query(
            """
            SELECT \(Self.blockColumns) FROM guard_blocks g
            WHERE (account_id = \(account.rawValue) OR account_id IS NULL) AND id < \(before)
              AND (\(isWhole) OR lifted_at IS NULL AND (until IS NULL OR until > now()))
            ORDER BY id DESC LIMIT \(limit)
            """,
            decode: StoredGuardBlock.init)
    }

    fileprivate static let blockColumns: SQL.Fragment = """
        g.id, g.account_id, g.scope, g.value, g.until, g.reason, g.level, g.made_by = 'guard', g.made_at, g.lifted_at,
        g.lifted_until
        """

    // MARK: - Refusals

    /// Adds to the counts of the running hour.
    public func addGuardRefusals(_ counts: [GuardRefusalCount]) async throws(PostgresError) {
        guard !counts.isEmpty else { return }
        _ = try await self.pool.execute(
            """
            INSERT INTO guard_refusals AS g (account_id, hour, reason, country, refused, watched)
            SELECT account_id, date_trunc('hour', now(), 'UTC'), reason, country, refused, watched FROM unnest(
                \(counts.map(\.account.rawValue)), \(counts.map(\.reason.rawValue)), \(counts.map(\.country)),
                \(counts.map(\.refused)), \(counts.map(\.watched))
            ) AS c (account_id, reason, country, refused, watched)
            ORDER BY account_id, reason, country
            ON CONFLICT (account_id, hour, reason, country) DO UPDATE SET
                refused = g.refused + excluded.refused, watched = g.watched + excluded.watched
            """)
    }

    /// What was refused to an account in the hours from `since`, by reason and country, the most first.
    public func guardRefusals(
        of account: AccountID, since: Timestamp
    ) async throws(PostgresError) -> [(reason: String, country: String, refused: Int64, watched: Int64)] {
        try await self.pool.query(
            """
            SELECT reason, country, sum(refused)::bigint, sum(watched)::bigint FROM guard_refusals
            WHERE account_id = \(account.rawValue) AND hour >= date_trunc('hour', \(since), 'UTC')
            GROUP BY reason, country ORDER BY sum(refused) + sum(watched) DESC, reason, country LIMIT 1000
            """
        ) { row throws(PostgresError) in
            (try row.decode(0), try row.decode(1), try row.decode(2), try row.decode(3))
        }
    }

    // MARK: - Policies

    /// What each account's file says of its guard, as JSON.
    func guardPolicies() async throws(PostgresError) -> [AccountID: String] {
        let rows = try await self.pool.query("SELECT id, guard FROM accounts") { row throws(PostgresError) in
            (AccountID(rawValue: try row.decode(0)), try row.decode(1, as: String.self))
        }
        return Dictionary(rows) { $1 }
    }

    /// What an account's file has said of its guard so far.
    public static func guardPolicy(
        of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> String {
        try await transaction.query("SELECT guard FROM accounts WHERE id = \(account.rawValue)") {
            row throws(PostgresError) in try row.decode(0, as: String.self)
        }.first ?? "{}"
    }

    /// True when it was another.
    public static func putGuardPolicy(
        _ policy: String, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        try await transaction.execute(
            "UPDATE accounts SET guard = \(policy) WHERE id = \(account.rawValue) AND guard <> \(policy)") > 0
    }
}

extension GuardCountRow {
    /// Both windows of a kind begin at midnight.
    fileprivate var kindColumn: Int16 { 2 * self.share.key.kind.rawValue + (self.share.isDay ? 1 : 0) }
}

extension StoredGuardBlock {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        self.init(
            id: try row.decode(0),
            block: GuardBlock(
                account: try row.decodeIfPresent(1, as: Int32.self).map(AccountID.init(rawValue:)),
                scope: try row.decode(2, oneOf: GuardBlock.Scope.self), value: try row.decode(3),
                until: try row.decodeIfPresent(4), isGuards: try row.decode(7)),
            reason: try row.decode(5), level: try row.decode(6), isGuards: try row.decode(7),
            madeAt: try row.decode(8), liftedAt: try row.decodeIfPresent(9), liftedUntil: try row.decodeIfPresent(10))
    }
}
