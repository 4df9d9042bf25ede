public import Messaging
public import Postgres

// Kept apart from settling: it is about one row that many would want at once, and is written when it changes only.
extension Store {
    /// After so long of nothing but failures an endpoint of our own kind is switched off.
    public static let failureLimit = Duration.seconds(5 * 86_400)

    /// An endpoint that had failed has answered.
    public func noteAnswer(of endpoint: EndpointID) async throws(PostgresError) {
        _ = try await self.pool.execute(
            """
            UPDATE endpoints SET failing_since = NULL
            WHERE id = \(endpoint.rawValue) AND failing_since IS NOT NULL AND disabled IS NULL
            """)
    }

    /// An endpoint has failed. It is switched off when it says that it is gone, or has done nothing but fail for
    /// ``failureLimit``, and then its account's other endpoints are told; returns why, when it was switched off just now.
    ///
    /// A vendor's endpoint is never switched off for failing: its contract knows no such thing.
    public func noteFailure(
        of endpoint: EndpointID, isGone: Bool, lane: Lane
    ) async throws(PostgresError) -> String? {
        try await self.pool.query(
            """
            WITH judged AS (
                UPDATE endpoints e SET
                    failing_since = coalesce(e.failing_since, now()),
                    disabled = CASE WHEN \(isGone) THEN 'gone' WHEN e.failing_since IS NOT NULL THEN 'failing' END,
                    disabled_at = CASE WHEN \(isGone) OR e.failing_since IS NOT NULL THEN now() END
                WHERE e.id = \(endpoint.rawValue) AND e.disabled IS NULL AND (
                    \(isGone) OR e.failing_since IS NULL
                    OR e.kind = 'standard' AND e.failing_since < now() - \(Self.failureLimit)
                )
                RETURNING e.id, e.account_id, e.disabled
            ), happened AS MATERIALIZED (
                -- The one that was switched off is told too, and what it is told is thrown away.
                SELECT \(lane.column) AS lane, new_id(\(lane.column)) AS subject_id, account_id, id AS endpoint_id,
                       'webhook.disabled' AS type, disabled AS reason, 1::smallint AS sequence
                FROM judged WHERE disabled IS NOT NULL
            ), \(Self.telling)
            SELECT disabled FROM judged WHERE disabled IS NOT NULL
            """
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }.first
    }
}
