public import Messaging
public import Postgres
public import Timestamps

/// How many messages of a provider to a country have nothing final to show.
public struct SilenceCount: Sendable, Hashable {
    public var provider: String
    public var channel: Channel
    /// The calling code with its plus sign; empty for mails.
    public var country: String
    /// Handed over.
    public var sent: Int64
    /// Ended as unknown, because no receipt came within the provider's window.
    public var ended: Int64
    /// Of which a receipt may still come.
    public var waiting: Int64
}

/// A message that its provider has, or may have, and of which nothing final has been heard.
public struct SilentEntry: Sendable, Hashable {
    public var id: MessageID
    public var account: String
    public var provider: String
    public var channel: Channel
    /// The calling code with its plus sign; empty for mails.
    public var country: String
    /// `accepted` or `unknown`.
    public var state: MessageState
    /// `no_dlr` for one that has ended.
    public var reason: String?
    public var acceptedAt: Timestamp

    public var hasEnded: Bool { self.state == .unknown && self.reason == "no_dlr" }
}

/// A piece of a list, newest first.
public struct SilentPage: Sendable {
    public var messages: [SilentEntry]
    /// Where the next page begins; nil at the end of the list.
    public var next: MessageID?

    public init(messages: [SilentEntry], next: MessageID?) {
        self.messages = messages
        self.next = next
    }
}

/// Which messages a report is about.
public struct SilenceFilter: Sendable {
    /// Nil: all accounts'.
    public var account: AccountID?
    /// When they were accepted.
    public var from: Timestamp
    public var until: Timestamp
    /// Only messages older than this one: the cursor.
    public var before: MessageID?

    public init(account: AccountID?, from: Timestamp, until: Timestamp, before: MessageID? = nil) {
        self.account = account
        self.from = from
        self.until = until
        self.before = before
    }
}

extension SilentPage {
    /// Pages of several lanes as one. It ends where the first of them that has more ends, since beyond that others may be
    /// missing.
    public static func merging(_ pages: [SilentPage], limit: Int) -> SilentPage {
        let horizon = pages.compactMap(\.next).max()
        let messages = pages.flatMap(\.messages)
            .filter { message in horizon.map { message.id >= $0 } ?? true }
            .sorted { $0.id > $1.id }
        guard messages.count > limit else { return SilentPage(messages: messages, next: horizon) }
        let shown = Array(messages.prefix(limit))
        return SilentPage(messages: shown, next: shown.last?.id)
    }
}

extension Store {
    /// How many messages that were accepted in the hours of a time are silent, by provider and country, the most first.
    ///
    /// From the rates, which lag a few seconds behind: no message is read. A receipt that came after the end does not take one
    /// off again.
    public func silenceCounts(
        lanes: [Lane], filter: SilenceFilter, limit: Int32 = .max
    ) async throws(PostgresError) -> [SilenceCount] {
        try await self.pool.query(
            """
            SELECT coalesce(p.name, ''), r.channel, r.country, r.sent, r.silent, r.waiting
            FROM (
                SELECT r.provider_id, r.channel, r.country, sum(r.sent)::bigint AS sent, sum(r.silent)::bigint AS silent,
                       greatest(0, sum(r.sent - r.delivered - r.undelivered - r.silent))::bigint AS waiting
                FROM generate_series(
                    date_trunc('hour', \(filter.from), 'UTC'), \(filter.until), interval '1 hour'
                ) AS h (hour)
                CROSS JOIN LATERAL (
                    SELECT * FROM rates
                    WHERE lane = ANY(\(lanes.map(\.column))) AND hour = h.hour
                      AND (\(filter.account?.rawValue) IS NULL OR account_id = \(filter.account?.rawValue))
                ) r
                GROUP BY r.provider_id, r.channel, r.country
            ) r LEFT JOIN providers p ON p.id = r.provider_id
            WHERE r.silent + r.waiting > 0
            ORDER BY r.silent + r.waiting DESC, 1, 2, 3 LIMIT \(limit)
            """
        ) { row throws(PostgresError) in
            SilenceCount(
                provider: try row.decode(0), channel: try row.decode(1, oneOf: Channel.self),
                country: try row.decode(2), sent: try row.decode(3), ended: try row.decode(4),
                waiting: try row.decode(5))
        }
    }

    /// Lists silent messages of one lane, newest first, at most `limit` of them.
    ///
    /// State is in no index, so a page reads at most `scanLimit` messages and may come back short, or empty, with a cursor to go
    /// on from.
    public func silentMessages(
        lane: Lane, filter: SilenceFilter, limit: Int32, scanLimit: Int32 = 10_000
    ) async throws(PostgresError) -> SilentPage {
        let last = MessageID.before(filter.before, until: filter.until)
        let first = MessageID.first(at: filter.from)
        let rows = try await self.pool.query(
            """
            WITH seen AS MATERIALIZED (
                SELECT id, account_id, provider_id, channel, recipient, state, reason, accepted_at FROM messages
                WHERE lane = \(lane.column) AND id >= \(first) AND id < \(last)
                  AND (\(filter.account?.rawValue) IS NULL OR account_id = \(filter.account?.rawValue))
                ORDER BY id DESC LIMIT \(scanLimit)
            ), reached AS (
                -- Nil when that was all.
                SELECT (SELECT id FROM seen ORDER BY id DESC OFFSET \(scanLimit - 1) LIMIT 1) AS id
            )
            (SELECT s.id, coalesce(a.name, ''), coalesce(p.name, ''), s.channel, calling_code(s.recipient), s.state, s.reason,
                    s.accepted_at, reached.id
             FROM seen s CROSS JOIN reached
             LEFT JOIN accounts a ON a.id = s.account_id LEFT JOIN providers p ON p.id = s.provider_id
             WHERE s.state IN ('accepted', 'unknown')
             ORDER BY s.id DESC LIMIT \(limit + 1))
            UNION ALL
            SELECT NULL, '', '', '', '', '', NULL, now(), id FROM reached
            """
        ) { row throws(PostgresError) in
            (try SilentEntry(row: row), try row.decodeIfPresent(8, as: MessageID.self))
        }
        return Self.page(rows.compactMap(\.0), reached: rows.first?.1, limit: Int(limit))
    }

    private static func page(_ found: [SilentEntry], reached: MessageID?, limit: Int) -> SilentPage {
        guard found.count > limit else { return SilentPage(messages: found, next: reached) }
        let shown = Array(found.prefix(limit))
        return SilentPage(messages: shown, next: shown.last?.id)
    }
}

extension SilentEntry {
    /// Nil for the row that holds the cursor alone.
    fileprivate init?(row: borrowing Row) throws(PostgresError) {
        guard let id = try row.decodeIfPresent(0, as: MessageID.self) else { return nil }
        self.init(
            id: id, account: try row.decode(1), provider: try row.decode(2),
            channel: try row.decode(3, oneOf: Channel.self), country: try row.decode(4),
            state: try row.decode(5, oneOf: MessageState.self), reason: try row.decodeIfPresent(6),
            acceptedAt: try row.decode(7))
    }
}
