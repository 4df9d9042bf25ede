public import Messaging
public import Postgres
import Timestamps

/// A message that its provider took, or may have, and of which nothing final has been heard.
public struct SilentMessage: Sendable, Hashable {
    public var id: MessageID
    public var provider: ProviderID
    public var priority: Priority
    public var channel: Channel
    public var recipient: String
    public var series: Int16
    /// The ids that the provider gave its parts, in their order.
    public var parts: [String]
    /// Its provider's window has passed: no receipt is expected any more.
    public var isOver: Bool

    public var reference: MessageReference { MessageReference(id: self.id, series: self.series) }
}

/// What one look at the messages of an age came by.
public struct ReconciliationSweep: Sendable {
    public var silent: [SilentMessage]
    /// Messages that were looked at, silent or not. Fewer than asked for: that was all, or another process is at it.
    public var seen: Int
}

extension Store {
    /// Looks at the next messages of one lane that are `age` old, at most `limit`, and remembers how far that went: each message is
    /// looked at once at each age, by whichever process comes first. Of those that are silent it returns what an inquiry
    /// needs.
    ///
    /// Messages that wait to be sent, once more or elsewhere, are not silent. `windows` are how long each provider's receipts may
    /// take. An age that nobody has looked at begins now, and leaves older messages to the ages behind it.
    ///
    /// `isFirst`: whether this process looks at the age for the first time, so that there may be no mark of it yet.
    public func sweepSilent(
        lane: Lane, age: Duration, windows: [ProviderID: Duration], limit: Int32, isFirst: Bool = true
    ) async throws(PostgresError) -> ReconciliationSweep {
        if isFirst { try await self.beginReconciliation(lane: lane, age: age) }
        let windows = windows.sorted { $0.key.rawValue < $1.key.rawValue }
        let days = Days.ofSilence
        let rows = try await self.pool.query(
            """
            WITH mark AS MATERIALIZED (
                SELECT reached FROM reconciliation
                WHERE lane = \(lane.column) AND age = \(age) FOR UPDATE SKIP LOCKED
            ), seen AS MATERIALIZED (
                SELECT m.* FROM mark CROSS JOIN LATERAL (
                    SELECT id, provider_id, priority, channel, recipient, series, state, reason,
                           coalesce(send_at, accepted_at) AS handed_at
                    FROM messages
                    WHERE lane = \(lane.column) AND id > mark.reached AND id < first_id_of(now() - \(age) - interval '1 minute')
                      AND id >= \(days.first) AND id < \(days.end)
                    ORDER BY id LIMIT \(limit)
                ) m
            ), moved AS (
                UPDATE reconciliation SET reached = (SELECT id FROM seen ORDER BY id DESC LIMIT 1)
                WHERE lane = \(lane.column) AND age = \(age) AND EXISTS (SELECT FROM seen)
            )
            SELECT c.id, c.provider_id, c.priority, c.channel, c.recipient, c.series,
                   ARRAY(SELECT part FROM parts p
                         WHERE p.lane = \(lane.column) AND p.message_id = c.id AND p.provider_id = c.provider_id
                           -- Of its last series with this provider.
                           AND p.series = (SELECT max(series) FROM parts q WHERE q.lane = \(lane.column)
                                           AND q.message_id = c.id AND q.provider_id = c.provider_id)
                         ORDER BY p.number LIMIT 255),
                   c.handed_at < now() - coalesce(w.length, interval '72 hours'), (SELECT count(*) FROM seen)
            FROM seen c
            LEFT JOIN unnest(\(windows.map(\.key.rawValue)), \(windows.map(\.value))) AS w (provider, length)
                ON w.provider = c.provider_id
            WHERE c.state IN ('accepted', 'unknown') AND c.reason IS DISTINCT FROM 'no_dlr'
              -- Nor one that is to be sent. One on standby is asked for like all others.
              AND coalesce((SELECT true FROM outbox WHERE lane = \(lane.column) AND id = c.id),
                           (SELECT true FROM scheduled WHERE lane = \(lane.column) AND id = c.id)) IS NULL
            UNION ALL
            SELECT NULL, 0, 0::smallint, '', '', 0::smallint, '{}', false, (SELECT count(*) FROM seen)
            """,
            timeout: Self.scanTimeout
        ) { row throws(PostgresError) in (try SilentMessage(row: row), Int(try row.decode(8, as: Int64.self))) }
        return ReconciliationSweep(silent: rows.compactMap(\.0), seen: rows.first?.1 ?? 0)
    }

    /// Ends messages of one lane of which nothing was heard as `unknown`, for the reason `no_dlr`; returns how many. What has come into a
    /// final state meanwhile, or is to be sent again, is left alone.
    ///
    /// The one statement that lowers a state's rank: a late receipt still raises it.
    public func endSilent(_ ids: [MessageID], lane: Lane) async throws(PostgresError) -> Int {
        let days = Days(of: ids)
        return try await self.pool.query(
            """
            WITH \(Self.thisTransaction), due AS MATERIALIZED (
                -- In the order of ids, as settling has it.
                SELECT c.id FROM unnest(\(ids)) AS c (id)
                -- Not one that waits to be sent. Three looks by whole keys: as `EXISTS`, the planner might read the whole outbox
                -- for them.
                WHERE coalesce((SELECT true FROM outbox WHERE lane = \(lane.column) AND id = c.id),
                               (SELECT true FROM scheduled WHERE lane = \(lane.column) AND id = c.id),
                               (SELECT true FROM standby WHERE lane = \(lane.column) AND id = c.id)) IS NULL
                ORDER BY c.id
            ), moved AS (
                UPDATE messages m SET
                    state = 'unknown', reason = 'no_dlr', body = NULL, changed_at = now(),
                    sequence = m.sequence + (m.state <> 'unknown')::integer,
                    changed_by = CASE WHEN m.state <> 'unknown' THEN this.number ELSE m.changed_by END
                FROM due, this
                WHERE m.lane = \(lane.column) AND m.id = due.id AND m.id >= \(days.first) AND m.id < \(days.end)
                  AND m.state IN ('accepted', 'unknown') AND m.reason IS DISTINCT FROM 'no_dlr'
                RETURNING \(Self.movedMessage)
            ), \(Self.tellingOfMessages), \(Self.telling), ended AS (
                INSERT INTO tallies (lane, account_id, provider_id, channel, country, hour, silent)
                SELECT lane, account_id, provider_id, channel, calling_code(recipient),
                       date_trunc('hour', accepted_at, 'UTC'), count(*)
                FROM moved GROUP BY 1, 2, 3, 4, 5, 6
            )
            SELECT id FROM moved
            """
        ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }.count
    }

    // MARK: - Private

    /// Has an age begin with what comes into it from now on.
    private func beginReconciliation(lane: Lane, age: Duration) async throws(PostgresError) {
        _ = try await self.pool.execute(
            """
            INSERT INTO reconciliation (lane, age, reached)
            SELECT \(lane.column), \(age), first_id_of(now() - \(age) - interval '2 minutes')
            WHERE NOT EXISTS (SELECT FROM reconciliation WHERE lane = \(lane.column) AND age = \(age))
            ON CONFLICT DO NOTHING
            """)
    }
}

extension SilentMessage {
    /// Nil for the row that holds the count alone.
    fileprivate init?(row: borrowing Row) throws(PostgresError) {
        guard let id = try row.decodeIfPresent(0, as: MessageID.self) else { return nil }
        self.init(
            id: id, provider: ProviderID(rawValue: try row.decode(1)), priority: try row.decodePriority(2),
            channel: try row.decode(3, oneOf: Channel.self), recipient: try row.decode(4), series: try row.decode(5),
            parts: try row.decode(6), isOver: try row.decode(7))
    }
}
