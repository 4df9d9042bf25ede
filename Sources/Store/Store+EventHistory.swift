public import Messaging
public import Postgres
public import Timestamps

/// An event as it is stored.
public struct StoredEvent: Sendable {
    public var id: EventID
    public var subject: MessageID
    public var type: String
    public var sequence: Int16
    public var reason: String?
    public var occurredAt: Timestamp
}

/// What of an account's events is asked for.
public struct EventFilter: Sendable {
    public var types: [String] = []
    public var subject: MessageID?
    public var from: Timestamp?
    public var until: Timestamp?
    /// Events before this one: the last of the page before.
    public var before: EventID?

    public init() {}
}

/// A try to tell an endpoint.
public struct StoredTelling: Sendable, Hashable {
    public var endpoint: String
    public var attempt: Int16
    public var outcome: String
    public var status: Int16?
    public var isLast: Bool
    public var duration: Duration
    public var settledAt: Timestamp
}

/// What an endpoint is still to be told of an event.
public struct PendingTelling: Sendable, Hashable {
    public var endpoint: String
    /// Nil while it is ready or on its way.
    public var dueAt: Timestamp?
}

extension Store {
    /// An account's events in one lane, newest first, at most `limit`; of a page that is full, more may follow.
    public func events(
        lane: Lane, account: AccountID, filter: EventFilter, limit: Int32
    ) async throws(PostgresError) -> [StoredEvent] {
        let first = MessageID.first(at: filter.from)
        let last = MessageID.before(filter.before?.rawValue, until: filter.until)
        return try await self.pool.query(
            """
            SELECT id, subject_id, type, sequence, reason, occurred_at FROM events
            WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND id >= \(first) AND id < \(last)
              AND (\(filter.types) = '{}' OR type = ANY(\(filter.types)))
              AND (\(filter.subject)::uuid IS NULL OR subject_id = \(filter.subject))
            ORDER BY id DESC LIMIT \(limit)
            """,
            decode: StoredEvent.init)
    }

    /// An account's event and what it tells; nil when there is none of this id, or what it is about is gone.
    public func event(
        _ id: EventID, of account: AccountID
    ) async throws(PostgresError) -> (event: StoredEvent, facts: EventFacts)? {
        let days = Days(of: [id.rawValue])
        let found = try await self.pool.query(
            """
            SELECT id, subject_id, type, sequence, reason, occurred_at FROM events
            WHERE lane = \(id.lane.column) AND id = \(id.rawValue) AND account_id = \(account.rawValue)
              AND id >= \(days.first) AND id < \(days.end)
            """,
            decode: StoredEvent.init)
        guard let event = found.first else { return nil }
        let facts = try await self.facts(of: [(id, event.subject)], lane: id.lane)
        return facts[id].map { (event, $0) }
    }

    /// Every try to tell somebody of an event, in their order, and what is still to be tried.
    public func tellings(
        of id: EventID, subject: MessageID
    ) async throws(PostgresError) -> (tried: [StoredTelling], pending: [PendingTelling]) {
        let days = Days(of: [id.rawValue])
        let tried = try await self.pool.query(
            """
            SELECT e.public_id, a.attempt, a.outcome, a.status, a.is_last, a.duration, a.settled_at
            FROM event_attempts a JOIN endpoints e ON e.id = a.endpoint_id
            WHERE a.lane = \(id.lane.column) AND a.event_id = \(id.rawValue)
              AND a.event_id >= \(days.first) AND a.event_id < \(days.end)
            ORDER BY a.settled_at LIMIT 1000
            """
        ) { row throws(PostgresError) in
            StoredTelling(
                endpoint: try row.decode(0), attempt: try row.decode(1), outcome: try row.decode(2),
                status: try row.decodeIfPresent(3), isLast: try row.decode(4), duration: try row.decode(5),
                settledAt: try row.decode(6))
        }
        let pending = try await self.pool.query(
            """
            SELECT e.public_id, o.due_at FROM event_outbox o JOIN endpoints e ON e.id = o.endpoint_id
            WHERE o.lane = \(id.lane.column) AND o.subject_id = \(subject) AND \(id.rawValue) = ANY(o.events)
            ORDER BY e.id
            """
        ) { row throws(PostgresError) in
            PendingTelling(endpoint: try row.decode(0), dueAt: try row.decodeIfPresent(1))
        }
        return (tried, pending)
    }

    /// Has an endpoint told of one event again, whether it was told before or not; false when it is to be told anyway, or the
    /// event is of another account.
    public func replay(
        _ id: EventID, to endpoint: EndpointID, of account: AccountID
    ) async throws(PostgresError) -> Bool {
        let days = Days(of: [id.rawValue])
        return try await self.pool.query(
            """
            WITH chosen AS (
                SELECT lane, subject_id, account_id, ARRAY[id] AS events FROM events
                WHERE lane = \(id.lane.column) AND id = \(id.rawValue) AND account_id = \(account.rawValue)
                  AND id >= \(days.first) AND id < \(days.end)
            ), \(Self.entering) \(endpoint.rawValue), account_id, events FROM chosen
                \(Self.appending)
            )
            SELECT 1 FROM entered
            """
        ) { row throws(PostgresError) in try row.decode(0, as: Int32.self) }.first != nil
    }

    /// Has an endpoint told of the events since a moment that it wants and has not taken, in one lane, the oldest first and a
    /// subject's by their sequence (an id tells when a transaction began, which may have waited for another), at most `limit` a
    /// call. Returns how many it looked at, how many it is to be told of, and the last it came to.
    public func replay(
        since: Timestamp, after: EventID?, to endpoint: EndpointID, of account: AccountID, lane: Lane, limit: Int32
    ) async throws(PostgresError) -> (seen: Int, told: Int, last: EventID?) {
        let first = max(MessageID.first(at: since), after?.rawValue ?? MessageID(high: 0, low: 0))
        let rows = try await self.pool.query(
            """
            WITH seen AS MATERIALIZED (
                SELECT v.lane, v.id, v.subject_id, v.account_id, v.sequence, v.type, v.endpoint_id FROM events v
                WHERE v.lane = \(lane.column) AND v.account_id = \(account.rawValue) AND v.id >= \(first)
                  AND (\(after?.rawValue)::uuid IS NULL OR v.id > \(after?.rawValue))
                ORDER BY v.id LIMIT \(limit)
            ), chosen AS MATERIALIZED (
                SELECT s.lane, s.subject_id, s.account_id, array_agg(s.id ORDER BY s.sequence) AS events
                FROM seen s JOIN endpoints e ON e.id = \(endpoint.rawValue)
                -- LATERAL with a LIMIT: anything else may read all attempts since then, at each call.
                LEFT JOIN LATERAL (
                    SELECT true AS is_taken FROM event_attempts
                    WHERE lane = \(lane.column) AND event_id = s.id AND endpoint_id = e.id AND outcome = 'delivered'
                      AND event_id >= \(first)
                    LIMIT 1
                ) a ON true
                WHERE (e.kind = 'standard' OR e.id = s.endpoint_id) AND (e.types = '{}' OR s.type = ANY(e.types))
                  AND a.is_taken IS NULL
                GROUP BY s.lane, s.subject_id, s.account_id
                ORDER BY s.subject_id
            ), \(Self.entering) \(endpoint.rawValue), account_id, events FROM chosen
                \(Self.appending)
            )
            SELECT (SELECT count(*) FROM seen), (SELECT coalesce(sum(cardinality(events)), 0) FROM chosen)::bigint,
                   (SELECT id FROM seen ORDER BY id DESC LIMIT 1)
            """
        ) { row throws(PostgresError) in
            (
                seen: Int(try row.decode(0, as: Int64.self)), told: Int(try row.decode(1, as: Int64.self)),
                last: try row.decodeIfPresent(2, as: MessageID.self).map(EventID.init(rawValue:))
            )
        }
        return rows[0]
    }

    // MARK: - Private

    private static let entering: SQL.Fragment = """
        entered AS (
            INSERT INTO event_outbox AS o (lane, subject_id, endpoint_id, account_id, events)
            SELECT lane, subject_id,
        """

    /// What is to be told already is not entered twice.
    private static let appending: SQL.Fragment = """
        ON CONFLICT (lane, subject_id, endpoint_id) DO UPDATE SET
            events = o.events || coalesce(
                (SELECT array_agg(x) FROM unnest(excluded.events) AS x WHERE x <> ALL(o.events)), '{}')
        WHERE NOT excluded.events <@ o.events
        RETURNING 1
        """
}

extension StoredEvent {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        self.init(
            id: EventID(rawValue: try row.decode(0)), subject: try row.decode(1), type: try row.decode(2),
            sequence: try row.decode(3), reason: try row.decodeIfPresent(4), occurredAt: try row.decode(5))
    }
}
