public import Messaging
public import Postgres

extension Store {
    /// Makes a lease for one run of a worker process.
    public func registerWorker(name: String) async throws(PostgresError) -> WorkerID {
        let ids = try await self.pool.query("INSERT INTO workers (name) VALUES (\(name)) RETURNING id") {
            row throws(PostgresError) in WorkerID(rawValue: try row.decode(0))
        }
        return ids[0]
    }

    /// Renews a worker's lease. Returns how many workers are alive, this one among them; nil when the lease was lost
    /// before, in which case everything that it held belongs to others.
    public func heartbeat(_ worker: WorkerID) async throws(PostgresError) -> Int? {
        let alive = try await self.pool.query(
            """
            WITH renewed AS (
                UPDATE workers SET heartbeat_at = now() WHERE id = \(worker.rawValue) AND lost_at IS NULL RETURNING 1
            )
            SELECT (SELECT count(*) FROM workers WHERE lost_at IS NULL) FROM renewed
            """
        ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }
        return alive.first
    }

    /// Ends a lease at once; for a worker that has handed back or settled everything. What it still holds is reaped.
    public func unregisterWorker(_ worker: WorkerID) async throws(PostgresError) {
        _ = try await self.pool.execute(
            "UPDATE workers SET lost_at = now() WHERE id = \(worker.rawValue) AND lost_at IS NULL")
    }

    /// Takes the lease from workers whose heartbeat is older than `lease`, and returns all that lost theirs within the
    /// last minute.
    ///
    /// Lost workers stay for a minute and are reaped again and again: a claim that a worker had sent off just before it
    /// was found lost may commit just after its rows were looked for.
    public func loseSilentWorkers(lease: Duration) async throws(PostgresError) -> [WorkerID] {
        try await self.pool.query(
            """
            WITH gone AS (
                DELETE FROM workers WHERE lost_at < now() - interval '1 minute'
            ), silent AS (
                UPDATE workers SET lost_at = now() WHERE lost_at IS NULL AND heartbeat_at < now() - \(lease)
                RETURNING id
            )
            SELECT id FROM silent
            UNION ALL
            SELECT id FROM workers WHERE lost_at >= now() - interval '1 minute'
            """
        ) { row throws(PostgresError) in WorkerID(rawValue: try row.decode(0)) }
    }

    /// Gives what lost workers held to whoever claims next. Their attempt stays counted and their series stays open,
    /// because the provider may have got the message. Returns how many.
    ///
    /// This reads the whole of the lane's outbox, and only when a worker died: an index for it would be written at every
    /// claim.
    public func reap(lane: Lane, from workers: [WorkerID]) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            UPDATE outbox SET worker_id = NULL
            WHERE lane = \(lane.column) AND worker_id = ANY(\(workers.map(\.rawValue)))
            """
        )
    }
}
