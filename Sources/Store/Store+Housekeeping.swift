public import Messaging
public import Postgres

/// How much waits in the ready queue for one provider at one priority.
public struct QueueDepth: Sendable {
    public var provider: ProviderID
    public var priority: Priority
    /// Ready and not held by a worker.
    public var ready: Int
    /// How long the oldest has been waiting.
    public var oldest: Duration
}

extension Store {
    /// Makes the partitions of the coming days; returns how many were missing.
    public func makePartitions(daysAhead: Int32) async throws(PostgresError) -> Int {
        let made = try await self.pool.query("SELECT make_partitions(\(daysAhead))") { row throws(PostgresError) in
            Int(try row.decode(0, as: Int32.self))
        }
        return made[0]
    }

    /// Deletes idempotency keys older than `age`, at most `limit` at a time; returns how many.
    public func dropIdempotencyKeys(lane: Lane, olderThan age: Duration, limit: Int32) async throws(PostgresError)
        -> Int
    {
        try await self.pool.execute(
            """
            WITH old AS MATERIALIZED (
                SELECT account_id, key FROM idempotency_keys
                WHERE lane = \(lane.column) AND accepted_at < now() - \(age)
                ORDER BY accepted_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            )
            DELETE FROM idempotency_keys k USING old
            WHERE k.lane = \(lane.column) AND k.account_id = old.account_id AND k.key = old.key
            """
        )
    }

    /// The depth of a lane's ready queue, counting at most `limit` messages of each of the providers `served` and each priority: beyond
    /// that a queue is deep, and counting it further would only make it deeper. The oldest is of those that were counted.
    ///
    /// - `from`: counts no id below, and the limit is one for all providers of a priority; see
    ///   ``claim(lane:worker:requests:start:accountLimit:)``.
    public func queueDepths(
        lane: Lane, served: [ProviderID], limit: Int32, from: MessageID? = nil
    ) async throws(PostgresError) -> [QueueDepth] {
        let served = served.map(\.rawValue)
        let statement = from.map { Self.depths(lane, served, limit, from: $0) } ?? Self.depths(lane, served, limit)
        return try await self.pool.query(statement.preparedForLookUps, timeout: Self.scanTimeout) {
            row throws(PostgresError) in
            QueueDepth(
                provider: ProviderID(rawValue: try row.decode(0)), priority: try row.decodePriority(1),
                ready: Int(try row.decode(2, as: Int64.self)), oldest: try row.decode(3)
            )
        }
    }

    /// Each in its own part of `outbox_ready`.
    private static func depths(_ lane: Lane, _ served: [Int32], _ limit: Int32) -> SQL {
        """
        SELECT w.provider_id, p.priority, count(*), \(Self.oldestAge)
        FROM unnest(\(served)) AS w (provider_id) CROSS JOIN unnest(\(Priority.allCases.map(\.rawValue))) AS p (priority)
        CROSS JOIN LATERAL (
            SELECT id FROM outbox
            WHERE lane = \(lane.column) AND priority = p.priority AND provider_id = w.provider_id AND worker_id IS NULL
            LIMIT \(limit)
        ) ready
        GROUP BY w.provider_id, p.priority
        """
    }

    /// By the primary key, past no dead rows that stand before `from`.
    private static func depths(_ lane: Lane, _ served: [Int32], _ limit: Int32, from: MessageID) -> SQL {
        """
        SELECT ready.provider_id, ready.priority, count(*), \(Self.oldestAge)
        FROM unnest(\(Priority.allCases.map(\.rawValue))) AS p (priority) CROSS JOIN LATERAL (
            SELECT provider_id, p.priority, id FROM outbox
            WHERE lane = \(lane.column) AND priority = p.priority AND worker_id IS NULL AND id >= \(from)
              AND provider_id = ANY(\(served))
            LIMIT \(limit)
        ) ready
        GROUP BY ready.provider_id, ready.priority
        """
    }

    /// By the times in the ids of `ready`.
    private static let oldestAge: SQL.Fragment = """
        now() - min(to_timestamp(('x' || translate(left(ready.id::text, 13), '-', ''))::bit(48)::bigint / 1000.0))
        """

    /// Ends messages whose time has passed and whose provider is not among those `served`, at most `limit`; returns how many. Those of a
    /// provider in service are found by the claim itself. Reads all that waits for the others, and nothing of those served.
    public func expireStranded(
        lane: Lane, served: [ProviderID], limit: Int32
    ) async throws(PostgresError) -> Int {
        // Between those served, so that their queues are not read.
        let borders = served.map(\.rawValue).sorted()
        return try await self.expire(
            """
            SELECT o.id
            FROM unnest(\([Int32.min] + borders), \(borders + [Int32.max])) AS between (low, high)
            CROSS JOIN unnest(\(Priority.allCases.map(\.rawValue))) AS p (priority)
            CROSS JOIN LATERAL (
                SELECT o.id FROM outbox o CROSS JOIN LATERAL (
                    SELECT expires_at FROM messages WHERE lane = \(lane.column) AND id = o.id LIMIT 1
                ) m
                WHERE o.lane = \(lane.column) AND o.priority = p.priority
                  AND o.provider_id > between.low AND o.provider_id < between.high
                  AND o.worker_id IS NULL AND m.expires_at <= now()
            ) o
            LIMIT \(limit)
            """, lane: lane)
    }

    /// Ends messages that are so old that no claim takes them, whosever they are, at most `limit`; returns how many. One probe of the
    /// primary key when there are none.
    public func expireOld(lane: Lane, limit: Int32) async throws(PostgresError) -> Int {
        try await self.expire(
            """
            SELECT id FROM outbox WHERE lane = \(lane.column) AND id < \(Days.ofReady.first.id) AND worker_id IS NULL
            ORDER BY id LIMIT \(limit)
            """, lane: lane)
    }

    /// Ends those that are found, but for what has been claimed or ended since.
    private func expire(_ found: SQL, lane: Lane) async throws(PostgresError) -> Int {
        let ids = try await self.pool.query(found.preparedForLookUps, timeout: Self.scanTimeout) {
            row throws(PostgresError) in try row.decode(0, as: MessageID.self)
        }
        guard !ids.isEmpty else { return 0 }
        return try await self.pool.query(
            """
            WITH \(Self.thisTransaction), unsent AS MATERIALIZED (
                SELECT id FROM outbox WHERE lane = \(lane.column) AND id = ANY(\(ids)) AND worker_id IS NULL
                FOR UPDATE SKIP LOCKED
            ), gone AS (
                DELETE FROM outbox USING unsent WHERE outbox.lane = \(lane.column) AND outbox.id = unsent.id
                RETURNING outbox.id
            ), moved AS (
                UPDATE messages m SET
                    -- One that may have been sent is not called expired.
                    state = CASE m.state WHEN 'queued' THEN 'expired' ELSE m.state END,
                    reason = CASE m.state WHEN 'queued' THEN 'expired' ELSE m.reason END,
                    sequence = m.sequence + (m.state = 'queued')::integer,
                    changed_by = CASE m.state WHEN 'queued' THEN this.number ELSE m.changed_by END,
                    body = NULL, changed_at = now()
                FROM gone, this WHERE m.lane = \(lane.column) AND m.id = gone.id
                RETURNING \(Self.movedMessage)
            ), \(Self.tellingOfMessages), \(Self.telling)
            SELECT id FROM gone
            """
        ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }.count
    }
}
