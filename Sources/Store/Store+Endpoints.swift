public import Messaging
public import Postgres
public import Timestamps

/// What an endpoint should be, as the customer says.
public struct EndpointSettings: Sendable, Hashable {
    public var kind: EndpointKind
    public var url: String
    public var description = ""
    /// Empty for all.
    public var types: [String] = []
    /// Sealed JSON; see `CallbackSecrets`.
    public var secrets: [UInt8]?
    /// JSON: an object of texts.
    public var settings = "{}"
    public var inFlightLimit: Int16 = 8
    public var isEnabled = true

    public init(kind: EndpointKind, url: String) {
        self.kind = kind
        self.url = url
    }
}

/// An endpoint as it is stored.
public struct StoredEndpoint: Sendable, Hashable {
    public var id: EndpointID
    public var publicID: String
    public var settings: EndpointSettings
    /// By whom it was switched off: `customer`, `gone` or `failing`; nil while it is told.
    public var disabledBy: String?
    public var disabledAt: Timestamp?
    /// Since when nothing but failures came back.
    public var failingSince: Timestamp?
    public var createdAt: Timestamp
}

/// What ``Store/putEndpoint(_:_:of:in:)`` did.
public enum EndpointChange: Sendable, Hashable {
    case none, made, changed
    /// The account has ``Store/endpointLimit`` already.
    case tooMany
}

extension Store {
    /// Endpoints of an account, those not counted that a vendor's messages name themselves.
    public static let endpointLimit = 50

    /// An account's endpoints, the oldest first, without those that messages name themselves.
    public func endpoints(of account: AccountID) async throws(PostgresError) -> [StoredEndpoint] {
        try await self.pool.query(
            """
            SELECT \(Self.endpointColumns) FROM endpoints
            WHERE account_id = \(account.rawValue) AND kind <> 'bandwidth' AND deleted_at IS NULL ORDER BY id
            """,
            decode: StoredEndpoint.init)
    }

    public func endpoint(_ publicID: String, of account: AccountID) async throws(PostgresError) -> StoredEndpoint? {
        try await self.pool.query(
            """
            SELECT \(Self.endpointColumns) FROM endpoints
            WHERE account_id = \(account.rawValue) AND public_id = \(publicID) AND deleted_at IS NULL
            """,
            decode: StoredEndpoint.init
        ).first
    }

    /// As ``endpoint(_:of:)``, held against changes until the transaction ends.
    public static func endpoint(
        _ publicID: String, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> StoredEndpoint? {
        try await transaction.query(
            """
            SELECT \(Self.endpointColumns) FROM endpoints
            WHERE account_id = \(account.rawValue) AND public_id = \(publicID) AND deleted_at IS NULL FOR UPDATE
            """,
            decode: StoredEndpoint.init
        ).first
    }

    /// Makes an endpoint what it should be. One that was switched off and is switched on again begins anew: nothing is held
    /// against it.
    public static func putEndpoint(
        _ publicID: String, _ settings: EndpointSettings, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> EndpointChange {
        if let stored = try await Self.endpoint(publicID, of: account, in: transaction) {
            return try await Self.make(stored, settings, in: transaction)
        }
        // Alone among those that make one for this account. A statement of its own: those behind it see what whoever it
        // waited for has made, and it would not.
        try await transaction.execute("SELECT FROM accounts WHERE id = \(account.rawValue) FOR NO KEY UPDATE")
        if let stored = try await Self.endpoint(publicID, of: account, in: transaction) {
            return try await Self.make(stored, settings, in: transaction)
        }
        let count = try await transaction.query(
            """
            SELECT count(*) FROM endpoints
            WHERE account_id = \(account.rawValue) AND kind <> 'bandwidth' AND deleted_at IS NULL
            """
        ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }
        guard count[0] < Self.endpointLimit else { return .tooMany }
        try await transaction.execute(
            """
            INSERT INTO endpoints (account_id, public_id, kind, url, description, types, secrets, settings, in_flight_limit,
                                   disabled, disabled_at)
            VALUES (\(account.rawValue), \(publicID), \(settings.kind.rawValue), \(settings.url), \(settings.description),
                    \(settings.types), \(settings.secrets.map(Bytes.init)), \(settings.settings),
                    \(settings.inFlightLimit), CASE WHEN NOT \(settings.isEnabled) THEN 'customer' END,
                    CASE WHEN NOT \(settings.isEnabled) THEN now() END)
            """)
        return .made
    }

    /// Takes an endpoint away; false when there is none. Its name is not used again, and what it was still to be told is thrown
    /// away as it comes up.
    public static func deleteEndpoint(
        _ publicID: String, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        try await transaction.execute(
            """
            UPDATE endpoints SET
                deleted_at = now(), secrets = NULL, url = '', disabled = coalesce(disabled, 'customer'),
                disabled_at = coalesce(disabled_at, now()), public_id = public_id || ' ' || id
            WHERE account_id = \(account.rawValue) AND public_id = \(publicID) AND deleted_at IS NULL
            """
        ) > 0
    }

    /// Runs `body` in a transaction of its own.
    public func changingEndpoints<Value: Sendable>(
        _ body: (borrowing Transaction) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value { try await self.transaction(body) }

    // MARK: - Private

    private static func make(
        _ stored: StoredEndpoint, _ settings: EndpointSettings, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> EndpointChange {
        guard stored.settings != settings else { return .none }
        try await Self.change(stored, to: settings, in: transaction)
        return .changed
    }

    private static func change(
        _ stored: StoredEndpoint, to settings: EndpointSettings, in transaction: borrowing Transaction
    ) async throws(PostgresError) {
        try await transaction.execute(
            """
            UPDATE endpoints SET
                kind = \(settings.kind.rawValue), url = \(settings.url), description = \(settings.description),
                types = \(settings.types), secrets = \(settings.secrets.map(Bytes.init)), settings = \(settings.settings),
                in_flight_limit = \(settings.inFlightLimit)
            WHERE id = \(stored.id.rawValue)
            """)
        guard stored.settings.isEnabled != settings.isEnabled else { return }
        try await transaction.execute(
            """
            UPDATE endpoints SET
                disabled = CASE WHEN NOT \(settings.isEnabled) THEN 'customer' END,
                disabled_at = CASE WHEN NOT \(settings.isEnabled) THEN now() END, failing_since = NULL
            WHERE id = \(stored.id.rawValue)
            """)
    }

    private static let endpointColumns: SQL.Fragment = """
        id, public_id, kind, url, description, types, secrets, settings, in_flight_limit, disabled, disabled_at,
        failing_since, created_at
        """
}

extension StoredEndpoint {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        var settings = EndpointSettings(
            kind: try row.decode(2, oneOf: EndpointKind.self), url: try row.decode(3))
        settings.description = try row.decode(4)
        settings.types = try row.decode(5)
        settings.secrets = try row.decodeIfPresent(6, as: Bytes.self)?.bytes
        settings.settings = try row.decode(7)
        settings.inFlightLimit = try row.decode(8)
        let disabledBy = try row.decodeIfPresent(9, as: String.self)
        settings.isEnabled = disabledBy == nil
        self.init(
            id: EndpointID(rawValue: try row.decode(0)), publicID: try row.decode(1), settings: settings,
            disabledBy: disabledBy, disabledAt: try row.decodeIfPresent(10), failingSince: try row.decodeIfPresent(11),
            createdAt: try row.decode(12))
    }
}
