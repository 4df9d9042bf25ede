public import Messaging
public import Postgres

extension Store {
    /// Makes a lease for one run of a worker process, which ends `lease` after its last heartbeat.
    public func registerWorker(name: String, lease: Duration) async throws(PostgresError) -> WorkerID {
        let ids = try await self.pool.query(
            "INSERT INTO workers (name, lease) VALUES (\(name), \(lease)) RETURNING id"
        ) { row throws(PostgresError) in WorkerID(rawValue: try row.decode(0)) }
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

    /// Ends a lease at once; what it still holds is reaped.
    ///
    /// - `holdsNothing`: it has settled or handed back everything, and no answer was lost. Then it is forgotten, and nobody reads all
    ///   of the queue for what it may have left.
    public func unregisterWorker(_ worker: WorkerID, holdsNothing: Bool = false) async throws(PostgresError) {
        if holdsNothing {
            _ = try await self.pool.execute("DELETE FROM workers WHERE id = \(worker.rawValue)")
        } else {
            _ = try await self.pool.execute(
                "UPDATE workers SET lost_at = now() WHERE id = \(worker.rawValue) AND lost_at IS NULL")
        }
        // Or whoever takes its place, as when one is started anew, would wait until its shares have lapsed.
        _ = try await self.pool.execute("DELETE FROM provider_shares WHERE worker_id = \(worker.rawValue)")
    }

    /// Takes the lease from workers that have been silent for longer than theirs lasts. Returns how many lost it here, and
    /// how many lost ones are not forgotten yet.
    public func loseSilentWorkers() async throws(PostgresError) -> (now: Int, all: Int) {
        let counts = try await self.pool.query(
            """
            WITH silent AS (
                UPDATE workers SET lost_at = now() WHERE lost_at IS NULL AND heartbeat_at < now() - lease RETURNING id
            )
            SELECT (SELECT count(*) FROM silent),
                   (SELECT count(*) FROM silent) + (SELECT count(*) FROM workers WHERE lost_at IS NOT NULL)
            """
        ) { row throws(PostgresError) in
            (now: Int(try row.decode(0, as: Int64.self)), all: Int(try row.decode(1, as: Int64.self)))
        }
        return counts[0]
    }

    /// Gives what nobody alive holds to whoever claims next; returns how many. The attempts stay counted and the series
    /// open, because the provider may have got the message.
    ///
    /// A worker that registered after this statement began is not seen by it, and must not be taken for dead: its number
    /// is higher than all that are.
    ///
    /// Who lives is asked once, as an array, and not by NOT EXISTS: a row that this statement had to wait for, because
    /// another worker freed and claimed it, is looked at again as it is then, but the other side of a join is not
    /// (EvalPlanQual), and the row's new owner would be taken for dead.
    ///
    /// This reads the whole of the lane's outbox, when a worker died and now and then: an index for it would be written at every
    /// claim.
    public func reap(lane: Lane) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            UPDATE outbox SET worker_id = NULL
            WHERE lane = \(lane.column) AND worker_id IS NOT NULL AND worker_id <= (SELECT max(id) FROM workers)
              AND worker_id <> ALL (ARRAY(SELECT id FROM workers WHERE lost_at IS NULL))
            """,
            timeout: Self.scanTimeout
        )
    }

    /// Forgets workers that were lost a while ago and hold nothing. The while is for a claim that a worker had sent off just
    /// before it was found lost, and that commits just after its rows were looked for.
    ///
    /// What they hold is looked for lane by lane. Meanwhile they can come to hold nothing more: the lost claim nothing.
    public func forgetLostWorkers(lanes: [Lane]) async throws(PostgresError) {
        let lost = try await self.pool.query(
            "SELECT id FROM workers WHERE lost_at < now() - interval '1 minute'"
        ) { row throws(PostgresError) in try row.decode(0, as: Int32.self) }
        var idle = Set(lost)
        for lane in lanes where !idle.isEmpty { idle.subtract(try await self.holders(among: Array(idle), in: lane)) }
        guard !idle.isEmpty else { return }
        _ = try await self.pool.execute("DELETE FROM workers WHERE id = ANY(\(Array(idle)))")
    }

    private func holders(among workers: [Int32], in lane: Lane) async throws(PostgresError) -> [Int32] {
        try await self.pool.query(
            """
            SELECT worker_id FROM outbox WHERE lane = \(lane.column) AND worker_id = ANY(\(workers))
            UNION
            SELECT worker_id FROM event_outbox WHERE lane = \(lane.column) AND worker_id = ANY(\(workers))
            """,
            timeout: Self.scanTimeout
        ) { row throws(PostgresError) in try row.decode(0, as: Int32.self) }
    }

    /// For the few statements that read a whole table.
    public static let scanTimeout = Duration.seconds(300)
}
