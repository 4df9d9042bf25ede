public import Messaging
public import Postgres
public import Routing
public import Timestamps

/// What processes keep in memory of accounts, keys, credentials, providers, routes and prices, as of one revision.
public struct Directory: Sendable {
    public var revision: Int64
    /// How many lanes there are.
    public var laneCount = 1
    public var keys: [StoredKey]
    public var credentials: [StoredCredential]
    public var providers: [StoredProvider]
    public var routes: [Route]
    public var prices: [StoredPrice] = []
    public var endpoints: [StoredEndpointName] = []
    /// The accounts of whose messages some number has opted out.
    public var accountsWithOptOuts: [AccountID] = []
    /// What each account's file says of its guard, as JSON.
    public var guardPolicies: [AccountID: String] = [:]
    /// Whom to ask about numbers; nil: nobody.
    public var lookUp: StoredLookUp?
}

/// A key that may be used; revoked ones are not read.
public struct StoredKey: Sendable {
    public var id: Int32
    public var account: AccountID
    public var accountName: String
    /// SHA-256 of the key.
    public var digest: [UInt8]
    public var scopes: [String]
    public var expiresAt: Timestamp?
}

/// What a customer may show in a vendor's API; revoked ones are not read.
public struct StoredCredential: Sendable, Hashable {
    public var id: Int32
    public var account: AccountID
    public var accountName: String
    public var vendor: Vendor
    /// The user name, or the key that goes with a secret.
    public var name: String
    /// Sealed JSON: an object of names and secrets.
    public var secrets: [UInt8]
    /// JSON: an object of texts.
    public var settings: String
    public var scopes: [String]
}

public struct StoredProvider: Sendable, Hashable {
    public var id: ProviderID
    public var name: String
    public var kind: String
    public var url: String
    /// Sealed JSON.
    public var credentials: [UInt8]
    public var sender: String?
    /// JSON: an object of texts.
    public var settings: String
    /// Requests at once, over all workers.
    public var inFlightLimit: Int32
    /// Messages a second, or segments of them, over all workers.
    public var rateLimit: Int32
    /// What the rate counts; nil as is usual for its kind.
    public var rateUnit: RateUnit?
    /// For one request.
    public var timeout: Duration
    /// A code that may go elsewhere does so when there has been no answer for so long.
    public var slowAfter: Duration
    /// How long its receipts may take; nil as is usual for its kind.
    public var receiptWindow: Duration?
    /// The operator's own reading of its codes, as CSV.
    public var codes: String
    public var enabled: Bool
}

/// What one segment of a message costs, or a call, or a mail.
public struct StoredPrice: Sendable, Hashable {
    /// Nil: for every account.
    public var account: AccountID?
    public var channel: Channel
    public var prefix: String
    public var price: Price

    public init(account: AccountID?, channel: Channel, prefix: String, price: Price) {
        self.account = account
        self.channel = channel
        self.prefix = prefix
        self.price = price
    }
}

/// What a vendor's endpoint is called; those of kind `standard` are not read.
public struct StoredEndpointName: Sendable, Hashable {
    public var id: EndpointID
    public var account: AccountID
    public var kind: EndpointKind
    /// What the customer calls it.
    public var publicID: String

    public init(id: EndpointID, account: AccountID, kind: EndpointKind, publicID: String) {
        self.id = id
        self.account = account
        self.kind = kind
        self.publicID = publicID
    }
}

extension Store {
    /// The number that every change of the configuration raises.
    public func configurationRevision() async throws(PostgresError) -> Int64 {
        try await self.pool.query("SELECT revision FROM configuration") { row throws(PostgresError) in
            try row.decode(0, as: Int64.self)
        }.first ?? 0
    }

    /// Everything that processes keep in memory.
    ///
    /// The revision is read first: a change that comes in between is read now and once more at the next look.
    public func directory() async throws(PostgresError) -> Directory {
        let revision = try await self.configurationRevision()
        return Directory(
            revision: revision, laneCount: try await self.lanes().count, keys: try await self.keys(),
            credentials: try await self.credentials(),
            providers: try await self.providers(), routes: try await self.routes(), prices: try await self.prices(),
            endpoints: try await self.vendorEndpoints(), accountsWithOptOuts: try await self.accountsWithOptOuts(),
            guardPolicies: try await self.guardPolicies(),
            lookUp: try await self.lookUp())
    }

    private func keys() async throws(PostgresError) -> [StoredKey] {
        try await self.pool.query(
            """
            SELECT k.id, k.account_id, a.name, k.digest, k.scopes, k.expires_at
            FROM api_keys k JOIN accounts a ON a.id = k.account_id
            WHERE k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true)
            """
        ) { row throws(PostgresError) in
            StoredKey(
                id: try row.decode(0), account: AccountID(rawValue: try row.decode(1)), accountName: try row.decode(2),
                digest: try row.decode(3, as: Bytes.self).bytes, scopes: try row.decode(4),
                expiresAt: try row.decodeIfPresent(5)
            )
        }
    }

    private func credentials() async throws(PostgresError) -> [StoredCredential] {
        try await self.pool.query(
            """
            SELECT c.id, c.account_id, a.name, c.vendor, c.name, c.secrets, c.settings, c.scopes
            FROM credentials c JOIN accounts a ON a.id = c.account_id
            -- A later version may know more vendors; what is theirs must not keep this one from seeing the rest.
            WHERE c.revoked_at IS NULL AND c.vendor = ANY(\(Vendor.allCases.map(\.rawValue))) ORDER BY c.id
            """
        ) { row throws(PostgresError) in
            StoredCredential(
                id: try row.decode(0), account: AccountID(rawValue: try row.decode(1)), accountName: try row.decode(2),
                vendor: try row.decode(3, oneOf: Vendor.self), name: try row.decode(4),
                secrets: try row.decode(5, as: Bytes.self).bytes, settings: try row.decode(6), scopes: try row.decode(7)
            )
        }
    }

    private func providers() async throws(PostgresError) -> [StoredProvider] {
        try await self.pool.query(
            """
            SELECT id, name, kind, url, credentials, sender, settings, in_flight_limit, rate_limit, rate_unit, timeout,
                   slow_after, receipt_window, codes, enabled
            FROM providers ORDER BY id
            """
        ) { row throws(PostgresError) in
            StoredProvider(
                id: ProviderID(rawValue: try row.decode(0)), name: try row.decode(1), kind: try row.decode(2),
                url: try row.decode(3), credentials: try row.decode(4, as: Bytes.self).bytes,
                sender: try row.decodeIfPresent(5), settings: try row.decode(6), inFlightLimit: try row.decode(7),
                rateLimit: try row.decode(8),
                rateUnit: try row.decodeIfPresent(9, as: String.self).flatMap(RateUnit.init),
                timeout: try row.decode(10), slowAfter: try row.decode(11),
                receiptWindow: try row.decodeIfPresent(12), codes: try row.decode(13), enabled: try row.decode(14)
            )
        }
    }

    /// All routes with their targets, as they stand now.
    public func routes() async throws(PostgresError) -> [Route] {
        let targets = try await self.routeTargets()
        let routes = try await self.pool.query(
            "SELECT id, account_id, channel, prefix, country, sender, priority, weighted, silence_limit FROM routes"
        ) { row throws(PostgresError) in
            let id = RouteID(rawValue: try row.decode(0))
            return Route(
                id: id, account: try row.decodeIfPresent(1, as: Int32.self).map(AccountID.init(rawValue:)),
                channel: try row.decode(2, oneOf: Channel.self), prefix: try row.decode(3),
                country: try row.decodeIfPresent(4), sender: try row.decodeIfPresent(5),
                priority: try row.decodeIfPresent(6, as: Int16.self).flatMap(Priority.init(rawValue:)),
                isWeighted: try row.decode(7), silenceLimit: try row.decodeIfPresent(8), targets: targets[id] ?? [])
        }
        // Taken away between the two readings.
        return routes.filter { !$0.targets.isEmpty }
    }

    private func routeTargets() async throws(PostgresError) -> [RouteID: [RouteTarget]] {
        let targets = try await self.pool.query(
            """
            SELECT t.route_id, t.provider_id, t.channel, t.weight, t.weight_low, t.weight_high, p.enabled
            FROM route_targets t JOIN providers p ON p.id = t.provider_id ORDER BY t.route_id, t.position
            """
        ) { row throws(PostgresError) in
            let (low, high) = (try row.decode(4, as: Int32.self), try row.decode(5, as: Int32.self))
            var target = RouteTarget(
                provider: ProviderID(rawValue: try row.decode(1)), channel: try row.decode(2, oneOf: Channel.self),
                weight: try row.decode(3), bounds: low...max(low, high))
            target.isServed = try row.decode(6)
            return (route: RouteID(rawValue: try row.decode(0)), target: target)
        }
        return Dictionary(grouping: targets, by: \.route).mapValues { $0.map(\.target) }
    }

    private func prices() async throws(PostgresError) -> [StoredPrice] {
        try await self.pool.query(
            "SELECT account_id, channel, prefix, price, network FROM prices", decode: StoredPrice.init)
    }

    private func vendorEndpoints() async throws(PostgresError) -> [StoredEndpointName] {
        try await self.pool.query(
            """
            SELECT id, account_id, kind, public_id FROM endpoints
            WHERE kind IN ('infobip', 'nexmo') AND deleted_at IS NULL ORDER BY id
            """
        ) { row throws(PostgresError) in
            StoredEndpointName(
                id: EndpointID(rawValue: try row.decode(0)), account: AccountID(rawValue: try row.decode(1)),
                kind: try row.decode(2, oneOf: EndpointKind.self), publicID: try row.decode(3))
        }
    }
}

extension StoredPrice {
    init(row: borrowing Row) throws(PostgresError) {
        self.init(
            account: try row.decodeIfPresent(0, as: Int32.self).map(AccountID.init(rawValue:)),
            channel: try row.decode(1, oneOf: Channel.self), prefix: try row.decode(2),
            price: Price(amount: Money(rawValue: try row.decode(3)), network: try row.decodeIfPresent(4)))
    }
}
