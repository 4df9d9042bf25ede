public import Messaging
public import Postgres
public import Verification

/// An application as it stands in its row.
public struct StoredApplication: Sendable, Hashable {
    public var id: ApplicationID
    /// What the customer calls it.
    public var publicID: String
    public var settings: ApplicationSettings
    /// Raised by every change of the application, of its templates, and of the account's words for e-mails.
    public var revision: Int32

    public init(id: ApplicationID, publicID: String, settings: ApplicationSettings, revision: Int32) {
        self.id = id
        self.publicID = publicID
        self.settings = settings
        self.revision = revision
    }
}

/// What became of something that was to be made.
public enum Creation<Value: Sendable>: Sendable {
    case created(Value)
    /// The account has one of this id already.
    case idTaken
    case tooMany
    /// There is no such application to make it in.
    case noApplication
}

extension Creation: Equatable where Value: Equatable {}

// Locks are taken in one order, the account's row, the application's, the template's, so that no two changes wait for each
// other. None of them is in the way of rows that refer to the locked one.
extension Store {
    /// Applications of an account.
    public static let applicationLimit = 1000

    /// An account's applications, the oldest first.
    public func applications(of account: AccountID) async throws(PostgresError) -> [StoredApplication] {
        try await self.pool.query(
            """
            SELECT id, public_id, revision, name, enabled, attempt_limit, allows_reuse, time_to_live, check_limit,
                   application_send_limit, recipient_send_limit, send_limit, resend_cooldown
            FROM applications WHERE account_id = \(account.rawValue) ORDER BY id
            """,
            decode: StoredApplication.init)
    }

    public func application(
        _ publicID: String, of account: AccountID
    ) async throws(PostgresError) -> StoredApplication? {
        try await self.pool.query(Self.selection(of: publicID, account), decode: StoredApplication.init).first
    }

    /// As ``application(_:of:)``, within a transaction.
    public static func application(
        _ publicID: String, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> StoredApplication? {
        try await transaction.query(Self.selection(of: publicID, account), decode: StoredApplication.init).first
    }

    /// Whether an account has applications at all.
    public func hasApplications(_ account: AccountID) async throws(PostgresError) -> Bool {
        try await self.pool.query(
            "SELECT EXISTS (SELECT FROM applications WHERE account_id = \(account.rawValue))"
        ) { row throws(PostgresError) in try row.decode(0) }[0]
    }

    /// Makes an application, unless the account has one of this id or ``applicationLimit`` of them.
    public func createApplication(
        _ publicID: String, _ settings: ApplicationSettings, of account: AccountID
    ) async throws(PostgresError) -> Creation<StoredApplication> {
        try await self.transaction { transaction throws(PostgresError) in
            try await Self.createApplication(publicID, settings, of: account, in: transaction)
        }
    }

    /// As ``createApplication(_:_:of:)``, within a transaction.
    public static func createApplication(
        _ publicID: String, _ settings: ApplicationSettings, of account: AccountID,
        in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Creation<StoredApplication> {
        // Whoever else makes one waits here, and so counts this one.
        try await transaction.execute("SELECT FROM accounts WHERE id = \(account.rawValue) FOR NO KEY UPDATE")
        let count = try await transaction.query(
            "SELECT count(*) FROM applications WHERE account_id = \(account.rawValue)"
        ) { row throws(PostgresError) in try row.decode(0, as: Int64.self) }[0]
        guard count < Self.applicationLimit else { return .tooMany }
        let made = try await transaction.query(
            """
            INSERT INTO applications (account_id, public_id, name, enabled, attempt_limit, allows_reuse, time_to_live,
                                      check_limit, application_send_limit, recipient_send_limit, send_limit, resend_cooldown)
            VALUES (\(account.rawValue), \(publicID), \(settings.name), \(settings.isEnabled), \(settings.attemptLimit),
                    \(settings.allowsReuse), \(settings.timeToLive.text), \(settings.checkLimit.text),
                    \(settings.applicationSendLimit.text), \(settings.recipientSendLimit.text), \(settings.sendLimit),
                    \(settings.resendCooldown?.text))
            ON CONFLICT DO NOTHING RETURNING id, revision
            """
        ) { row throws(PostgresError) in try StoredApplication(changed: row, publicID: publicID, settings: settings) }
        return made.first.map { .created($0) } ?? .idTaken
    }

    /// Nil when it changed since `revision` or is gone: read it again and merge again.
    public func updateApplication(
        _ publicID: String, _ settings: ApplicationSettings, of account: AccountID, revision: Int32
    ) async throws(PostgresError) -> StoredApplication? {
        try await self.pool.query(Self.update(of: publicID, settings, account, revision: revision)) {
            row throws(PostgresError) in
            try StoredApplication(changed: row, publicID: publicID, settings: settings)
        }.first
    }

    /// As ``updateApplication(_:_:of:revision:)``, within a transaction.
    public static func updateApplication(
        _ publicID: String, _ settings: ApplicationSettings, of account: AccountID, revision: Int32,
        in transaction: borrowing Transaction
    ) async throws(PostgresError) -> StoredApplication? {
        try await transaction.query(Self.update(of: publicID, settings, account, revision: revision)) {
            row throws(PostgresError) in
            try StoredApplication(changed: row, publicID: publicID, settings: settings)
        }.first
    }

    // MARK: - Private

    private static func selection(of publicID: String, _ account: AccountID) -> SQL {
        """
        SELECT id, public_id, revision, name, enabled, attempt_limit, allows_reuse, time_to_live, check_limit,
               application_send_limit, recipient_send_limit, send_limit, resend_cooldown
        FROM applications WHERE account_id = \(account.rawValue) AND public_id = \(publicID)
        """
    }

    private static func update(
        of publicID: String, _ settings: ApplicationSettings, _ account: AccountID, revision: Int32
    ) -> SQL {
        """
        UPDATE applications SET
            name = \(settings.name), enabled = \(settings.isEnabled), attempt_limit = \(settings.attemptLimit),
            allows_reuse = \(settings.allowsReuse), time_to_live = \(settings.timeToLive.text),
            check_limit = \(settings.checkLimit.text),
            application_send_limit = \(settings.applicationSendLimit.text),
            recipient_send_limit = \(settings.recipientSendLimit.text), send_limit = \(settings.sendLimit),
            resend_cooldown = \(settings.resendCooldown?.text), revision = revision + 1
        WHERE account_id = \(account.rawValue) AND public_id = \(publicID) AND revision = \(revision)
        RETURNING id, revision
        """
    }
}

extension StoredApplication {
    /// The thirteen columns that the statements here read.
    init(row: borrowing Row) throws(PostgresError) {
        var settings = ApplicationSettings(name: try row.decode(3))
        settings.isEnabled = try row.decode(4)
        settings.attemptLimit = try row.decode(5)
        settings.allowsReuse = try row.decode(6)
        settings.timeToLive = try row.decode(7) { Period($0) }
        settings.checkLimit = try row.decode(8) { RateLimit($0, ceiling: Period.day) }
        settings.applicationSendLimit = try row.decode(9) { RateLimit($0) }
        settings.recipientSendLimit = try row.decode(10) { RateLimit($0) }
        settings.sendLimit = try row.decodeIfPresent(11)
        if try row.decodeIfPresent(12, as: String.self) != nil {
            settings.resendCooldown = try row.decode(12) { Period($0) }
        }
        self.init(
            id: ApplicationID(rawValue: try row.decode(0)), publicID: try row.decode(1), settings: settings,
            revision: try row.decode(2))
    }

    fileprivate init(
        changed row: borrowing Row, publicID: String, settings: ApplicationSettings
    ) throws(PostgresError) {
        self.init(
            id: ApplicationID(rawValue: try row.decode(0)), publicID: publicID, settings: settings,
            revision: try row.decode(1))
    }
}

extension Row {
    /// A text that was checked when it was stored. Another version may have written what this one does not understand.
    fileprivate func decode<Value>(
        _ column: Int, _ parse: (String) -> Value?
    ) throws(PostgresError) -> Value {
        guard let value = parse(try self.decode(column, as: String.self)) else {
            throw .decoding(column: column, expected: "\(Value.self)")
        }
        return value
    }
}
