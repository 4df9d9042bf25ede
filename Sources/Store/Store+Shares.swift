public import Messaging
public import Postgres

extension Store {
    /// How long a share may be used from when it was asked for.
    public static let shareLease = Duration.seconds(2)

    /// What `worker` may send a second of each provider's rate, from now until ``shareLease`` after this was called.
    ///
    /// All workers that ask get about the same, in whole numbers. What the others have not let lapse is theirs: the sum is never above
    /// the rate, however workers come and go. One that has just come gets its part when the others have come back for theirs.
    public func renewShares(
        of rates: [ProviderID: Int32], worker: WorkerID
    ) async throws(PostgresError) -> [ProviderID: Int32] {
        let wanted = rates.sorted { $0.key.rawValue < $1.key.rawValue }
        let rows = try await self.pool.query(
            """
            SELECT provider, granted
            FROM renew_shares(\(worker.rawValue), \(wanted.map(\.key.rawValue)), \(wanted.map(\.value)), \(Self.shareLease))
            """
        ) { row throws(PostgresError) in
            (ProviderID(rawValue: try row.decode(0)), try row.decode(1, as: Int32.self))
        }
        return Dictionary(rows) { $1 }
    }
}
