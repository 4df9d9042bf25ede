public import Messaging
public import Postgres
public import Routing

extension Store {
    /// Opens a breaker for all processes, for twice as long each time in a row, from 5 seconds to 5 minutes. One that is open
    /// already stays as it is. Returns how long it is open from now.
    public func openBreaker(
        _ place: Conditions.Place, reason: Verdict.Reason
    ) async throws(PostgresError) -> Duration {
        try await self.pool.query(
            """
            INSERT INTO breakers AS b (provider_id, country, open_until, openings, reason)
            VALUES (\(place.provider.rawValue), \(place.country), now() + interval '5 s', 1, \(reason.rawValue))
            ON CONFLICT (provider_id, country) DO UPDATE SET
                open_until = CASE WHEN b.open_until > now() THEN b.open_until
                    ELSE now() + least(interval '5 s' * 2 ^ b.openings, interval '5 min') END,
                openings = CASE WHEN b.open_until > now() THEN b.openings ELSE least(b.openings + 1, 10) END,
                reason = CASE WHEN b.open_until > now() THEN b.reason ELSE excluded.reason END,
                changed_at = CASE WHEN b.open_until > now() THEN b.changed_at ELSE now() END
            RETURNING open_until - now()
            """
        ) { row throws(PostgresError) in try row.decode(0, as: Duration.self) }[0]
    }

    /// Lets traffic through again, more and more, after a probe that went well; see ``Conditions/Phase/ramping(since:)``.
    public func rampBreaker(_ place: Conditions.Place) async throws(PostgresError) {
        _ = try await self.pool.execute(
            """
            UPDATE breakers SET open_until = NULL, changed_at = now()
            WHERE provider_id = \(place.provider.rawValue) AND country = \(place.country) AND open_until <= now()
            """)
    }

    /// Forgets the breakers that all traffic passes again; returns how many. One of which nothing has been heard for a day lets traffic
    /// through again, more and more.
    public func closeBreakers() async throws(PostgresError) -> Int {
        let rampTime = Conditions.rampTime
        return try await self.pool.query(
            """
            WITH ramping AS (
                UPDATE breakers SET open_until = NULL, changed_at = now() WHERE open_until < now() - interval '1 day'
            ), closed AS (
                DELETE FROM breakers WHERE open_until IS NULL AND changed_at < now() - \(rampTime) RETURNING 1
            )
            SELECT count(*) FROM closed
            """
        ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }[0]
    }
}
