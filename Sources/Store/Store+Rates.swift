public import Messaging
public import Postgres
public import Timestamps

/// How many messages came so far.
public struct RateCounts: Sendable, Hashable {
    /// Handed over to their providers.
    public var sent: Int64
    public var delivered: Int64
    /// Known not to be.
    public var undelivered: Int64
    public var converted: Int64
    /// Told not to be.
    public var unconverted: Int64

    public init(
        sent: Int64 = 0, delivered: Int64 = 0, undelivered: Int64 = 0, converted: Int64 = 0, unconverted: Int64 = 0
    ) {
        self.sent = sent
        self.delivered = delivered
        self.undelivered = undelivered
        self.converted = converted
        self.unconverted = unconverted
    }

    /// Of those sent, 0 to 1; nil when none was.
    public var deliveryRate: Double? { self.rate(self.delivered) }

    /// Of those sent, 0 to 1; nil when nobody told or saw of any whether it converted. What nobody tells of has not.
    public var conversionRate: Double? {
        self.converted + self.unconverted > 0 ? self.rate(self.converted) : nil
    }

    public static func += (left: inout RateCounts, right: RateCounts) {
        left.sent += right.sent
        left.delivered += right.delivered
        left.undelivered += right.undelivered
        left.converted += right.converted
        left.unconverted += right.unconverted
    }

    /// What was sent before anybody counted may be delivered now, so there may be more of it.
    private func rate(_ count: Int64) -> Double? {
        self.sent > 0 ? min(1, max(0, Double(count) / Double(self.sent))) : nil
    }
}

/// An account's messages on a channel to a country.
public struct AccountRate: Sendable, Hashable {
    public var channel: Channel
    /// The calling code with its plus sign; empty for mails.
    public var country: String
    public var counts: RateCounts

    public init(channel: Channel, country: String, counts: RateCounts) {
        self.channel = channel
        self.country = country
        self.counts = counts
    }
}

/// All messages that went by a provider on a channel to a country.
public struct ProviderRate: Sendable, Hashable {
    public var provider: ProviderID
    public var channel: Channel
    /// The calling code with its plus sign; empty for mails.
    public var country: String
    public var counts: RateCounts

    public init(provider: ProviderID, channel: Channel, country: String, counts: RateCounts) {
        self.provider = provider
        self.channel = channel
        self.country = country
        self.counts = counts
    }
}

extension Store {
    /// How long rates are kept.
    public static let rateRetention = Duration.seconds(90 * 86400)

    /// Adds what was counted up into ``rates(lanes:account:from:until:channel:country:)``; at most `limit` tallies a call.
    /// Returns how many. Those that another is at are left to it.
    public func foldTallies(lane: Lane, limit: Int32) async throws(PostgresError) -> Int {
        try await self.pool.query(
            """
            WITH taken AS (
                DELETE FROM tallies WHERE lane = \(lane.column) AND ctid = ANY(ARRAY(
                    SELECT ctid FROM tallies WHERE lane = \(lane.column) LIMIT \(limit) FOR UPDATE SKIP LOCKED
                ))
                RETURNING *
            ), added AS (
                INSERT INTO rates AS r (lane, hour, account_id, provider_id, channel, country, sent, delivered, undelivered,
                                        converted, unconverted, silent)
                SELECT lane, hour, account_id, provider_id, channel, country, sum(sent), sum(delivered), sum(undelivered),
                       sum(converted), sum(unconverted), sum(silent)
                FROM taken GROUP BY lane, hour, account_id, provider_id, channel, country
                -- In their order, so that two who add do not wait for each other in a circle.
                ORDER BY lane, hour, account_id, provider_id, channel, country
                ON CONFLICT (lane, hour, account_id, provider_id, channel, country) DO UPDATE SET
                    sent = r.sent + excluded.sent, delivered = r.delivered + excluded.delivered,
                    undelivered = r.undelivered + excluded.undelivered, converted = r.converted + excluded.converted,
                    unconverted = r.unconverted + excluded.unconverted, silent = r.silent + excluded.silent
            )
            SELECT count(*) FROM taken
            """
        ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }[0]
    }

    /// What became of an account's messages that were accepted in the hours of a time, by channel and country, the most first.
    ///
    /// Hour by hour, because the rows of one account are together within an hour only.
    public func rates(
        lanes: [Lane], account: AccountID, from: Timestamp, until: Timestamp, channel: Channel? = nil,
        country: String? = nil
    ) async throws(PostgresError) -> [AccountRate] {
        try await self.pool.query(
            """
            SELECT r.channel, r.country, \(Self.sums)
            FROM generate_series(
                date_trunc('hour', \(from), 'UTC'), \(until), interval '1 hour'
            ) AS h (hour)
            CROSS JOIN LATERAL (
                SELECT * FROM rates
                WHERE lane = ANY(\(lanes.map(\.column))) AND hour = h.hour AND account_id = \(account.rawValue)
                  AND (\(channel?.rawValue) IS NULL OR channel = \(channel?.rawValue))
                  AND (\(country) IS NULL OR country = \(country))
            ) r
            GROUP BY r.channel, r.country ORDER BY sum(r.sent) DESC, r.channel, r.country
            """
        ) { row throws(PostgresError) in
            AccountRate(
                channel: try row.decode(0, oneOf: Channel.self), country: try row.decode(1),
                counts: try RateCounts(row, from: 2))
        }
    }

    /// What became of all messages that were accepted since, by provider, channel and country, the most first; at most `limit`.
    public func providerRates(
        lanes: [Lane], since: Timestamp, limit: Int32 = .max
    ) async throws(PostgresError) -> [ProviderRate] {
        try await self.pool.query(
            Self.readingProviderRates(lanes: lanes, since: since, limit: limit), timeout: Self.scanTimeout,
            decode: ProviderRate.init)
    }

    /// The statement of ``providerRates(lanes:since:limit:)``.
    static func readingProviderRates(lanes: [Lane], since: Timestamp, limit: Int32 = .max) -> SQL {
        """
        SELECT r.provider_id, r.channel, r.country, \(Self.sums)
        FROM rates r
        WHERE r.lane = ANY(\(lanes.map(\.column))) AND r.hour >= date_trunc('hour', \(since), 'UTC')
        GROUP BY r.provider_id, r.channel, r.country
        ORDER BY sum(r.sent) DESC, r.provider_id, r.channel, r.country LIMIT \(limit)
        """
    }

    /// Forgets rates older than `age`, at most `limit` rows a call; returns how many.
    public func dropRates(lane: Lane, olderThan age: Duration, limit: Int32) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            DELETE FROM rates WHERE lane = \(lane.column) AND ctid = ANY(ARRAY(
                SELECT ctid FROM rates WHERE lane = \(lane.column) AND hour < now() - \(age) ORDER BY hour LIMIT \(limit)
            ))
            """
        )
    }

    /// bigint: the sum of them is numeric.
    private static let sums: SQL.Fragment = """
        sum(r.sent)::bigint, sum(r.delivered)::bigint, sum(r.undelivered)::bigint, sum(r.converted)::bigint,
        sum(r.unconverted)::bigint
        """
}

extension ProviderRate {
    init(_ row: borrowing Row) throws(PostgresError) {
        self.init(
            provider: ProviderID(rawValue: try row.decode(0)), channel: try row.decode(1, oneOf: Channel.self),
            country: try row.decode(2), counts: try RateCounts(row, from: 3))
    }
}

extension RateCounts {
    fileprivate init(_ row: borrowing Row, from column: Int) throws(PostgresError) {
        self.init(
            sent: try row.decode(column), delivered: try row.decode(column + 1),
            undelivered: try row.decode(column + 2),
            converted: try row.decode(column + 3), unconverted: try row.decode(column + 4))
    }
}
