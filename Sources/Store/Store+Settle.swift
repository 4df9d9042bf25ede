public import Messaging
public import Postgres
public import Routing

/// What came of a claim, decided, on its way into the database.
public struct Settled: Sendable {
    public var id: MessageID
    public var provider: ProviderID
    public var attempt: Int16
    public var series: Int16
    /// For the timeline: `accepted`, `refused`, `not_sent`, `unanswered`, `expired`, `spent`, `skipped` for one that was not
    /// handed over because another provider was better off, or `needless` for a message that was final before it was tried again.
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
    /// How it may yet go on after it was accepted; nil when it may not.
    public var standby: Standby?
    /// Whether an accepted message keeps its sealed content until its end; one on standby does.
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
        /// Who is to try it; nil: the same provider as before.
        public var provider: ProviderID?
        /// The targets of its route that it has been to.
        public var tried: TargetSet

        public init(
            after: Duration, attempt: Int16, series: Int16, waits: Int16 = 0, provider: ProviderID? = nil,
            tried: TargetSet = TargetSet()
        ) {
            self.after = after
            self.attempt = attempt
            self.series = series
            self.waits = waits
            self.provider = provider
            self.tried = tried
        }
    }

    /// Where an accepted message goes when its provider reports that it did not arrive.
    public struct Standby: Sendable {
        /// By its own channel, and by another.
        public var provider: ProviderID?
        public var channelProvider: ProviderID?
        public var tried: TargetSet
        /// Until then it is worth something, from now.
        public var remaining: Duration
        /// After so much silence it goes on without being told; nil: never.
        public var silence: Duration?

        public init(
            provider: ProviderID?, channelProvider: ProviderID?, tried: TargetSet, remaining: Duration,
            silence: Duration?
        ) {
            self.provider = provider
            self.channelProvider = channelProvider
            self.tried = tried
            self.remaining = remaining
            self.silence = silence
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

extension Settled {
    /// Its message is not of days ago; settlements of such go in statements of their own.
    public var isRecent: Bool { Days.areRecent(self.id) }
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
        let days = Days(of: settled.lazy.map(\.id))
        let statement: SQL = """
            WITH \(Self.thisTransaction), told AS MATERIALIZED (
                SELECT * FROM unnest(
                    \(settled.map(\.id)), \(settled.map { _ in worker.rawValue }), \(settled.map(\.attempt)),
                    \(settled.map(\.outcome)),
                    \(settled.map(\.reason.rawValue)), \(settled.map(\.code)), \(settled.map(\.duration)),
                    \(settled.map { $0.state?.rawValue }), \(settled.map { $0.retry?.after }),
                    \(settled.map { $0.retry?.attempt }), \(settled.map { $0.retry?.series }),
                    \(settled.map { $0.retry?.waits }), \(settled.map { $0.retry?.provider?.rawValue }),
                    \(settled.map { $0.retry?.tried.rawValue }), \(settled.map { Int16($0.knownParts.count) }),
                    \(settled.map { $0.keepsBody || $0.standby != nil }),
                    \(settled.map { $0.standby != nil }), \(settled.map { $0.standby?.provider?.rawValue }),
                    \(settled.map { $0.standby?.channelProvider?.rawValue }),
                    \(settled.map { $0.standby?.tried.rawValue }), \(settled.map { $0.standby?.remaining }),
                    \(settled.map { $0.standby?.silence })
                ) AS t (id, worker_id, attempt, outcome, reason, code, duration, state, retry_after, next_attempt,
                        next_series, next_waits, next_provider, tried, parts, keeps_body, stands_by, standby_provider,
                        standby_channel_provider, standby_tried, standby_remaining, standby_silence)
            ), mine AS (
                DELETE FROM outbox o USING told t
                WHERE o.lane = \(lane.column) AND o.id = t.id AND o.worker_id = t.worker_id
                  AND o.attempt = t.attempt
                RETURNING o.id, o.account_id, o.provider_id, o.priority, o.attempt, o.series, t.outcome, t.reason,
                          t.code, t.duration, t.state, t.retry_after, t.next_attempt, t.next_series, t.next_waits,
                          t.next_provider, t.tried, t.parts, t.keeps_body, t.stands_by, t.standby_provider,
                          t.standby_channel_provider, t.standby_tried, t.standby_remaining, t.standby_silence
            ), again AS (
                INSERT INTO scheduled (lane, id, account_id, provider_id, priority, attempt, series, waits, tried, due_at)
                SELECT \(lane.column), id, account_id, coalesce(next_provider, provider_id), priority, next_attempt, next_series,
                       next_waits, tried, now() + retry_after
                FROM mine WHERE retry_after > '0'
            ), onward AS (
                -- At once: the row that was deleted above makes room for this one.
                INSERT INTO outbox (lane, id, account_id, provider_id, priority, attempt, series, waits, tried)
                SELECT \(lane.column), id, account_id, coalesce(next_provider, provider_id), priority, next_attempt, next_series,
                       next_waits, tried
                FROM mine WHERE retry_after <= '0'
            ), recorded AS (
                INSERT INTO attempts (lane, message_id, attempt, series, provider_id, worker_id, outcome, reason, code,
                                      duration)
                SELECT \(lane.column), id, attempt, series, provider_id, \(worker.rawValue), outcome, reason, code,
                       duration
                FROM mine
            ), named AS (
                INSERT INTO parts (lane, part, message_id, provider_id, number, series)
                SELECT \(lane.column), p.part, mine.id, mine.provider_id, p.number, mine.series
                FROM unnest(\(parts.messages), \(parts.parts), \(parts.numbers)) AS p (message_id, part, number)
                JOIN mine ON mine.id = p.message_id
                ON CONFLICT DO NOTHING
            ), moved AS (
                UPDATE messages m SET
                    state = \(Self.settledState),
                    sequence = m.sequence + (\(Self.settledState) <> m.state)::integer,
                    changed_by = CASE WHEN \(Self.settledState) <> m.state THEN this.number ELSE m.changed_by END,
                    reason = CASE
                        WHEN mine.state = 'accepted' AND m.state <> 'cancelled'
                             AND m.parts_delivered >= greatest(mine.parts, 1::smallint) THEN 'ok'
                        WHEN message_rank(mine.state) > message_rank(m.state) THEN mine.reason
                        ELSE m.reason END,
                    parts = CASE WHEN mine.parts > 0 THEN mine.parts ELSE m.parts END,
                    series = coalesce(mine.next_series, mine.series),
                    -- Another series has parts of its own.
                    parts_delivered = CASE WHEN mine.next_series > m.series THEN 0::smallint ELSE m.parts_delivered END,
                    provider_id = CASE WHEN message_rank(m.state) >= message_rank('undelivered') THEN m.provider_id
                        ELSE coalesce(mine.next_provider, m.provider_id) END,
                    body = CASE
                        WHEN mine.retry_after IS NOT NULL THEN m.body
                        -- A receipt that overtook this may have ended it.
                        WHEN mine.keeps_body AND \(Self.settledState) IN ('accepted', 'unknown') THEN m.body
                    END,
                    changed_at = now()
                FROM mine, this
                WHERE m.lane = \(lane.column) AND m.id = mine.id AND m.id >= \(days.first) AND m.id < \(days.end)
                  AND (mine.state IS NOT NULL OR mine.retry_after IS NULL OR mine.next_series <> mine.series
                       OR mine.next_provider <> m.provider_id)
                -- With what is still needed of each: two CTEs of a batch are joined by comparing each row with each, since the
                -- planner takes them for one row.
                RETURNING \(Self.movedMessage), mine.provider_id AS handed_to, mine.priority, mine.attempt,
                          mine.series AS of_series, mine.outcome, mine.retry_after, mine.next_provider, mine.stands_by,
                          mine.standby_provider, mine.standby_channel_provider, mine.standby_tried,
                          mine.standby_remaining, mine.standby_silence
            ), waiting AS (
                INSERT INTO standby AS s (lane, id, account_id, provider_id, channel_provider_id, priority, attempt, series, tried,
                                          expires_at, due_at)
                SELECT \(lane.column), id, account_id, standby_provider, standby_channel_provider, priority, attempt, of_series,
                       standby_tried, now() + standby_remaining, now() + standby_silence
                FROM moved WHERE stands_by AND state = 'accepted'
                ON CONFLICT (lane, id) DO UPDATE SET
                    provider_id = excluded.provider_id, channel_provider_id = excluded.channel_provider_id,
                    attempt = excluded.attempt, series = excluded.series, tried = excluded.tried,
                    expires_at = excluded.expires_at, due_at = excluded.due_at
            ), handed AS (
                -- Once for each provider that has it, or may have: a repetition at the same provider is the same message.
                INSERT INTO tallies (lane, account_id, provider_id, channel, country, hour, sent)
                SELECT lane, account_id, handed_to, channel, calling_code(recipient),
                       date_trunc('hour', accepted_at, 'UTC'), count(*)
                FROM moved
                WHERE outcome = 'accepted'
                   OR outcome = 'unanswered' AND (retry_after IS NULL OR next_provider <> handed_to)
                GROUP BY 1, 2, 3, 4, 5, 6
            ), \(Self.tellingOfMessages), \(Self.telling)
            SELECT id, EXISTS (SELECT FROM entered) FROM mine
            """
        let rows = try await self.pool.query(statement.preparedForLookUps) { row throws(PostgresError) in
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
