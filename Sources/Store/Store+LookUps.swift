public import Messaging
public import Postgres

/// Whom to ask about numbers, as it is stored.
public struct StoredLookUp: Sendable, Hashable {
    /// Whose address and credentials are used; nil with those of its own.
    public var provider: ProviderID?
    public var kind: String
    /// Empty: the provider's, or as is usual for its kind.
    public var url: String
    /// Sealed JSON.
    public var credentials: [UInt8]
    /// JSON: an object of texts.
    public var settings: String
    /// How long an answer is used again.
    public var maxAge: Duration
    /// How long a code waits for one.
    public var timeLimit: Duration

    public init(
        provider: ProviderID?, kind: String, url: String, credentials: [UInt8], settings: String, maxAge: Duration,
        timeLimit: Duration
    ) {
        self.provider = provider
        self.kind = kind
        self.url = url
        self.credentials = credentials
        self.settings = settings
        self.maxAge = maxAge
        self.timeLimit = timeLimit
    }
}

extension Store {
    /// Whom to ask about numbers; nil: nobody.
    func lookUp() async throws(PostgresError) -> StoredLookUp? {
        try await self.pool.query(Self.storedLookUp, decode: StoredLookUp.init).first
    }

    /// As ``Directory/lookUp``, for whoever changes it.
    public static func lookUp(in transaction: borrowing Transaction) async throws(PostgresError) -> StoredLookUp? {
        try await transaction.query(Self.storedLookUp, decode: StoredLookUp.init).first
    }

    private static let storedLookUp: SQL =
        "SELECT provider_id, kind, url, credentials, settings, max_age, time_limit FROM look_up"

    /// Has somebody be asked about numbers; true when it was not so before.
    public static func putLookUp(
        _ lookUp: StoredLookUp, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        try await transaction.execute(
            """
            INSERT INTO look_up AS l (provider_id, kind, url, credentials, settings, max_age, time_limit)
            VALUES (\(lookUp.provider?.rawValue), \(lookUp.kind), \(lookUp.url), \(Bytes(lookUp.credentials)),
                    \(lookUp.settings), \(lookUp.maxAge), \(lookUp.timeLimit))
            ON CONFLICT (only_row) DO UPDATE SET
                provider_id = excluded.provider_id, kind = excluded.kind, url = excluded.url,
                credentials = excluded.credentials, settings = excluded.settings, max_age = excluded.max_age,
                time_limit = excluded.time_limit
            WHERE (l.provider_id, l.kind, l.url, l.credentials, l.settings, l.max_age, l.time_limit)
                IS DISTINCT FROM (excluded.provider_id, excluded.kind, excluded.url, excluded.credentials,
                                  excluded.settings, excluded.max_age, excluded.time_limit)
            """) > 0
    }

    /// Has nobody be asked; true when somebody was.
    public static func removeLookUp(in transaction: borrowing Transaction) async throws(PostgresError) -> Bool {
        try await transaction.execute("DELETE FROM look_up") > 0
    }

    /// Forgets all answers: those of somebody else who was asked before.
    public static func forgetLookUps(in transaction: borrowing Transaction) async throws(PostgresError) {
        _ = try await transaction.execute("DELETE FROM look_ups WHERE lane = 0")
    }

    /// What was answered of a number, and how long ago, when that is not longer than `maxAge`.
    public func lookedUp(
        _ number: PhoneNumber, maxAge: Duration
    ) async throws(PostgresError) -> (facts: String, age: Duration)? {
        try await self.pool.query(
            """
            SELECT facts, now() - asked_at FROM look_ups
            WHERE lane = 0 AND number = \(number.e164) AND asked_at > now() - \(maxAge)
            """
        ) { row throws(PostgresError) in (try row.decode(0, as: String.self), try row.decode(1, as: Duration.self)) }
        .first
    }

    /// Keeps what was answered of a number just now.
    public func keepLookUp(of number: PhoneNumber, facts: String) async throws(PostgresError) {
        _ = try await self.pool.execute(
            """
            INSERT INTO look_ups (lane, number, facts) VALUES (0, \(number.e164), \(facts))
            ON CONFLICT (lane, number) DO UPDATE SET facts = excluded.facts, asked_at = excluded.asked_at
            """)
    }

    /// Forgets answers that nobody uses again, at most `limit` a call; returns how many.
    public func dropLookUps(limit: Int32) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            DELETE FROM look_ups WHERE lane = 0 AND ctid = ANY(ARRAY(
                SELECT ctid FROM look_ups
                WHERE lane = 0 AND asked_at < now() - coalesce((SELECT max_age FROM look_up), '0 s')
                ORDER BY asked_at LIMIT \(limit)
            ))
            """)
    }
}

extension StoredLookUp {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        self.init(
            provider: try row.decodeIfPresent(0, as: Int32.self).map(ProviderID.init(rawValue:)),
            kind: try row.decode(1), url: try row.decode(2), credentials: try row.decode(3, as: Bytes.self).bytes,
            settings: try row.decode(4), maxAge: try row.decode(5), timeLimit: try row.decode(6))
    }
}
