public import Messaging
public import Postgres
public import Timestamps

/// What a customer tells of a message: whether its recipient did what it was sent for.
public struct ConversionReport: Sendable {
    public var message: MessageID
    public var account: AccountID
    public var converted: Bool
    /// Nil: now.
    public var at: Timestamp?

    public init(message: MessageID, account: AccountID, converted: Bool, at: Timestamp? = nil) {
        self.message = message
        self.account = account
        self.converted = converted
        self.at = at
    }
}

/// A message that a report is about.
public struct ReportedMessage: Sendable {
    public var recipient: String
    /// Of the priority `otp`.
    public var isCode: Bool
    /// Whether this has made it converted; not when it was before.
    public var isNewlyConverted: Bool
}

extension Store {
    /// Stores what was told, one statement a lane; returns, in order, which of the messages their accounts have.
    ///
    /// What is told last of a message holds, and each change is counted once: a row is either new or changed from one answer to
    /// the other, whoever writes at the same time, because PostgreSQL looks again at a row that it waited for. Told the same
    /// again, it stays as it is.
    public func report(_ reports: [ConversionReport]) async throws(PostgresError) -> [Bool] {
        try await self.reportedMessages(reports).map { $0 != nil }
    }

    /// As ``report(_:)``; of those that their accounts have, whom they were for.
    public func reportedMessages(
        _ reports: [ConversionReport]
    ) async throws(PostgresError) -> [ReportedMessage?] {
        var known: [KnownMessage: ReportedMessage] = [:]
        for (lane, reports) in Dictionary(grouping: reports, by: \.message.lane).sorted(by: { $0.key < $1.key }) {
            let found = try await self.pool.query(Self.statement(for: reports, lane: lane)) {
                row throws(PostgresError) in
                (
                    KnownMessage(id: try row.decode(0), account: AccountID(rawValue: try row.decode(1))),
                    ReportedMessage(
                        recipient: try row.decode(2), isCode: try row.decode(3), isNewlyConverted: try row.decode(4))
                )
            }
            known.merge(found) { $1 }
        }
        return reports.map { known[KnownMessage(id: $0.message, account: $0.account)] }
    }

    /// Whether conversions of the day of a message, `id`, have a partition. Older ones have none: from before an upgrade, or
    /// dropped.
    static let hasConversions: SQL.Fragment = """
        to_regclass('conversions_' || to_char(time_of_id(id) AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL
        """

    // MARK: - Private

    private static func statement(for reports: [ConversionReport], lane: Lane) -> SQL {
        let days = Days(of: reports.lazy.map(\.message))
        return """
            WITH told AS MATERIALIZED (
                SELECT DISTINCT ON (id, account_id) * FROM unnest(
                    \(reports.map(\.message)), \(reports.map(\.account.rawValue)), \(reports.map(\.converted)),
                    \(reports.map(\.at))
                ) WITH ORDINALITY AS t (id, account_id, converted, at, n)
                ORDER BY id, account_id, n DESC
            ), known AS MATERIALIZED (
                SELECT m.id, m.account_id, m.provider_id, m.channel, m.recipient, m.priority, m.accepted_at, t.converted,
                       coalesce(t.at, now()) AS at
                FROM told t JOIN messages m
                    ON m.lane = \(lane.column) AND m.id = t.id AND m.id >= \(days.first) AND m.id < \(days.end)
                    AND m.account_id = t.account_id
            ), changed AS (
                UPDATE conversions c SET converted = k.converted, source = 'reported', converted_at = k.at FROM known k
                WHERE c.lane = \(lane.column) AND c.message_id = k.id
                  AND c.message_id >= \(days.first) AND c.message_id < \(days.end) AND c.converted <> k.converted
                RETURNING c.message_id, c.converted
            ), added AS (
                INSERT INTO conversions (lane, message_id, account_id, provider_id, channel, country, converted, source,
                                         converted_at)
                SELECT \(lane.column), id, account_id, provider_id, channel, calling_code(recipient), converted,
                       'reported', at
                FROM known
                WHERE \(Self.hasConversions)
                ORDER BY id
                ON CONFLICT DO NOTHING
                RETURNING message_id, converted
            ), counted AS (
                INSERT INTO tallies (lane, account_id, provider_id, channel, country, hour, converted, unconverted)
                SELECT \(lane.column), k.account_id, k.provider_id, k.channel, calling_code(k.recipient),
                       date_trunc('hour', k.accepted_at, 'UTC'), sum(d.converted), sum(d.unconverted)
                FROM (
                    SELECT message_id, converted::integer AS converted, 1 - converted::integer AS unconverted FROM added
                    UNION ALL
                    SELECT message_id, 2 * converted::integer - 1, 1 - 2 * converted::integer FROM changed
                ) d JOIN known k ON k.id = d.message_id
                GROUP BY 1, 2, 3, 4, 5, 6
            )
            SELECT id, account_id, recipient, priority = 0, coalesce(d.converted, false)
            FROM known LEFT JOIN (
                SELECT message_id, converted FROM added UNION ALL SELECT message_id, converted FROM changed
            ) d ON d.message_id = id
            """
    }
}

private struct KnownMessage: Hashable {
    var id: MessageID
    var account: AccountID
}
