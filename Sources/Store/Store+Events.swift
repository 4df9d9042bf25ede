public import Messaging
public import Postgres

extension Store {
    /// Leases events of one lane to `worker`: for each endpoint as many as it may have on its way besides what is, for all
    /// together about `limit`.
    ///
    /// The walk is that of ``claim(lane:worker:requests:start:accountLimit:)``, with endpoints for accounts: `flow` hops through the
    /// index from one endpoint with ready events to the next and never reads the backlog in between; they share what room there is
    /// equally. An endpoint that fails gets one request at a time, so that those which hang for as long as they may do not take
    /// the slots of those that answer. Endpoints that have all that they may are walked past, and the walk tells where it
    /// ended: by what was claimed nobody could see it, and those behind many such would never be come to.
    ///
    /// The endpoint is joined as it is now: nothing is sent by an address or a secret that was changed since.
    public func claimEvents(
        lane: Lane, worker: WorkerID, request: EventClaimRequest, endpointLimit: Int32 = Self.claimedEndpointLimit
    ) async throws(PostgresError) -> ClaimedEvents {
        let busy = Array(request.inFlight)
        let statement: SQL = """
            WITH RECURSIVE flow AS (
                SELECT first.endpoint_id, 1 AS step FROM (
                    (SELECT endpoint_id FROM event_outbox
                     WHERE lane = \(lane.column) AND endpoint_id > \(request.after.rawValue) AND worker_id IS NULL
                       AND due_at IS NULL
                     ORDER BY endpoint_id LIMIT 1)
                    UNION ALL
                    (SELECT endpoint_id FROM event_outbox
                     WHERE lane = \(lane.column) AND endpoint_id > 0 AND worker_id IS NULL AND due_at IS NULL
                     ORDER BY endpoint_id LIMIT 1)
                    LIMIT 1
                ) first
                WHERE EXISTS (SELECT FROM workers WHERE id = \(worker.rawValue) AND lost_at IS NULL)
                UNION ALL
                SELECT next.endpoint_id, f.step + 1
                FROM flow f CROSS JOIN LATERAL (
                    SELECT endpoint_id FROM event_outbox
                    WHERE lane = \(lane.column) AND endpoint_id > f.endpoint_id AND worker_id IS NULL AND due_at IS NULL
                    ORDER BY endpoint_id LIMIT 1
                ) next
                WHERE f.step < \(endpointLimit)
            ), quota AS MATERIALIZED (
                SELECT f.endpoint_id,
                       least(
                           ceil(\(request.limit)::numeric / count(*) OVER ()),
                           CASE
                               -- What is left of one that was switched off is thrown away, which takes no time.
                               WHEN e.disabled IS NOT NULL THEN \(request.limit)
                               WHEN e.failing_since IS NOT NULL THEN \(request.takesFailing)::integer - coalesce(b.count, 0)
                               ELSE e.in_flight_limit - coalesce(b.count, 0)
                           END
                       )::integer AS quota
                FROM flow f JOIN endpoints e ON e.id = f.endpoint_id
                LEFT JOIN unnest(\(busy.map(\.key.rawValue)), \(busy.map(\.value))) AS b (endpoint_id, count)
                    ON b.endpoint_id = f.endpoint_id
            ), due AS MATERIALIZED (
                SELECT o.subject_id, o.endpoint_id
                FROM quota q CROSS JOIN LATERAL (
                    SELECT subject_id, endpoint_id FROM event_outbox
                    WHERE lane = \(lane.column) AND endpoint_id BETWEEN q.endpoint_id AND q.endpoint_id
                      AND worker_id IS NULL AND due_at IS NULL
                    ORDER BY endpoint_id, subject_id LIMIT greatest(q.quota, 0)
                    FOR UPDATE SKIP LOCKED
                ) o
                -- As for messages: of a LIMIT that it cannot read the planner expects a tenth of the table.
                LIMIT \(Int64(request.limit) + Int64(endpointLimit))
            ), claimed AS (
                UPDATE event_outbox o SET worker_id = \(worker.rawValue), attempt = attempt + 1
                FROM due
                WHERE o.lane = \(lane.column) AND o.subject_id = due.subject_id AND o.endpoint_id = due.endpoint_id
                RETURNING o.subject_id, o.endpoint_id, o.account_id, o.attempt, o.events[1] AS event_id
            ), walk AS (
                SELECT CASE WHEN count(*) >= \(endpointLimit) THEN max(endpoint_id) END AS last FROM flow
            )
            SELECT c.subject_id, c.endpoint_id, c.account_id, c.event_id, c.attempt,
                   e.kind, e.public_id, e.url, e.secrets, e.settings, e.disabled IS NOT NULL, e.failing_since IS NOT NULL,
                   w.last
            FROM walk w LEFT JOIN (claimed c JOIN endpoints e ON e.id = c.endpoint_id) ON true
            """
        let rows = try await self.pool.query(statement.preparedForLookUps) { row throws(PostgresError) in
            (
                claim: try row.decodeIfPresent(0, as: MessageID.self) == nil ? nil : try EventClaim(row: row),
                last: try row.decodeIfPresent(12, as: Int32.self).map(EndpointID.init(rawValue:))
            )
        }
        var claims = rows.compactMap(\.claim)
        let last = rows.first?.last
        guard !claims.isEmpty else { return ClaimedEvents(claims: [], last: last) }
        // A retry may be of long ago.
        let ages = Dictionary(grouping: claims) { Days.areRecent($0.event.rawValue) && Days.areRecent($0.key.subject) }
        for (_, aged) in ages {
            let facts = try await self.facts(of: aged.map { ($0.event, $0.key.subject) }, lane: lane)
            for index in claims.indices { claims[index].facts = facts[claims[index].event] ?? claims[index].facts }
        }
        return ClaimedEvents(claims: claims, last: last)
    }

    /// What events tell. A statement of its own, since it names the days that it looks into: a retry or a replay may
    /// be of long ago, and without them the planner would look at every day that is kept.
    func facts(
        of events: [(event: EventID, subject: MessageID)], lane: Lane
    ) async throws(PostgresError) -> [EventID: EventFacts] {
        let eventDays = Days(of: events.lazy.map(\.event.rawValue))
        let subjectDays = Days(of: events.lazy.map(\.subject))
        let statement: SQL = """
            SELECT v.id, v.type, v.sequence, v.reason, v.occurred_at, a.currency,
                   m.verification_id, coalesce(m.channel, w.channel), coalesce(m.recipient, w.recipient), m.sender,
                   m.reference, m.metadata, m.parts, m.price, m.network, coalesce(m.accepted_at, w.started_at),
                   m.corrected, m.tracked, m.callback_url, w.application, w.template, off.public_id, off.url
            FROM unnest(\(events.map(\.event.rawValue))) AS c (id)
            CROSS JOIN LATERAL (
                SELECT * FROM events
                WHERE lane = \(lane.column) AND id = c.id AND id >= \(eventDays.first) AND id < \(eventDays.end) LIMIT 1
            ) v
            JOIN accounts a ON a.id = v.account_id
            LEFT JOIN LATERAL (
                SELECT * FROM messages
                WHERE lane = \(lane.column) AND id = v.subject_id AND v.type LIKE 'message.%'
                  AND id >= \(subjectDays.first) AND id < \(subjectDays.end) LIMIT 1
            ) m ON true
            LEFT JOIN LATERAL (
                SELECT r.channel, r.recipient, r.started_at, p.public_id AS application, t.public_id AS template
                FROM verifications r JOIN applications p ON p.id = r.application_id JOIN templates t ON t.id = r.template_id
                WHERE r.lane = \(lane.column) AND r.id = v.subject_id AND v.type LIKE 'verification.%'
                  AND r.id >= \(subjectDays.first) AND r.id < \(subjectDays.end) LIMIT 1
            ) w ON true
            LEFT JOIN endpoints off ON off.id = v.endpoint_id
            """
        let rows = try await self.pool.query(statement.preparedForLookUps) {
            row throws(PostgresError) in
            (EventID(rawValue: try row.decode(0)), try EventFacts(row: row))
        }
        return Dictionary(rows.compactMap { id, facts in facts.map { (id, $0) } }) { first, _ in first }
    }

    /// Endpoints that one claim serves.
    public static let claimedEndpointLimit: Int32 = 64

    /// Writes back what came of the claims of one lane; returns those that were still `worker`'s, and whether the next event of one
    /// of their subjects is ready now.
    ///
    /// The fence: everything hangs on `held`, the entries that this worker holds for this very event under this very attempt. They
    /// are locked first: another transaction may be appending an event, and what is done with an entry depends on whether one is
    /// left. What is left is read under the lock too: an UPDATE holds its first idea of a row, made from what was there when the
    /// statement began, against the CHECK, before it notices that the row has changed since.
    public func settleEvents(
        _ settled: [SettledEvent], lane: Lane, worker: WorkerID
    ) async throws(PostgresError) -> (mine: [EventKey], hasNext: Bool) {
        let statement: SQL = """
            WITH told AS MATERIALIZED (
                SELECT * FROM unnest(
                    \(settled.map(\.key.subject)), \(settled.map(\.key.endpoint.rawValue)), \(settled.map(\.event.rawValue)),
                    \(settled.map(\.attempt)), \(settled.map(\.outcome.rawValue)), \(settled.map(\.status)),
                    \(settled.map(\.duration)), \(settled.map(\.retryAfter))
                ) AS t (subject_id, endpoint_id, event_id, attempt, outcome, status, duration, retry_after)
            ), held AS MATERIALIZED (
                SELECT t.*, CASE WHEN t.retry_after IS NULL THEN o.events[2:] ELSE o.events END AS rest,
                       now() + t.retry_after AS due_at
                FROM told t JOIN event_outbox o
                    ON o.lane = \(lane.column) AND o.subject_id = t.subject_id AND o.endpoint_id = t.endpoint_id
                    AND o.worker_id = \(worker.rawValue) AND o.attempt = t.attempt AND o.events[1] = t.event_id
                ORDER BY o.subject_id, o.endpoint_id FOR UPDATE OF o
            ), finished AS (
                DELETE FROM event_outbox o USING held h
                WHERE o.lane = \(lane.column) AND o.subject_id = h.subject_id AND o.endpoint_id = h.endpoint_id
                  AND h.rest = '{}'
            ), left_over AS (
                UPDATE event_outbox o SET
                    worker_id = NULL, due_at = h.due_at, events = h.rest,
                    attempt = CASE WHEN h.retry_after IS NULL THEN 0 ELSE h.attempt END
                FROM held h
                WHERE o.lane = \(lane.column) AND o.subject_id = h.subject_id AND o.endpoint_id = h.endpoint_id
                  AND h.rest <> '{}'
            ), recorded AS (
                INSERT INTO event_attempts (lane, event_id, endpoint_id, attempt, worker_id, outcome, status, is_last,
                                            duration)
                SELECT \(lane.column), event_id, endpoint_id, attempt, \(worker.rawValue), outcome, status,
                       retry_after IS NULL, duration
                FROM held
                -- One may be told twice in the same moment of one transaction only by mistake; an attempt is not worth failing for.
                ON CONFLICT DO NOTHING
            )
            SELECT subject_id, endpoint_id, retry_after IS NULL AND rest <> '{}' FROM held
            """
        let rows = try await self.pool.query(statement.preparedForLookUps) { row throws(PostgresError) in
            (key: try EventKey(row: row), hasNext: try row.decode(2, as: Bool.self))
        }
        return (rows.map(\.key), rows.contains { $0.hasNext })
    }

    /// Gives claims back untold, as if they had never been claimed; for a drain. Returns how many were still this worker's.
    public func handBackEvents(_ claims: [EventClaim], worker: WorkerID) async throws(PostgresError) -> Int {
        var count = 0
        for (lane, claims) in Dictionary(grouping: claims, by: \.key.subject.lane) {
            count += try await self.pool.execute(
                """
                UPDATE event_outbox o SET worker_id = NULL, attempt = o.attempt - 1
                FROM unnest(
                    \(claims.map(\.key.subject)), \(claims.map(\.key.endpoint.rawValue)), \(claims.map(\.attempt))
                ) AS mine (subject_id, endpoint_id, attempt)
                WHERE o.lane = \(lane.column) AND o.subject_id = mine.subject_id AND o.endpoint_id = mine.endpoint_id
                  AND o.worker_id = \(worker.rawValue) AND o.attempt = mine.attempt
                """
            )
        }
        return count
    }

    /// As ``disown(lane:worker:holding:)``, for events.
    public func disownEvents(
        lane: Lane, worker: WorkerID, holding: [EventKey]
    ) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            UPDATE event_outbox o SET worker_id = NULL
            WHERE lane = \(lane.column) AND worker_id = \(worker.rawValue) AND NOT EXISTS (
                SELECT FROM unnest(\(holding.map(\.subject)), \(holding.map(\.endpoint.rawValue)))
                    AS h (subject_id, endpoint_id)
                WHERE h.subject_id = o.subject_id AND h.endpoint_id = o.endpoint_id
            )
            """,
            timeout: Self.scanTimeout
        )
    }

    /// Makes up to `limit` events ready whose next try is due. Returns how many, and how long until the next is due; nil when none
    /// waits for another try.
    public func promoteEvents(lane: Lane, limit: Int32) async throws(PostgresError) -> (moved: Int, next: Duration?) {
        let rows = try await self.pool.query(
            """
            WITH due AS MATERIALIZED (
                SELECT subject_id, endpoint_id FROM event_outbox
                WHERE lane = \(lane.column) AND due_at <= now()
                ORDER BY due_at LIMIT \(limit)
                FOR UPDATE SKIP LOCKED
            ), ready AS (
                UPDATE event_outbox o SET due_at = NULL FROM due
                WHERE o.lane = \(lane.column) AND o.subject_id = due.subject_id AND o.endpoint_id = due.endpoint_id
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM ready),
                   (SELECT due_at - now() FROM event_outbox WHERE lane = \(lane.column) AND due_at > now()
                    ORDER BY due_at LIMIT 1)
            """
        ) { row throws(PostgresError) in
            (Int(try row.decode(0, as: Int64.self)), try row.decodeIfPresent(1, as: Duration.self))
        }
        return rows[0]
    }

    /// As ``reap(lane:)``, for events; its reasons hold here too.
    public func reapEvents(lane: Lane) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            WITH orphans AS MATERIALIZED (
                SELECT subject_id, endpoint_id FROM event_outbox
                WHERE lane = \(lane.column) AND worker_id IS NOT NULL AND worker_id <= (SELECT max(id) FROM workers)
                  AND worker_id <> ALL (ARRAY(SELECT id FROM workers WHERE lost_at IS NULL))
                -- In the order in which events are appended and settled.
                ORDER BY subject_id, endpoint_id FOR UPDATE
            )
            UPDATE event_outbox o SET worker_id = NULL FROM orphans
            WHERE o.lane = \(lane.column) AND o.subject_id = orphans.subject_id AND o.endpoint_id = orphans.endpoint_id
            """,
            timeout: Self.scanTimeout
        )
    }

    /// Events that are ready and not held, and those that wait for their time, each counted up to `limit`.
    public func eventDepth(lane: Lane, limit: Int32) async throws(PostgresError) -> (ready: Int, waiting: Int) {
        try await self.pool.query(
            """
            SELECT (SELECT count(*) FROM (SELECT FROM event_outbox WHERE lane = \(lane.column) AND worker_id IS NULL
                                            AND due_at IS NULL AND endpoint_id > 0 LIMIT \(limit)) AS ready),
                   (SELECT count(*) FROM (SELECT FROM event_outbox WHERE lane = \(lane.column) AND due_at IS NOT NULL
                                            LIMIT \(limit)) AS waiting)
            """
        ) { row throws(PostgresError) in
            (Int(try row.decode(0, as: Int64.self)), Int(try row.decode(1, as: Int64.self)))
        }[0]
    }
}
