public import Messaging
public import Postgres

/// What came of a claim, decided, on its way into the database.
public struct Settled: Sendable {
    public var id: MessageID
    public var provider: ProviderID
    public var attempt: Int16
    public var series: Int16
    /// For the timeline: `accepted`, `refused`, `not_sent`, `unanswered`, `expired`, `spent`, or `needless` for a message
    /// that was final before it was tried again.
    public var outcome: String
    public var reason: Verdict.Reason
    /// The provider's own word.
    public var code: String
    public var duration: Duration
    /// The state the message gets; nil leaves it as it is.
    public var state: MessageState?
    /// When and how it is tried again; nil ends it.
    public var retry: Retry?
    /// The ids that the provider gave the parts; empty when it goes by ours.
    public var parts: [String]
    /// The body stays although the message is handed over, because the provider asks for it later.
    public var keepsBody = false

    /// As many as the header that joins parts can count (3GPP TS 23.040 section 9.2.3.24.1); the rest is a mistake of the
    /// provider's.
    static let partLimit = 255

    var knownParts: ArraySlice<String> { self.parts.prefix(Self.partLimit) }

    public struct Retry: Sendable {
        public var after: Duration
        /// As stored: what the next claim adds one to.
        public var attempt: Int16
        public var series: Int16
        public var waits: Int16

        public init(after: Duration, attempt: Int16, series: Int16, waits: Int16 = 0) {
            self.after = after
            self.attempt = attempt
            self.series = series
            self.waits = waits
        }
    }

    public init(
        id: MessageID, provider: ProviderID, attempt: Int16, series: Int16, outcome: String, reason: Verdict.Reason,
        code: String, duration: Duration, state: MessageState?, retry: Retry?, parts: [String]
    ) {
        self.id = id
        self.provider = provider
        self.attempt = attempt
        self.series = series
        self.outcome = outcome
        self.reason = reason
        self.code = code
        self.duration = duration
        self.state = state
        self.retry = retry
        self.parts = parts
    }
}

extension Store {
    /// Writes back what came of the claims of one lane; returns the ids that were still `worker`'s, and whether there is now
    /// something to tell an endpoint.
    ///
    /// The fence: everything hangs on `mine`, the outbox rows that this worker holds under this very attempt. What is
    /// not in the result was taken over by another worker, and nothing of it was changed.
    ///
    /// A message's state only rises: a receipt that overtook the settlement is not undone, and one that had already
    /// delivered every part makes the message delivered here. The sealed body goes with the statement that ends its use.
    public func settle(
        _ settled: [Settled], lane: Lane, worker: WorkerID
    ) async throws(PostgresError) -> (mine: [MessageID], hasNews: Bool) {
        let parts = PartColumns(settled)
        let days = MessageID.days(of: settled.lazy.map(\.id))
        let rows = try await self.pool.query(
            """
            WITH told AS MATERIALIZED (
                SELECT * FROM unnest(
                    \(settled.map(\.id)), \(settled.map { _ in worker.rawValue }), \(settled.map(\.attempt)),
                    \(settled.map(\.outcome)),
                    \(settled.map(\.reason.rawValue)), \(settled.map(\.code)), \(settled.map(\.duration)),
                    \(settled.map { $0.state?.rawValue }), \(settled.map { $0.retry?.after }),
                    \(settled.map { $0.retry?.attempt }), \(settled.map { $0.retry?.series }),
                    \(settled.map { $0.retry?.waits }), \(settled.map { Int16($0.knownParts.count) }),
                    \(settled.map(\.keepsBody))
                ) AS t (id, worker_id, attempt, outcome, reason, code, duration, state, retry_after, next_attempt,
                        next_series, next_waits, parts, keeps_body)
            ), mine AS (
                DELETE FROM outbox o USING told t
                WHERE o.lane = \(lane.column) AND o.id = t.id AND o.worker_id = t.worker_id
                  AND o.attempt = t.attempt
                RETURNING o.id, o.account_id, o.provider_id, o.priority, o.attempt, o.series, t.outcome, t.reason,
                          t.code, t.duration, t.state, t.retry_after, t.next_attempt, t.next_series, t.next_waits,
                          t.parts, t.keeps_body
            ), again AS (
                INSERT INTO scheduled (lane, id, account_id, provider_id, priority, attempt, series, waits, due_at)
                SELECT \(lane.column), id, account_id, provider_id, priority, next_attempt, next_series, next_waits,
                       now() + retry_after
                FROM mine WHERE retry_after IS NOT NULL
            ), recorded AS (
                INSERT INTO attempts (lane, message_id, attempt, series, provider_id, worker_id, outcome, reason, code,
                                      duration)
                SELECT \(lane.column), id, attempt, series, provider_id, \(worker.rawValue), outcome, reason, code,
                       duration
                FROM mine
            ), named AS (
                INSERT INTO parts (lane, part, message_id, provider_id, number)
                SELECT \(lane.column), p.part, mine.id, mine.provider_id, p.number
                FROM unnest(\(parts.messages), \(parts.parts), \(parts.numbers)) AS p (message_id, part, number)
                JOIN mine ON mine.id = p.message_id
                ON CONFLICT DO NOTHING
            ), moved AS (
                UPDATE messages m SET
                    state = \(Self.settledState),
                    sequence = m.sequence + (\(Self.settledState) <> m.state)::integer,
                    changed_by = CASE WHEN \(Self.settledState) <> m.state THEN pg_current_xact_id() ELSE m.changed_by END,
                    reason = CASE
                        WHEN mine.state = 'accepted' AND m.state <> 'cancelled'
                             AND m.parts_delivered >= greatest(mine.parts, 1::smallint) THEN 'ok'
                        WHEN message_rank(mine.state) > message_rank(m.state) THEN mine.reason
                        ELSE m.reason END,
                    parts = CASE WHEN mine.parts > 0 THEN mine.parts ELSE m.parts END,
                    series = coalesce(mine.next_series, mine.series),
                    body = CASE WHEN mine.retry_after IS NULL AND NOT mine.keeps_body THEN NULL ELSE m.body END,
                    changed_at = now()
                FROM mine
                WHERE m.lane = \(lane.column) AND m.id = mine.id AND m.id >= \(days.first) AND m.id < \(days.end)
                  AND (mine.state IS NOT NULL OR mine.retry_after IS NULL OR mine.next_series <> mine.series)
                RETURNING \(Self.movedMessage)
            ), \(Self.tellingOfMessages), \(Self.telling)
            SELECT id, EXISTS (SELECT FROM entered) FROM mine
            """
        ) { row throws(PostgresError) in
            (id: try row.decode(0, as: MessageID.self), hasNews: try row.decode(1, as: Bool.self))
        }
        return (rows.map(\.id), rows.first?.hasNews ?? false)
    }

    private static let settledState: SQL.Fragment = """
        CASE
            WHEN mine.state = 'accepted' AND m.state <> 'cancelled'
                 AND m.parts_delivered >= greatest(mine.parts, 1::smallint) THEN 'delivered'
            WHEN message_rank(mine.state) > message_rank(m.state) THEN mine.state
            ELSE m.state END
        """
}

/// The part ids of many messages.
private struct PartColumns {
    var messages: [MessageID] = []
    var parts: [String] = []
    var numbers: [Int16] = []

    init(_ settled: [Settled]) {
        for message in settled {
            for (index, part) in message.knownParts.enumerated() {
                self.messages.append(message.id)
                self.parts.append(part)
                self.numbers.append(Int16(index + 1))
            }
        }
    }
}
