public import Messaging
public import Postgres
public import Timestamps
public import Verification

/// A part of an application's send limit, for one process to give out while its period runs.
public struct Allowance: Sendable, Hashable {
    /// 0 when the limit is used up.
    public var count: Int32
    /// When the period began, by the database's clock; its name, for giving back what was not used.
    public var period: Timestamp
    /// Until the period ends.
    public var remaining: Duration
}

extension Store {
    /// Takes a slice of what an application may still send in the running period: what `waiting` need, and up to `ahead` for
    /// those who will come.
    ///
    /// What is taken ahead is at most a `shares`th of what is left, and so nothing towards the end: then every process asks for
    /// what it needs, and the limit is reached exactly, whichever of them gets the requests. What a process that dies had taken
    /// is lost for the period; it never sends too much.
    public func takeAllowance(
        of application: ApplicationID, limit: RateLimit, waiting: Int32, ahead: Int32 = 0,
        shares: Int32 = Self.allowanceShares
    ) async throws(PostgresError) -> Allowance {
        let taken = try await self.pool.query(
            """
            WITH given AS (
                INSERT INTO application_sends AS s (application_id, since, slice, taken)
                SELECT \(application.rawValue), now(), slice, slice
                FROM (VALUES (
                    least(\(limit.count), greatest(\(waiting), least(\(ahead), \(limit.count) / \(shares))))
                )) AS first (slice)
                ON CONFLICT (application_id) DO UPDATE SET
                    since = CASE WHEN s.since + \(limit.period) <= now() THEN now() ELSE s.since END,
                    slice = CASE
                        WHEN s.since + \(limit.period) <= now() THEN excluded.slice
                        ELSE least(\(limit.count) - s.taken,
                                   greatest(\(waiting), least(\(ahead), (\(limit.count) - s.taken) / \(shares)))) END,
                    taken = CASE
                        WHEN s.since + \(limit.period) <= now() THEN excluded.slice
                        ELSE s.taken + least(\(limit.count) - s.taken,
                                   greatest(\(waiting), least(\(ahead), (\(limit.count) - s.taken) / \(shares)))) END
                WHERE s.since + \(limit.period) <= now() OR s.taken < \(limit.count)
                RETURNING slice, since
            )
            SELECT slice, since, since + \(limit.period) - now() FROM given
            UNION ALL
            SELECT 0, since, since + \(limit.period) - now() FROM application_sends
            WHERE application_id = \(application.rawValue) AND NOT EXISTS (SELECT FROM given)
            """
        ) { row throws(PostgresError) in
            Allowance(count: try row.decode(0), period: try row.decode(1), remaining: try row.decode(2))
        }
        // No row: another process made it since this statement began to look, and used it up.
        return taken.first ?? Allowance(count: 0, period: .now, remaining: limit.period)
    }

    /// Gives back what was taken and not used; nothing happens when its period is over.
    public func giveBack(_ count: Int32, of allowance: Allowance, to application: ApplicationID)
        async throws(PostgresError)
    {
        _ = try await self.pool.execute(
            """
            UPDATE application_sends SET taken = taken - \(count)
            WHERE application_id = \(application.rawValue) AND since = \(allowance.period) AND taken >= \(count)
            """
        )
    }

    /// Into how many parts what is left is divided; one of them may be taken ahead.
    public static let allowanceShares: Int32 = 64
}
