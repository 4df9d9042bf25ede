public import Messaging
public import Postgres

/// What there is to do in a lane, and how long until there is more.
public struct Outlook: Sendable {
    /// The first that is ready for one of the providers in service and that nobody holds, from where the look began.
    public var oldestReady: MessageID?
    /// What the server took to find it; long when dead rows stand before it.
    public var oldestReadyTook: Duration
    public var hasEvents: Bool
    /// Until the first of those that wait is due; negative when it is.
    public var nextMessage: Duration?
    public var nextEvent: Duration?
    /// Until the first on standby goes on or is given up.
    public var nextStandby: Duration?
    /// Something is to be folded into the rates.
    public var hasTallies: Bool
    /// Workers that gave up their lease or let it run out, and are not forgotten; not of this lane alone.
    public var deadWorkers: Int
}

extension Store {
    /// A look at all of a lane's work at once: a handful of index probes in one statement, so that a process with nothing to do asks
    /// one question a second and not one for each kind of work.
    ///
    /// - `from`: looks for messages that are ready at no id below; see ``claim(lane:worker:requests:start:accountLimit:)``.
    public func outlook(
        lane: Lane, served: [ProviderID], from: MessageID? = nil, timeout: Duration? = nil
    ) async throws(PostgresError) -> Outlook {
        let least = max(from ?? Days.ofReady.first.id, Days.ofReady.first.id)
        let statement: SQL = """
            SELECT (SELECT id FROM outbox
                    WHERE lane = \(lane.column) AND worker_id IS NULL AND provider_id = ANY(\(served.map(\.rawValue)))
                      AND id >= \(least)
                    ORDER BY id LIMIT 1),
                   -- Columns are computed in their order.
                   clock_timestamp() - statement_timestamp(),
                   EXISTS (SELECT FROM event_outbox
                           WHERE lane = \(lane.column) AND worker_id IS NULL AND due_at IS NULL),
                   (SELECT due_at FROM scheduled WHERE lane = \(lane.column) ORDER BY due_at LIMIT 1) - now(),
                   (SELECT due_at FROM event_outbox WHERE lane = \(lane.column) AND due_at IS NOT NULL
                    ORDER BY due_at LIMIT 1) - now(),
                   least(
                       (SELECT due_at FROM standby WHERE lane = \(lane.column) AND due_at IS NOT NULL
                        ORDER BY due_at LIMIT 1),
                       (SELECT expires_at FROM standby WHERE lane = \(lane.column) ORDER BY expires_at LIMIT 1)
                   ) - now(),
                   EXISTS (SELECT FROM tallies WHERE lane = \(lane.column)),
                   (SELECT count(*) FROM workers WHERE lost_at IS NOT NULL OR heartbeat_at < now() - lease)
            """
        return try await self.pool.query(statement.preparedForLookUps, timeout: timeout) { row throws(PostgresError) in
            Outlook(
                oldestReady: try row.decodeIfPresent(0), oldestReadyTook: try row.decode(1),
                hasEvents: try row.decode(2), nextMessage: try row.decodeIfPresent(3),
                nextEvent: try row.decodeIfPresent(4), nextStandby: try row.decodeIfPresent(5),
                hasTallies: try row.decode(6), deadWorkers: Int(try row.decode(7, as: Int64.self)))
        }[0]
    }

    /// Accounts with something ready for the providers, at most `limit` of them; by hops through the index, as in a claim.
    public func readyFlows(
        lane: Lane, served: [ProviderID], limit: Int
    ) async throws(PostgresError) -> [ClaimFlow] {
        try await self.pool.query(
            """
            WITH RECURSIVE flow AS (
                SELECT w.provider_id, p.priority, first.account_id
                FROM unnest(\(served.map(\.rawValue))) AS w (provider_id)
                CROSS JOIN unnest(\(Priority.allCases.map(\.rawValue))) AS p (priority)
                CROSS JOIN LATERAL (
                    SELECT account_id FROM outbox
                    WHERE lane = \(lane.column) AND priority = p.priority AND provider_id = w.provider_id
                      AND account_id > 0 AND worker_id IS NULL
                    ORDER BY account_id LIMIT 1
                ) first
                UNION ALL
                SELECT f.provider_id, f.priority, next.account_id
                FROM flow f CROSS JOIN LATERAL (
                    SELECT account_id FROM outbox
                    WHERE lane = \(lane.column) AND priority = f.priority AND provider_id = f.provider_id
                      AND account_id > f.account_id AND worker_id IS NULL
                    ORDER BY account_id LIMIT 1
                ) next
            )
            SELECT provider_id, priority, account_id FROM flow LIMIT \(Int64(limit))
            """,
            timeout: Self.scanTimeout
        ) { row throws(PostgresError) in
            ClaimFlow(
                provider: ProviderID(rawValue: try row.decode(0)), priority: try row.decodePriority(1),
                account: AccountID(rawValue: try row.decode(2)))
        }
    }
}
