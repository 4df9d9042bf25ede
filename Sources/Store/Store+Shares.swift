public import Messaging
import Postgres

extension Store {
    /// How long a share may be used from when it was asked for.
    public static let shareLease = Duration.seconds(2)

    /// What `worker` may send a second of each provider's rate, from now until ``shareLease`` after this was called.
    ///
    /// All workers that ask get about the same, in whole numbers. What the others have not let lapse is theirs: the sum is never above
    /// the rate, however workers come and go. One that has just come gets its part when the others have come back for theirs.
    public func renewShares(
        of rates: [ProviderID: Int32], worker: WorkerID
    ) async throws -> [ProviderID: Int32] {
        let wanted = rates.sorted { $0.key.rawValue < $1.key.rawValue }
        return try await self.pool.transaction { transaction in
            // What is lost in a crash is a part of two seconds; waiting for the disk each time would have all workers wait in turn.
            _ = try await transaction.execute("SET LOCAL synchronous_commit = off")
            // In a statement of its own: what the next one reads is read under the lock.
            _ = try await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('pinpost shares'))")
            _ = try await transaction.execute("DELETE FROM provider_shares WHERE until < now() - interval '1 minute'")
            let rows = try await transaction.query(
                """
                WITH wanted AS (
                    SELECT * FROM unnest(\(wanted.map(\.key.rawValue)), \(wanted.map(\.value))) AS w (provider_id, rate)
                ), others AS (
                    SELECT w.provider_id, w.rate, coalesce(sum(o.share), 0)::integer AS taken, count(o.worker_id) AS count,
                           count(o.worker_id) FILTER (WHERE o.worker_id < \(worker.rawValue)) AS before
                    FROM wanted w LEFT JOIN provider_shares o
                        ON o.provider_id = w.provider_id AND o.worker_id <> \(worker.rawValue) AND o.until > now()
                    GROUP BY w.provider_id, w.rate
                )
                INSERT INTO provider_shares AS s (provider_id, worker_id, share, until)
                SELECT provider_id, \(worker.rawValue),
                       -- An even part; those who came first get one more while there is a rest.
                       least(rate / (count + 1) + (before < rate % (count + 1))::integer, greatest(rate - taken, 0)),
                       clock_timestamp() + \(Self.shareLease)
                FROM others
                ON CONFLICT (provider_id, worker_id) DO UPDATE SET share = excluded.share, until = excluded.until
                RETURNING provider_id, share
                """
            ) { row throws(PostgresError) in
                (ProviderID(rawValue: try row.decode(0)), try row.decode(1, as: Int32.self))
            }
            return Dictionary(rows) { $1 }
        }
    }
}
