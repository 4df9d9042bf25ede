import Crypto
import Messaging
import Postgres
import Store
import Testing
import Timestamps
import Verification

/// A database with an account that has an application and a template, and what sends and checks codes in it.
struct VerificationFixture {
    let base: StoreFixture
    let account: AccountID
    let keys: MasterKeys
    var application: StoredApplication
    let template: StoredTemplate

    var store: Store { self.base.store }
    static let number = "+41790000001"

    static func run(
        limit: Int = 4, recipientSendLimit: String = "1000/1d",
        _ adjust: (inout ApplicationSettings) -> Void = { _ in },
        _ body: (VerificationFixture) async throws -> Void
    ) async throws {
        try await StoreFixture.run(limit: limit) { base async throws in
            var settings = ApplicationSettings(name: "test")
            // Out of the way of tests that are about something else.
            settings.checkLimit = try #require(RateLimit("1000/1s"))
            settings.recipientSendLimit = try #require(RateLimit(recipientSendLimit))
            adjust(&settings)
            try await body(VerificationFixture(base, settings))
        }
    }

    init(_ base: StoreFixture, _ settings: ApplicationSettings, account name: String = "acme") async throws {
        self.base = base
        let ids = try await base.pool.query("INSERT INTO accounts (name) VALUES (\(name)) RETURNING id") {
            row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
        }
        self.account = ids[0]
        self.keys = try MasterKeys(parsing: "1:\(Base64.encode([UInt8](repeating: 7, count: 32)))")
        guard
            case .created(let application) = try await base.store.createApplication("app", settings, of: ids[0]),
            case .created(let template) = try await base.store.createTemplate(
                "template", .text(TextTemplate(format: CodeFormat(length: 4), text: TextPattern("{{pin}}"))),
                of: "app", account: ids[0]),
            let current = try await base.store.application(application.publicID, of: ids[0])
        else { throw FixtureError() }
        self.application = current
        self.template = template
    }

    struct FixtureError: Error {}

    func id() -> VerificationID { VerificationID(rawValue: self.base.newMessage().id) }

    static func recipient(_ number: String) throws -> Recipient { .phone(try #require(PhoneNumber(number))) }

    /// A new verification of the code 1234.
    func sending(
        to number: String = Self.number, id: VerificationID? = nil, key: IdempotencyKey? = nil
    ) throws -> Sending {
        let id = id ?? self.id()
        let mac = CodeMAC(
            try #require(Code(typed: "1234")), of: id, account: self.account, recipient: try Self.recipient(number),
            keys: self.keys)
        return Sending(
            account: self.account, verification: id, application: self.application, recipient: number,
            start: .init(template: self.template.id, mac: mac, sealedCode: [1, 1, 9]),
            message: self.base.newMessage(recipient: number), isTracked: false, idempotency: key)
    }

    func resending(_ id: VerificationID, number: String = Self.number) -> Sending {
        Sending(
            account: self.account, verification: id, application: self.application, recipient: number, start: nil,
            message: self.base.newMessage(recipient: number), isTracked: true)
    }

    func start(to number: String = Self.number, now: Timestamp? = nil) async throws -> VerificationID {
        let sending = try self.sending(to: number)
        #expect(try await self.store.send([sending], now: now) == [.sent])
        return sending.verification
    }

    func guess(_ id: VerificationID, _ typed: String, account: AccountID? = nil) throws -> Guess {
        let account = account ?? self.account
        let code = try #require(Code(typed: typed))
        return Guess(
            account: account, verification: id,
            macs: CodeMAC.guesses(code, at: id, account: account, keys: self.keys))
    }

    func check(_ id: VerificationID, _ typed: String, now: Timestamp? = nil) async throws -> CheckResult {
        try await self.store.check([try self.guess(id, typed)], now: now)[0]
    }
}
