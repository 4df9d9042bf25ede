public import Messaging
public import Postgres

// Codes that a provider has taken and that may yet go on to another; see the table `standby`.
extension Store {
    /// Sends on what its provider has been silent about for too long, by another channel where its route has one left, at most
    /// `limit` a call. Returns how many went on, how many were looked at, and how long until the next is due; nil when none is.
    ///
    /// What has come to its end meanwhile, part by part, only leaves.
    public func resumeSilent(
        lane: Lane, limit: Int32
    ) async throws(PostgresError) -> (resumed: Int, taken: Int, next: Duration?) {
        let days = Days.ofReady
        return try await self.pool.query(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM standby WHERE lane = \(lane.column) AND due_at <= now() AND expires_at > now()
                ORDER BY due_at LIMIT \(limit)
                FOR UPDATE SKIP LOCKED
            ), taken AS (
                DELETE FROM standby s USING due WHERE s.lane = \(lane.column) AND s.id = due.id
                RETURNING s.*, coalesce(s.channel_provider_id, s.provider_id) AS next_provider
            ), moved AS (
                UPDATE messages m SET
                    provider_id = t.next_provider, series = greatest(m.series, t.series + 1::smallint), parts_delivered = 0,
                    -- The silent provider may have sent it, whatever becomes of it at the next; nobody is told of that.
                    state = 'unknown', changed_at = now()
                FROM taken t
                WHERE m.lane = \(lane.column) AND m.id = t.id AND m.id >= \(days.first) AND m.id < \(days.end)
                  AND m.state IN ('accepted', 'unknown') AND m.body IS NOT NULL
                RETURNING m.id
            ), resumed AS (
                INSERT INTO outbox (lane, id, account_id, provider_id, priority, attempt, series, tried)
                SELECT t.lane, t.id, t.account_id, t.next_provider, t.priority, t.attempt, t.series + 1, t.tried
                FROM taken t JOIN moved USING (id)
                ON CONFLICT DO NOTHING
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM resumed), (SELECT count(*) FROM taken),
                   (SELECT due_at - now() FROM standby WHERE lane = \(lane.column) AND due_at > now()
                    ORDER BY due_at LIMIT 1)
            """
        ) { row throws(PostgresError) in
            (
                resumed: Int(try row.decode(0, as: Int64.self)), taken: Int(try row.decode(1, as: Int64.self)),
                next: try row.decodeIfPresent(2, as: Duration.self)
            )
        }[0]
    }

    /// Gives up what is past its time, with the sealed content that was kept for it; at most `limit` a call. Returns how many.
    public func dropStandby(lane: Lane, limit: Int32) async throws(PostgresError) -> Int {
        let days = Days.ofReady
        return try await self.pool.query(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM standby WHERE lane = \(lane.column) AND expires_at <= now() ORDER BY expires_at LIMIT \(limit)
                FOR UPDATE SKIP LOCKED
            ), taken AS (
                DELETE FROM standby s USING due WHERE s.lane = \(lane.column) AND s.id = due.id RETURNING s.id
            ), wiped AS (
                UPDATE messages m SET body = NULL FROM taken
                WHERE m.lane = \(lane.column) AND m.id = taken.id AND m.id >= \(days.first) AND m.id < \(days.end)
            )
            SELECT count(*) FROM taken
            """
        ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }[0]
    }
}
