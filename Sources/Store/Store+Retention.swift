public import Messaging
public import Postgres

extension Store {
    /// For how long what is over is kept.
    public func retention() async throws(PostgresError) -> Retention {
        try await self.pool.query(Self.storedRetention, decode: Retention.init).first ?? Retention()
    }

    /// As ``retention()``, for whoever changes it.
    public static func retention(in transaction: borrowing Transaction) async throws(PostgresError) -> Retention {
        try await transaction.query(Self.storedRetention, decode: Retention.init).first ?? Retention()
    }

    private static let storedRetention: SQL = "SELECT messages, events, verifications FROM retention"

    /// True when it was not so before.
    public static func putRetention(
        _ retention: Retention, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        try await transaction.execute(
            """
            INSERT INTO retention AS r (messages, events, verifications)
            VALUES (\(retention.messages), \(retention.events), \(retention.verifications))
            ON CONFLICT (only_row) DO UPDATE SET
                messages = excluded.messages, events = excluded.events, verifications = excluded.verifications
            WHERE (r.messages, r.events, r.verifications)
                IS DISTINCT FROM (excluded.messages, excluded.events, excluded.verifications)
            """) > 0
    }

    /// Runs `body` in one process at a time; false when another is at it.
    ///
    /// The lock is a transaction's, as through a pooler a session cannot keep one. That transaction has read none of the tables, so that
    /// `body`, which runs over other connections, does not wait for it.
    public func retiring(_ body: () async throws -> Void) async throws -> Bool {
        try await self.pool.transaction { transaction in
            let isFree = try await transaction.query("SELECT pg_try_advisory_xact_lock(hashtext('pinpost retention'))")
            {
                row throws(PostgresError) in try row.decode(0, as: Bool.self)
            }
            guard isFree == [true] else { return false }
            // It is idle for as long as `body` takes. And whatever statement comes next lets go of the snapshot of the one before, which
            // a detachment that is ended would wait for.
            _ = try await transaction.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            try await body()
            return true
        }
    }

    /// Forgets what was to be dropped and is still a part of its table, because its detachment was refused or broken off before it
    /// began: whoever detaches it later keeps it. Only inside ``retiring(_:)``.
    public func forgetUnbegun() async throws(PostgresError) {
        _ = try await self.pool.execute(
            """
            DELETE FROM retired_partitions r
            WHERE EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(r.name) AND NOT inhdetachpending)
            """)
    }

    /// The day that it is, in UTC, as ``Partition/day`` has it.
    public func today() async throws(PostgresError) -> Int32 {
        try await self.pool.query("SELECT (now() AT TIME ZONE 'UTC')::date - DATE '1970-01-01'") {
            row throws(PostgresError) in try row.decode(0, as: Int32.self)
        }[0]
    }

    /// The days of all tables, and those that are on their way out.
    public func partitions() async throws(PostgresError) -> [Partition] {
        try await self.pool.query(
            """
            WITH parents AS (
                SELECT name, to_regclass(name) AS id FROM unnest(\(PartitionedTable.allCases.map(\.rawValue))) AS t (name)
            ), days AS (
                SELECT p.name AS base, c.relname::text AS name, i.inhdetachpending AS is_pending, false AS is_detached
                FROM parents p JOIN pg_inherits i ON i.inhparent = p.id JOIN pg_class c ON c.oid = i.inhrelid
                UNION ALL
                SELECT left(r.name, -9), r.name, false, true FROM retired_partitions r
                WHERE to_regclass(r.name) IS NOT NULL
                  AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(r.name))
            )
            SELECT base, name, (to_date(right(name, 8), 'YYYYMMDD') - DATE '1970-01-01'), is_pending, is_detached
            FROM days WHERE name ~ ('^' || base || '_[0-9]{8}$') AND base IN (SELECT name FROM parents)
            """
        ) { row throws(PostgresError) in
            let state: Partition.State =
                try row.decode(4, as: Bool.self) ? .detached : try row.decode(3, as: Bool.self) ? .detaching : .attached
            return Partition(
                table: try row.decode(0, oneOf: PartitionedTable.self), day: try row.decode(2), name: try row.decode(1),
                state: state)
        }
    }

    /// Days before `end` of which messages wait to be sent or to go elsewhere, or which customers are still to be told of. Looks up the
    /// few that are so old.
    public func waitingDays(before end: Int32, lane: Lane) async throws(PostgresError) -> Set<NeededDay> {
        let rows = try await self.pool.query(
            """
            WITH bound AS MATERIALIZED (
                SELECT first_id_of(to_timestamp(\(Int64(end)) * 86400.0)) AS id
            ), waiting AS (
                SELECT w.* FROM bound b CROSS JOIN LATERAL (
                    SELECT 'messages' AS owner, id FROM outbox WHERE lane = \(lane.column) AND id < b.id
                    UNION ALL SELECT 'messages', id FROM scheduled WHERE lane = \(lane.column) AND id < b.id
                    UNION ALL SELECT 'messages', id FROM standby WHERE lane = \(lane.column) AND id < b.id
                    -- A message or a verification, and the events that tell of it, none of which is older.
                    UNION ALL SELECT o.owner, subject_id FROM event_outbox
                        CROSS JOIN (VALUES ('messages'), ('verifications')) AS o (owner)
                        WHERE lane = \(lane.column) AND subject_id < b.id
                    UNION ALL SELECT 'events', e.id FROM event_outbox CROSS JOIN unnest(events) AS e (id)
                        WHERE lane = \(lane.column) AND subject_id < b.id AND e.id < b.id
                ) w
            )
            SELECT DISTINCT owner, (time_of_id(id) AT TIME ZONE 'UTC')::date - DATE '1970-01-01' FROM waiting
            """, timeout: Self.scanTimeout
        ) { row throws(PostgresError) in
            NeededDay(owner: try row.decode(0, oneOf: PartitionedTable.Owner.self), day: try row.decode(1))
        }
        return Set(rows)
    }

    /// Whether a code of a day can still be used: with its row it would end.
    public func hasLiveCodes(lane: Lane, on day: Int32) async throws(PostgresError) -> Bool {
        try await self.pool.query(
            """
            SELECT EXISTS (
                SELECT FROM verifications
                WHERE lane = \(lane.column) AND id >= first_id_of(to_timestamp(\(Int64(day)) * 86400.0))
                  AND id < first_id_of(to_timestamp(\(Int64(day) + 1) * 86400.0)) AND expires_at > now()
            )
            """, timeout: Self.scanTimeout
        ) { row throws(PostgresError) in try row.decode(0, as: Bool.self) }[0]
    }

    /// Drops a partition, from wherever an earlier try has left it. Nobody who uses the table waits for it.
    ///
    /// - Detached `CONCURRENTLY` first, which waits for those who use the table without having others wait behind it, `waitLimit` at
    ///   most. Whoever begins meanwhile does not see the day any more. Broken off, by a kill too, it is ended by `FINALIZE` here next time.
    /// - Then dropped, when the table is nobody's.
    ///
    /// On a cluster both in one transaction, since Citus detaches nothing `CONCURRENTLY`: whoever comes meanwhile waits until it is done or
    /// gives up, ``clusterLimit`` at most.
    ///
    /// Neither can run inside a transaction that looks for its name, and names cannot be parameters: they are those of the catalogue,
    /// of which ``partitions()`` lets none through but a table's name and eight digits.
    ///
    /// Throws `.timedOut`, or the server's `.lockNotAvailable`, when somebody used it for too long.
    public func retire(_ partition: Partition, waitLimit: Duration) async throws {
        let (table, name) = (partition.table.rawValue, partition.name)
        if partition.state == .attached, try await self.isDistributed(table) {
            return try await self.retireOnCluster(partition, limit: min(waitLimit, Self.clusterLimit))
        }
        switch partition.state {
        case .attached:
            _ = try await self.pool.execute(
                "INSERT INTO retired_partitions (name) VALUES (\(name)) ON CONFLICT DO NOTHING")
            try await self.alter("ALTER TABLE \(table) DETACH PARTITION \(name) CONCURRENTLY", waitLimit: waitLimit)
        case .detaching:
            _ = try await self.pool.execute(
                "INSERT INTO retired_partitions (name) VALUES (\(name)) ON CONFLICT DO NOTHING")
            try await self.alter("ALTER TABLE \(table) DETACH PARTITION \(name) FINALIZE", waitLimit: waitLimit)
        case .detached: break
        }
        try await self.drop(name)
    }

    // MARK: - Private

    private func alter(_ script: String, waitLimit: Duration) async throws {
        try await self.pool.withConnection { connection in
            try await connection.executeScript(script, timeout: waitLimit)
        }
    }

    /// How long all others may have to wait while a day of a distributed table goes.
    private static let clusterLimit = Duration.seconds(2)
    /// And of that for each lock of the coordinator.
    private static let clusterLockLimit: SQL.Fragment = "'500ms'"

    private func isDistributed(_ table: String) async throws -> Bool {
        try await self.pool.transaction { transaction in try await Self.isDistributed(table, in: transaction) }
    }

    private func retireOnCluster(_ partition: Partition, limit: Duration) async throws {
        let (table, name) = (partition.table.rawValue, partition.name)
        try await self.pool.transaction { transaction in
            // Of the coordinator's locks; the other servers are not told of it, and so the whole has a limit.
            _ = try await transaction.execute("SET LOCAL lock_timeout = \(Self.clusterLockLimit)")
            try await transaction.executeScript(
                "ALTER TABLE \(table) DETACH PARTITION \(name); DROP TABLE \(name)", timeout: limit)
        }
    }

    private func drop(_ name: String) async throws {
        try await self.pool.transaction { transaction in
            // Of those who look at the table itself, by its own name.
            _ = try await transaction.execute("SET LOCAL lock_timeout = '2s'")
            try await transaction.executeScript("DROP TABLE IF EXISTS \(name)", timeout: Self.scanTimeout)
            _ = try await transaction.execute("DELETE FROM retired_partitions WHERE name = \(name)")
        }
    }
}

extension Retention {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        self.init(
            messages: try row.decodeIfPresent(0), events: try row.decodeIfPresent(1),
            verifications: try row.decodeIfPresent(2))
    }
}
