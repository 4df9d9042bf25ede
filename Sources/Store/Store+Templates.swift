import JSON
public import Messaging
public import Postgres
public import Verification

/// A template as it stands in its row.
public struct StoredTemplate: Sendable, Hashable {
    public var id: TemplateID
    /// What the customer calls it.
    public var publicID: String
    public var applicationPublicID: String
    public var template: Template

    public init(id: TemplateID, publicID: String, applicationPublicID: String, template: Template) {
        self.id = id
        self.publicID = publicID
        self.applicationPublicID = applicationPublicID
        self.template = template
    }
}

/// An application and one of its templates, as of one revision, with the words of its e-mail when it only names a number.
public struct SendingPlan: Sendable, Hashable {
    public var application: StoredApplication
    public var template: StoredTemplate
    /// Nil too when the account keeps nothing under the number; see `EmailContent.standard`.
    public var emailContent: EmailContent?

    public init(application: StoredApplication, template: StoredTemplate, emailContent: EmailContent?) {
        self.application = application
        self.template = template
        self.emailContent = emailContent
    }
}

/// What is known of an application and a template that a request names.
public enum SendingPlanResult: Sendable, Hashable {
    case plan(SendingPlan)
    case noApplication
    case noTemplate
}

// A stored template that this version cannot read, because a later one wrote it, is `PostgresError.decoding`, and its text is in
// no error.
extension Store {
    /// Templates of an application.
    public static let templateLimit = 1000

    /// An application's templates, the oldest first. Empty too when there is no such application.
    public func templates(
        of application: String, account: AccountID
    ) async throws(PostgresError) -> [StoredTemplate] {
        try await self.pool.query(
            """
            SELECT t.id, t.public_id, a.public_id, t.kind, t.definition
            FROM applications a JOIN templates t ON t.application_id = a.id
            WHERE a.account_id = \(account.rawValue) AND a.public_id = \(application) ORDER BY t.id
            """,
            decode: StoredTemplate.init)
    }

    /// An account's templates of the kind `text`, in whichever application, the oldest first.
    public func textTemplates(
        of account: AccountID, limit: Int32
    ) async throws(PostgresError) -> [StoredTemplate] {
        try await self.pool.query(
            """
            SELECT t.id, t.public_id, a.public_id, t.kind, t.definition
            FROM templates t JOIN applications a ON a.id = t.application_id
            WHERE t.account_id = \(account.rawValue) AND t.kind = 'text' ORDER BY t.id LIMIT \(limit)
            """,
            decode: StoredTemplate.init)
    }

    public func template(
        _ publicID: String, of application: String, account: AccountID
    ) async throws(PostgresError) -> StoredTemplate? {
        try await self.pool.query(Self.selection(of: publicID, application, account)) { row throws(PostgresError) in
            try StoredTemplate(row: row)
        }.first
    }

    /// As ``template(_:of:account:)``, in whichever of the account's applications it is.
    public func template(_ publicID: String, account: AccountID) async throws(PostgresError) -> StoredTemplate? {
        try await self.pool.query(
            """
            SELECT t.id, t.public_id, a.public_id, t.kind, t.definition
            FROM templates t JOIN applications a ON a.id = t.application_id
            WHERE t.account_id = \(account.rawValue) AND t.public_id = \(publicID)
            """,
            decode: StoredTemplate.init
        ).first
    }

    /// As ``template(_:of:account:)``, within a transaction.
    public static func template(
        _ publicID: String, of application: String, account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> StoredTemplate? {
        try await transaction.query(Self.selection(of: publicID, application, account)) { row throws(PostgresError) in
            try StoredTemplate(row: row)
        }.first
    }

    /// Makes a template, unless the account has one of this id, in whichever application, or the application has
    /// ``templateLimit`` of them.
    public func createTemplate(
        _ publicID: String, _ template: Template, of application: String, account: AccountID
    ) async throws(PostgresError) -> Creation<StoredTemplate> {
        try await self.transaction { transaction throws(PostgresError) in
            try await Self.createTemplate(publicID, template, of: application, account: account, in: transaction)
        }
    }

    /// As ``createTemplate(_:_:of:account:)``, within a transaction.
    public static func createTemplate(
        _ publicID: String, _ template: Template, of application: String, account: AccountID,
        in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Creation<StoredTemplate> {
        // Whoever else makes one waits here, and so counts this one.
        let parent = try await transaction.query(
            """
            SELECT id FROM applications WHERE account_id = \(account.rawValue) AND public_id = \(application)
            FOR NO KEY UPDATE
            """
        ) { row throws(PostgresError) in try row.decode(0, as: Int32.self) }.first
        guard let parent else { return .noApplication }
        let count = try await transaction.query("SELECT count(*) FROM templates WHERE application_id = \(parent)") {
            row throws(PostgresError) in try row.decode(0, as: Int64.self)
        }[0]
        guard count < Self.templateLimit else { return .tooMany }
        let made = try await transaction.query(
            """
            WITH made AS (
                INSERT INTO templates (account_id, application_id, public_id, kind, definition)
                VALUES (\(account.rawValue), \(parent), \(publicID), \(template.kind.rawValue), \(template.definition))
                ON CONFLICT DO NOTHING RETURNING id
            ), raised AS (
                UPDATE applications SET revision = revision + 1 WHERE id = \(parent) AND EXISTS (SELECT FROM made)
            )
            SELECT id FROM made
            """
        ) { row throws(PostgresError) in TemplateID(rawValue: try row.decode(0)) }.first
        guard let made else { return .idTaken }
        return .created(
            StoredTemplate(id: made, publicID: publicID, applicationPublicID: application, template: template))
    }

    /// Nil when it is not what `old` says any more or is gone: read it again and merge again.
    public func updateTemplate(
        _ publicID: String, from old: Template, to new: Template, of application: String, account: AccountID
    ) async throws(PostgresError) -> StoredTemplate? {
        try await self.transaction { transaction throws(PostgresError) in
            try await Self.updateTemplate(
                publicID, from: old, to: new, of: application, account: account, in: transaction)
        }
    }

    /// As ``updateTemplate(_:from:to:of:account:)``, within a transaction.
    ///
    /// What is stored is compared as a value and not as a text: another version may have written the same differently.
    public static func updateTemplate(
        _ publicID: String, from old: Template, to new: Template, of application: String, account: AccountID,
        in transaction: borrowing Transaction
    ) async throws(PostgresError) -> StoredTemplate? {
        try await transaction.execute(
            """
            SELECT FROM applications WHERE account_id = \(account.rawValue) AND public_id = \(application)
            FOR NO KEY UPDATE
            """)
        let stored = try await Self.template(publicID, of: application, account: account, in: transaction)
        guard var stored, stored.template == old else { return nil }
        try await transaction.execute(
            """
            WITH changed AS (
                UPDATE templates SET kind = \(new.kind.rawValue), definition = \(new.definition) WHERE id = \(stored.id.rawValue)
                RETURNING application_id
            )
            UPDATE applications SET revision = revision + 1 WHERE id IN (SELECT application_id FROM changed)
            """)
        stored.template = new
        return stored
    }

    // MARK: - Sending

    /// What a request to send a code needs to know: a look-up by keys.
    public func sendingPlan(
        application: String, template: String, account: AccountID
    ) async throws(PostgresError) -> SendingPlanResult {
        try await self.pool.query(
            """
            SELECT a.id, a.public_id, a.revision, a.name, a.enabled, a.attempt_limit, a.allows_reuse, a.time_to_live,
                   a.check_limit, a.application_send_limit, a.recipient_send_limit, a.send_limit, a.resend_cooldown,
                   t.id, t.public_id, t.kind, t.definition, c.subject, c.text
            FROM applications a
            LEFT JOIN templates t
                ON t.account_id = a.account_id AND t.public_id = \(template) AND t.application_id = a.id
            LEFT JOIN email_contents c ON c.account_id = a.account_id
                AND c.number = CASE t.kind WHEN 'email' THEN (t.definition::json ->> 'email_content')::bigint END
            WHERE a.account_id = \(account.rawValue) AND a.public_id = \(application)
            """,
            decode: SendingPlanResult.init
        ).first ?? .noApplication
    }

    /// The words that an account keeps under a number.
    public func emailContent(_ number: Int64, of account: AccountID) async throws(PostgresError) -> EmailContent? {
        try await self.pool.query(
            "SELECT subject, text FROM email_contents WHERE account_id = \(account.rawValue) AND number = \(number)"
        ) { row throws(PostgresError) in
            EmailContent(subject: TextPattern(try row.decode(0)), text: TextPattern(try row.decode(1)))
        }.first
    }

    /// Makes what an account keeps under a number what it should be, and raises the revision of all its applications when
    /// that changes anything.
    public static func putEmailContent(
        _ number: Int64, _ content: EmailContent, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        let changed = try await transaction.query(
            """
            WITH changed AS (
                INSERT INTO email_contents AS c (account_id, number, subject, text)
                VALUES (\(account.rawValue), \(number), \(content.subject.text), \(content.text.text))
                ON CONFLICT (account_id, number) DO UPDATE SET subject = excluded.subject, text = excluded.text
                WHERE (c.subject, c.text) IS DISTINCT FROM (excluded.subject, excluded.text)
                RETURNING account_id
            ), raised AS (
                UPDATE applications SET revision = revision + 1
                WHERE account_id IN (SELECT account_id FROM changed)
            )
            SELECT account_id FROM changed
            """
        ) { row throws(PostgresError) in try row.decode(0, as: Int32.self) }
        return !changed.isEmpty
    }

    // MARK: - Private

    private static func selection(of publicID: String, _ application: String, _ account: AccountID) -> SQL {
        """
        SELECT t.id, t.public_id, a.public_id, t.kind, t.definition
        FROM templates t JOIN applications a ON a.id = t.application_id
        WHERE t.account_id = \(account.rawValue) AND t.public_id = \(publicID) AND a.public_id = \(application)
        """
    }
}

extension StoredTemplate {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        self.init(
            id: TemplateID(rawValue: try row.decode(0)), publicID: try row.decode(1),
            applicationPublicID: try row.decode(2), template: try Template(row: row, kind: 3, definition: 4))
    }
}

extension SendingPlanResult {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        guard let templateID = try row.decodeIfPresent(13, as: Int32.self) else {
            self = .noTemplate
            return
        }
        let application = try StoredApplication(row: row)
        let template = StoredTemplate(
            id: TemplateID(rawValue: templateID), publicID: try row.decode(14),
            applicationPublicID: application.publicID, template: try Template(row: row, kind: 15, definition: 16))
        var plan = SendingPlan(application: application, template: template, emailContent: nil)
        if let subject = try row.decodeIfPresent(17, as: String.self) {
            plan.emailContent = EmailContent(
                subject: TextPattern(subject), text: TextPattern(try row.decode(18)))
        }
        self = .plan(plan)
    }
}

extension Template {
    fileprivate var definition: String { JSON.object(self.members(names: .own)).text }

    fileprivate init(row: borrowing Row, kind: Int, definition: Int) throws(PostgresError) {
        let kind = try row.decode(kind, oneOf: Kind.self)
        let text = try row.decode(definition, as: String.self)
        var reader = FieldReader()
        guard
            let json = try? JSON(parsing: Array(text.utf8)),
            let template = Template(
                json, kind: kind, names: .own, defaultLength: CodeFormat.ownLength, reader: &reader)
        else { throw .decoding(column: definition, expected: "template that this version can read") }
        self = template
    }
}
