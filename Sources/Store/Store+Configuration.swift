public import Messaging
public import Postgres
public import Routing
public import Timestamps

/// A key to be stored.
public struct NewKey: Sendable {
    public var name: String
    /// SHA-256 of the key.
    public var digest: [UInt8]
    public var scopes: [String]
    public var expiresAt: Timestamp?
    /// True ends it, false brings it back, nil leaves a stored key as it is; a new one lives.
    public var revoked: Bool?

    public init(name: String, digest: [UInt8], scopes: [String], expiresAt: Timestamp?, revoked: Bool?) {
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.expiresAt = expiresAt
        self.revoked = revoked
    }
}

/// What a stored provider should be; see ``StoredProvider``.
public struct NewProvider: Sendable {
    public var name: String
    public var kind: String
    public var url: String
    public var credentials: [UInt8]
    public var sender: String?
    public var settings: String
    public var inFlightLimit: Int32
    public var rateLimit: Int32
    public var rateUnit: RateUnit?
    public var timeout: Duration
    public var slowAfter: Duration
    public var receiptWindow: Duration?
    public var codes: String
    public var enabled: Bool

    public init(
        name: String, kind: String, url: String, credentials: [UInt8], sender: String?, settings: String,
        inFlightLimit: Int32, rateLimit: Int32, rateUnit: RateUnit?, timeout: Duration, slowAfter: Duration,
        receiptWindow: Duration?, codes: String, enabled: Bool
    ) {
        self.name = name
        self.kind = kind
        self.url = url
        self.credentials = credentials
        self.sender = sender
        self.settings = settings
        self.inFlightLimit = inFlightLimit
        self.rateLimit = rateLimit
        self.rateUnit = rateUnit
        self.timeout = timeout
        self.slowAfter = slowAfter
        self.receiptWindow = receiptWindow
        self.codes = codes
        self.enabled = enabled
    }
}

// The statements of `pinpost apply`. They take the transaction that they are part of: a file is applied wholly or not at
// all. Each says whether it changed anything, and writes nothing when not, so that applying a file twice raises no revision.
extension Store {
    /// Runs `body` in one transaction, alone among those that change the configuration.
    public func configure<Value: Sendable>(
        _ body: (borrowing Transaction) async throws -> Value
    ) async throws -> Value {
        try await self.pool.transaction { transaction in
            _ = try await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('pinpost configuration'))")
            return try await body(transaction)
        }
    }

    /// The account called `name`, made if it does not exist.
    public static func putAccount(
        _ name: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> (id: AccountID, changed: Bool) {
        let made = try await transaction.query(
            "INSERT INTO accounts (name) VALUES (\(name)) ON CONFLICT DO NOTHING RETURNING id"
        ) { row throws(PostgresError) in AccountID(rawValue: try row.decode(0)) }
        if let id = made.first { return (id, true) }
        let found = try await transaction.query("SELECT id FROM accounts WHERE name = \(name)") {
            row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
        }
        return (found[0], false)
    }

    /// The digests of an account's keys by their names.
    public static func keyDigests(
        of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> [String: [UInt8]] {
        let rows = try await transaction.query(
            "SELECT name, digest FROM api_keys WHERE account_id = \(account.rawValue)"
        ) { row throws(PostgresError) in
            (try row.decode(0, as: String.self), try row.decode(1, as: Bytes.self).bytes)
        }
        return Dictionary(rows) { $1 }
    }

    /// What ``putKey(_:of:in:)`` and ``putCredential(_:of:in:)`` did.
    public enum KeyChange: Sendable, Hashable {
        case none
        /// It was stored or changed, and can be used.
        case alive
        /// It was stored or changed, and is revoked.
        case revoked
    }

    /// Makes an account's key what it should be. One that is revoked keeps its time of death until it is brought back.
    public static func putKey(
        _ key: NewKey, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> KeyChange {
        let changed = try await transaction.query(
            """
            INSERT INTO api_keys AS k (account_id, name, digest, scopes, expires_at, revoked_at)
            VALUES (\(account.rawValue), \(key.name), \(Bytes(key.digest)), \(key.scopes), \(key.expiresAt),
                    CASE WHEN \(key.revoked) THEN now() END)
            ON CONFLICT (account_id, name) DO UPDATE SET
                digest = excluded.digest, scopes = excluded.scopes, expires_at = excluded.expires_at,
                revoked_at = CASE \(key.revoked)
                    WHEN true THEN coalesce(k.revoked_at, now()) WHEN false THEN NULL ELSE k.revoked_at END
            WHERE (k.digest, k.scopes, k.expires_at, k.revoked_at IS NOT NULL)
                IS DISTINCT FROM (excluded.digest, excluded.scopes, excluded.expires_at,
                                  coalesce(\(key.revoked), k.revoked_at IS NOT NULL))
            RETURNING k.revoked_at IS NOT NULL
            """
        ) { row throws(PostgresError) in try row.decode(0, as: Bool.self) }
        guard let isRevoked = changed.first else { return .none }
        return isRevoked ? .revoked : .alive
    }

    /// The sealed credentials of the provider called `name`; nil when there is none.
    public static func sealedCredentials(
        of name: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> [UInt8]? {
        try await transaction.query("SELECT credentials FROM providers WHERE name = \(name)") {
            row throws(PostgresError) in try row.decode(0, as: Bytes.self).bytes
        }.first
    }

    /// Makes a provider what it should be.
    public static func putProvider(
        _ provider: NewProvider, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> (id: ProviderID, changed: Bool) {
        let changed =
            try await transaction.execute(
                """
                INSERT INTO providers AS p (name, kind, url, credentials, sender, settings, in_flight_limit, rate_limit, rate_unit,
                                            timeout, slow_after, receipt_window, codes, enabled)
                VALUES (\(provider.name), \(provider.kind), \(provider.url), \(Bytes(provider.credentials)),
                        \(provider.sender), \(provider.settings), \(provider.inFlightLimit), \(provider.rateLimit),
                        \(provider.rateUnit?.rawValue), \(provider.timeout), \(provider.slowAfter),
                        \(provider.receiptWindow), \(provider.codes), \(provider.enabled))
                ON CONFLICT (name) DO UPDATE SET
                    kind = excluded.kind, url = excluded.url, credentials = excluded.credentials, sender = excluded.sender,
                    settings = excluded.settings, in_flight_limit = excluded.in_flight_limit,
                    rate_limit = excluded.rate_limit, rate_unit = excluded.rate_unit, timeout = excluded.timeout,
                    slow_after = excluded.slow_after, receipt_window = excluded.receipt_window, codes = excluded.codes,
                    enabled = excluded.enabled
                WHERE (p.kind, p.url, p.credentials, p.sender, p.settings, p.in_flight_limit, p.rate_limit, p.rate_unit, p.timeout,
                       p.slow_after, p.receipt_window, p.codes, p.enabled)
                    IS DISTINCT FROM (excluded.kind, excluded.url, excluded.credentials, excluded.sender,
                                      excluded.settings, excluded.in_flight_limit, excluded.rate_limit, excluded.rate_unit,
                                      excluded.timeout, excluded.slow_after, excluded.receipt_window, excluded.codes,
                                      excluded.enabled)
                """
            ) > 0
        let found = try await transaction.query("SELECT id FROM providers WHERE name = \(provider.name)") {
            row throws(PostgresError) in ProviderID(rawValue: try row.decode(0))
        }
        return (found[0], changed)
    }

    /// The provider or the account called `name`, for a route that names one from an earlier file.
    public static func provider(
        named name: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> (id: ProviderID, kind: String, url: String, credentials: [UInt8])? {
        try await transaction.query("SELECT id, kind, url, credentials FROM providers WHERE name = \(name)") {
            row throws(PostgresError) in
            (
                ProviderID(rawValue: try row.decode(0)), try row.decode(1, as: String.self),
                try row.decode(2, as: String.self), try row.decode(3, as: Bytes.self).bytes
            )
        }.first
    }

    public static func account(
        named name: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> AccountID? {
        try await transaction.query("SELECT id FROM accounts WHERE name = \(name)") { row throws(PostgresError) in
            AccountID(rawValue: try row.decode(0))
        }.first
    }

    /// The route of a place, made or changed; its `id` is not looked at. The first target stands in the route too, for processes of
    /// an earlier version.
    public static func putRoute(
        _ route: Route, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        let changed = try await transaction.query(
            """
            INSERT INTO routes AS r (account_id, channel, prefix, country, sender, priority, weighted, silence_limit, provider_id)
            VALUES (\(route.account?.rawValue), \(route.channel.rawValue), \(route.prefix), \(route.country), \(route.sender),
                    \(route.priority?.rawValue), \(route.isWeighted), \(route.silenceLimit),
                    \(route.targets[0].provider.rawValue))
            ON CONFLICT ON CONSTRAINT routes_place DO UPDATE SET
                weighted = excluded.weighted, silence_limit = excluded.silence_limit, provider_id = excluded.provider_id
            WHERE (r.weighted, r.silence_limit, r.provider_id)
                IS DISTINCT FROM (excluded.weighted, excluded.silence_limit, excluded.provider_id)
            RETURNING id
            """
        ) { row throws(PostgresError) in RouteID(rawValue: try row.decode(0)) }
        let found = try await Self.routeID(of: route, in: transaction)
        guard let id = changed.first ?? found else { return false }
        return try await Self.putTargets(route.targets, of: id, in: transaction) || !changed.isEmpty
    }

    /// Takes a route away, wherever it leads.
    public static func removeRoute(
        _ route: Route, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        guard let id = try await Self.routeID(of: route, in: transaction) else { return false }
        return try await transaction.execute("DELETE FROM routes WHERE id = \(id.rawValue)") > 0
    }

    // MARK: - Private

    private static func routeID(
        of route: Route, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> RouteID? {
        try await transaction.query(
            """
            SELECT id FROM routes
            WHERE account_id IS NOT DISTINCT FROM \(route.account?.rawValue) AND channel = \(route.channel.rawValue)
              AND prefix = \(route.prefix) AND country IS NOT DISTINCT FROM \(route.country)
              AND sender IS NOT DISTINCT FROM \(route.sender) AND priority IS NOT DISTINCT FROM \(route.priority?.rawValue)
            """
        ) { row throws(PostgresError) in RouteID(rawValue: try row.decode(0)) }.first
    }

    private static func putTargets(
        _ targets: [RouteTarget], of route: RouteID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        let positions = targets.indices.map { Int16($0) }
        // Away first: a provider may have changed its place, and has one in each route.
        let removed = try await transaction.execute(
            """
            DELETE FROM route_targets t WHERE route_id = \(route.rawValue) AND NOT EXISTS (
                SELECT FROM unnest(\(positions), \(targets.map(\.provider.rawValue))) AS n (position, provider_id)
                WHERE n.position = t.position AND n.provider_id = t.provider_id
            )
            """)
        let put = try await transaction.execute(
            """
            INSERT INTO route_targets AS t (route_id, position, provider_id, channel, weight, weight_low, weight_high)
            SELECT \(route.rawValue), * FROM unnest(
                \(positions), \(targets.map(\.provider.rawValue)), \(targets.map(\.channel.rawValue)), \(targets.map(\.weight)),
                \(targets.map(\.bounds.lowerBound)), \(targets.map(\.bounds.upperBound)))
            ON CONFLICT (route_id, position) DO UPDATE SET
                channel = excluded.channel, weight = excluded.weight, weight_low = excluded.weight_low,
                weight_high = excluded.weight_high
            WHERE (t.channel, t.weight, t.weight_low, t.weight_high)
                IS DISTINCT FROM (excluded.channel, excluded.weight, excluded.weight_low, excluded.weight_high)
            """)
        return removed + put > 0
    }
}
