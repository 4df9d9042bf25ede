public import Messaging
public import Postgres

extension Store {
    /// Stores receipts and applies them to their messages, in one statement and one commit a lane, and another for old messages.
    ///
    /// Duplicates and any order are harmless: a receipt is stored once, by its key, and only what was stored just now
    /// counts. A message is delivered when all its parts are, or when a receipt for the whole of it says so; one part
    /// that can no longer arrive makes it undelivered. Two parts that come in at the same moment are counted right,
    /// because an `UPDATE` that waited for the other's row lock adds to what the other has written.
    ///
    /// Only a mail may still turn out undelivered after it was delivered.
    ///
    /// One that names no message is looked for by its part in each of `lanes`; one that is not found is kept as unmatched.
    ///
    /// A receipt must come from the provider that the message went to; anything else is kept apart as unmatched.
    public func apply(
        _ receipts: [IncomingReceipt], lanes: [Lane]
    ) async throws(PostgresError) -> ReceiptCounts {
        var counts = ReceiptCounts()
        let receipts = try await self.locate(receipts, in: lanes)
        for (lane, receipts) in Self.batches(of: receipts) {
            let days = Days(of: receipts)
            let statement = Self.application(of: receipts, lane: lane, days: days)
            let rows = try await self.pool.query(statement.preparedForLookUps) {
                row throws(PostgresError) in try Applied(row: row)
            }
            counts.add(rows, of: receipts.count, lane: lane)
        }
        return counts
    }

    /// Of one lane each, and of old messages or of others; in the order of lanes.
    private static func batches(of receipts: [IncomingReceipt]) -> [(lane: Lane, receipts: [IncomingReceipt])] {
        let lanes = Dictionary(grouping: receipts) { $0.receipt.message?.id.lane ?? Lane(rawValue: 0) }
        return lanes.sorted { $0.key < $1.key }.flatMap { lane, receipts in
            Dictionary(grouping: receipts) { $0.receipt.message.map { Days.areRecent($0.id) } ?? true }
                .values.map { (lane, $0) }
        }
    }

    /// Returns a row for each ``Applied``.
    static func application(of receipts: [IncomingReceipt], lane: Lane, days: Days) -> SQL {
        """
        WITH \(Self.thisTransaction), incoming AS MATERIALIZED (
            SELECT * FROM unnest(
                \(receipts.map { $0.receipt.message?.id }), \(receipts.map { $0.receipt.message?.series }),
                \(receipts.map(\.provider.rawValue)),
                \(receipts.map(\.storedPart)), \(receipts.map(\.receipt.status)),
                \(receipts.map(\.receipt.code)), \(receipts.map(\.receipt.verdict.state.rawValue)),
                \(receipts.map(\.receipt.verdict.reason.rawValue)),
                \(receipts.map { $0.receipt.verdict.state.messageState?.rawValue }),
                \(receipts.map(\.receipt.coversMessage)), \(receipts.map(\.receipt.occurredAt)),
                \(receipts.map(\.receipt.verdict.action.rawValue)),
                \(receipts.map(\.receipt.verdict.permanence.rawValue)), \(receipts.map(\.way))
            ) AS r (id, series, provider_id, part, status, code, state, reason, message_state, covers_message, occurred_at,
                    action, permanence, way)
        ), known AS MATERIALIZED (
            SELECT i.*, m.series AS current,
                   -- Of one part a second word that it was delivered is no second part.
                   NOT i.covers_message AND i.message_state = 'delivered' AND EXISTS (
                       SELECT FROM receipts r
                       WHERE r.lane = \(lane.column) AND r.message_id = i.id AND r.part = i.part AND r.state = 'delivered'
                         AND r.message_id >= \(days.first) AND r.message_id < \(days.end)
                   ) AS again,
                   -- An earlier series has arrived when all of its parts have: those before, and those that come with this one.
                   NOT i.covers_message AND i.message_state = 'delivered' AND i.series < m.series AND NOT EXISTS (
                       SELECT FROM parts p
                       WHERE p.lane = \(lane.column) AND p.message_id = i.id AND p.series = i.series
                         AND p.provider_id = i.provider_id AND p.message_id >= \(days.first) AND p.message_id < \(days.end)
                         AND NOT EXISTS (SELECT FROM incoming b WHERE b.id = i.id AND b.part = p.part
                                         AND b.message_state = 'delivered')
                         AND NOT EXISTS (
                             SELECT FROM receipts r
                             WHERE r.lane = \(lane.column) AND r.message_id = i.id AND r.part = p.part
                               AND r.state = 'delivered'
                               AND r.message_id >= \(days.first) AND r.message_id < \(days.end)
                         )
                   ) AS completes
            -- By LATERAL and LIMIT, so that each is looked up by itself even while the day's partition is small.
            FROM incoming i CROSS JOIN LATERAL (
                SELECT series, provider_id FROM messages
                WHERE lane = \(lane.column) AND id = i.id AND id >= \(days.first) AND id < \(days.end) LIMIT 1
            ) m
            -- Of the provider that has it, or of one that it was handed to before.
            WHERE m.provider_id = i.provider_id OR EXISTS (
                SELECT FROM attempts a
                WHERE a.lane = \(lane.column) AND a.message_id = i.id AND a.provider_id = i.provider_id
                  AND a.message_id >= \(days.first) AND a.message_id < \(days.end)
            )
        ), stored AS (
            INSERT INTO receipts (lane, message_id, part, status, code, provider_id, state, reason, occurred_at)
            SELECT \(lane.column), id, part, status, code, provider_id, state, reason, occurred_at
            FROM known ORDER BY id, part, status, code
            ON CONFLICT DO NOTHING
            RETURNING message_id, part, status, code, state, reason
        ), kept AS (
            INSERT INTO unmatched_receipts (lane, provider_id, part, status, code, state, reason, covers_message,
                                            occurred_at, action, permanence)
            -- All in the first lane: of which they are nobody knows. One without a part of its own goes by our id, or two of them would be taken for doubles.
            SELECT 0, provider_id, coalesce(nullif(part, ''), id::text, ''), status, code, state, reason,
                   covers_message, occurred_at, action, permanence
            FROM incoming WHERE id IS NULL OR id NOT IN (SELECT id FROM known)
            ON CONFLICT DO NOTHING
            RETURNING 1
        ), change AS MATERIALIZED (
            SELECT s.message_id,
                   count(DISTINCT k.part) FILTER (
                       WHERE k.message_state = 'delivered' AND NOT k.covers_message AND NOT k.again
                         AND k.series >= k.current
                   )::smallint AS parts,
                   bool_or(k.message_state = 'delivered' AND (k.covers_message OR k.completes)) AS whole,
                   -- What is reported of an earlier series has been answered by another attempt.
                   max(k.series) FILTER (WHERE k.message_state = 'undelivered') AS lost_series,
                   min(s.reason) FILTER (WHERE k.message_state = 'undelivered') AS lost_reason,
                   min(k.way) FILTER (WHERE k.message_state = 'undelivered') AS way,
                   max(k.provider_id) FILTER (WHERE k.message_state = 'delivered') AS delivered_by,
                   max(k.provider_id) FILTER (WHERE k.message_state = 'undelivered') AS lost_by
            FROM stored s
            JOIN (SELECT DISTINCT ON (id, part, status, code) * FROM known) k
                ON k.id = s.message_id AND k.part = s.part AND k.status = s.status AND k.code = s.code
            WHERE k.message_state IS NOT NULL
            GROUP BY s.message_id
            -- In the order of ids, as settling does it, so that the two do not wait for each other in a circle.
            ORDER BY s.message_id
        ), answered AS MATERIALIZED (
            -- What was on standby has its answer: it has arrived, or goes on as far as the report allows and its time lasts. One
            -- row with what has changed, and not a CTE to join with: the planner takes both for one row, and would
            -- compare each with each.
            SELECT c.*, s.series AS standby_series, s.priority, s.attempt, s.tried,
                   CASE WHEN c.whole IS NOT TRUE AND s.expires_at > now() THEN CASE c.way
                       WHEN 'any' THEN coalesce(s.provider_id, s.channel_provider_id)
                       WHEN 'other' THEN s.channel_provider_id END END AS next_provider
            FROM change c LEFT JOIN LATERAL (
                SELECT * FROM standby
                WHERE lane = \(lane.column) AND id = c.message_id AND (c.whole OR c.lost_series >= series)
                LIMIT 1 FOR UPDATE
            ) s ON true
        ), released AS (
            DELETE FROM standby s USING answered a
            WHERE s.lane = \(lane.column) AND s.id = a.message_id AND a.standby_series IS NOT NULL
        ), moved AS (
            UPDATE messages m SET
                parts_delivered = CASE WHEN c.next_provider IS NULL THEN m.parts_delivered + c.parts ELSE 0::smallint END,
                state = \(Self.reportedState),
                sequence = m.sequence + (\(Self.reportedState) <> m.state)::integer,
                changed_by = CASE WHEN \(Self.reportedState) <> m.state THEN this.number ELSE m.changed_by END,
                reason = CASE
                    WHEN \(Self.hasBounced) AND m.state = 'delivered' THEN c.lost_reason
                    WHEN m.state IN ('cancelled', 'delivered') OR \(Self.isBounced) THEN m.reason
                    WHEN \(Self.hasBounced) THEN c.lost_reason
                    WHEN c.whole OR c.parts > 0 AND m.parts_delivered + c.parts >= m.parts THEN 'ok'
                    WHEN c.lost_series >= m.series AND message_rank(m.state) < message_rank('undelivered')
                        AND c.next_provider IS NULL THEN c.lost_reason
                    ELSE m.reason END,
                provider_id = CASE
                    WHEN m.state IN ('cancelled', 'delivered') THEN m.provider_id
                    WHEN c.whole OR c.parts > 0 AND m.parts_delivered + c.parts >= m.parts THEN c.delivered_by
                    WHEN message_rank(m.state) >= message_rank('undelivered') THEN m.provider_id
                    ELSE coalesce(c.next_provider, m.provider_id) END,
                series = CASE WHEN c.next_provider IS NULL THEN m.series
                    ELSE greatest(m.series, c.standby_series + 1::smallint) END,
                duplicated = m.duplicated OR (m.state = 'delivered' AND c.delivered_by <> m.provider_id) IS TRUE,
                corrected = m.corrected OR m.state = 'delivered' AND \(Self.hasBounced)
                    OR m.state IN ('undelivered', 'failed', 'expired') AND NOT \(Self.isBounced)
                    AND NOT \(Self.hasBounced) AND (c.whole OR c.parts > 0 AND m.parts_delivered + c.parts >= m.parts),
                body = CASE
                    WHEN c.whole OR m.parts_delivered + c.parts >= m.parts THEN NULL
                    WHEN c.lost_series >= m.series AND c.next_provider IS NULL THEN NULL
                    ELSE m.body END,
                changed_at = now()
            FROM answered c CROSS JOIN this
            WHERE m.lane = \(lane.column) AND m.id = c.message_id
              AND m.id >= \(days.first) AND m.id < \(days.end)
            RETURNING \(Self.movedMessage), c.delivered_by, c.lost_by, c.next_provider, c.priority, c.attempt,
                      c.standby_series, c.tried
        ), resumed AS (
            INSERT INTO outbox (lane, id, account_id, provider_id, priority, attempt, series, tried)
            SELECT lane, id, account_id, next_provider, priority, attempt, standby_series + 1, tried FROM moved
            WHERE next_provider IS NOT NULL AND message_rank(state) < message_rank('undelivered')
            ON CONFLICT DO NOTHING
            RETURNING id
        ), lost AS (
            INSERT INTO tallies (lane, account_id, provider_id, channel, country, hour, undelivered)
            SELECT lane, account_id, lost_by, channel, calling_code(recipient),
                   date_trunc('hour', accepted_at, 'UTC'), count(*)
            FROM resumed JOIN moved USING (id) GROUP BY 1, 2, 3, 4, 5, 6
        ), \(Self.tellingOfMessages), \(Self.telling)
        SELECT 'kept', (SELECT count(*) FROM kept), NULL::interval
        UNION ALL
        SELECT 'finished', 0, now() - accepted_at FROM moved WHERE message_rank(state) >= 50
        UNION ALL
        SELECT 'duplicated', count(*), NULL FROM moved
        WHERE state = 'delivered' AND NOT changed AND delivered_by <> provider_id
        UNION ALL
        SELECT 'resumed', count(*), NULL FROM resumed
        UNION ALL
        SELECT 'entered', count(*), NULL FROM entered
        """
    }

    /// A mail server takes a mail and finds out later that nobody has that address: of a mail, the bounce is the last word,
    /// whether it comes after the delivery, with it or before (providers.md section 9.2, exception b).
    private static let hasBounced: SQL.Fragment = """
        (m.channel = 'email' AND m.state <> 'cancelled' AND c.next_provider IS NULL
            AND coalesce(c.lost_series >= m.series, false))
        """
    private static let isBounced: SQL.Fragment = "(m.channel = 'email' AND m.state = 'undelivered')"

    private static let reportedState: SQL.Fragment = """
        CASE
            WHEN m.state = 'cancelled' THEN m.state
            WHEN m.channel = 'email' AND c.lost_series >= m.series AND c.next_provider IS NULL THEN 'undelivered'
            WHEN m.state = 'delivered' OR m.channel = 'email' AND m.state = 'undelivered' THEN m.state
            WHEN c.whole OR c.parts > 0 AND m.parts_delivered + c.parts >= m.parts THEN 'delivered'
            WHEN c.lost_series >= m.series AND message_rank(m.state) < message_rank('undelivered')
                AND c.next_provider IS NULL THEN 'undelivered'
            ELSE m.state END
        """
}

extension IncomingReceipt {
    /// What a receipt is told apart by beside its status: its part, or where it has none, the attempts that it is of. Two providers, or
    /// one asked twice, may say the same.
    fileprivate var storedPart: String {
        guard self.receipt.part.isEmpty, let message = self.receipt.message, message.series > 1 else {
            return self.receipt.part
        }
        return "\(message)"
    }

    /// The way on that a report of failure allows, as the statement reads it.
    fileprivate var way: String? {
        switch self.receipt.verdict.way(series: self.receipt.message?.series ?? 1) {
        case .any: "any"
        case .otherChannel: "other"
        case nil: nil
        }
    }
}

/// A row of what `application(of:lane:days:)` returns.
struct Applied {
    /// What its count is of.
    enum Kind: String {
        /// Receipts that were kept until their message is known.
        case kept
        /// None: its message is final now.
        case finished
        /// Messages that another provider had delivered before.
        case duplicated
        /// Messages that go on to another provider at once.
        case resumed
        /// Events that an endpoint is to be told of.
        case entered
    }

    var kind: Kind
    var count: Int
    /// Of a message that is final now.
    var age: Duration?

    init(row: borrowing Row) throws(PostgresError) {
        self.kind = try row.decode(0, oneOf: Kind.self)
        self.count = Int(try row.decode(1, as: Int64.self))
        self.age = try row.decodeIfPresent(2)
    }
}

extension ReceiptCounts {
    mutating func add(_ rows: [Applied], of total: Int, lane: Lane) {
        func sum(_ kind: Applied.Kind) -> Int { rows.reduce(0) { $1.kind == kind ? $0 + $1.count : $0 } }
        let kept = sum(.kept)
        self.unmatched += kept
        self.stored += total - kept
        self.duplicated += sum(.duplicated)
        self.finished += rows.compactMap(\.age)
        if sum(.resumed) > 0 { self.ready.insert(.messages, lane) }
        if sum(.entered) > 0 { self.ready.insert(.events, lane) }
    }
}

extension Days {
    init(of receipts: [IncomingReceipt]) { self.init(of: receipts.lazy.compactMap { $0.receipt.message?.id }) }
}
