import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Verification

/// An account with applications, and a stranger beside it.
private struct Accounts {
    let system: TestSystem
    let own: AccountID
    let stranger: AccountID

    var store: Store { self.system.store }

    static func run(limit: Int = 4, _ body: (Accounts) async throws -> Void) async throws {
        try await TestSystem.run(limit: limit) { system async throws in
            let ids = try await system.pool.query(
                "INSERT INTO accounts (name) VALUES ('own'), ('stranger') RETURNING id"
            ) { row throws(PostgresError) in AccountID(rawValue: try row.decode(0)) }
            try await body(Accounts(system: system, own: ids[0], stranger: ids[1]))
        }
    }

    @discardableResult
    func create(_ id: String) async throws -> StoredApplication {
        guard case .created(let application) = try await self.store.createApplication(id, .sample, of: self.own) else {
            preconditionFailure("nothing is in the way")
        }
        return application
    }

    @discardableResult
    func create(_ id: String, _ template: Template = .sample, in application: String) async throws -> StoredTemplate {
        let creation = try await self.store.createTemplate(id, template, of: application, account: self.own)
        guard case .created(let template) = creation else { preconditionFailure("nothing is in the way") }
        return template
    }

    /// What `count` tasks return that are all under way before any of them can read or write a template or an application.
    func together<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            try await self.system.locking("applications, templates") {
                for number in 0..<count { group.addTask { try await body(number) } }
                try await self.system.wait(for: TestSystem.lockWaits, is: count)
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    func revision(_ application: String) async throws -> Int32? {
        try await self.store.application(application, of: self.own)?.revision
    }
}

extension ApplicationSettings {
    /// No field as it is by default.
    fileprivate static var sample: ApplicationSettings {
        var settings = ApplicationSettings(name: "Login")
        settings.isEnabled = false
        settings.attemptLimit = 5
        settings.allowsReuse = false
        settings.timeToLive = Period("m")!
        settings.checkLimit = RateLimit("2/4s")!
        settings.applicationSendLimit = RateLimit("5000/12h")!
        settings.recipientSendLimit = RateLimit("7/h")!
        settings.sendLimit = 3
        settings.resendCooldown = Period("30s")!
        return settings
    }
}

extension Template {
    fileprivate static var sample: Template { .text(.init(format: .init(length: 6), text: .init("Code {{pin}}"))) }

    /// Every field of a template is set in one of these.
    fileprivate static var full: [Template] {
        var text = TextTemplate(
            format: .init(alphabet: .hex, length: 8), text: TextPattern("{{ pin }} für \"{{name}}\""))
        text.sender = "Acme"
        text.language = "pt_br"
        text.voice = "Joana"
        text.repeatDTMF = "1#"
        text.speechRate = 0.7
        text.indiaDLT = IndiaDLT(principalEntityID: "1", contentTemplateID: "2", teleMarketerID: "3")
        var numbered = EmailTemplate(format: .init(length: 4))
        numbered.contentNumber = 1234
        numbered.sender = "codes@example.com"
        numbered.landingPage = "page"
        var worded = EmailTemplate(format: .init(length: 4))
        worded.subject = TextPattern("Your code")
        worded.text = TextPattern("It is {{pin}}")
        return [.text(text), .email(numbered), .email(worded)]
    }
}

@Suite(.bothWays) struct ApplicationTests {
    @Test func anApplicationIsReadAsItWasWritten() async throws {
        try await Accounts.run { accounts async throws in
            let made = try await accounts.create("login")
            #expect(made.settings == .sample && made.revision == 1)
            #expect(try await accounts.store.application("login", of: accounts.own) == made)
            let plain = ApplicationSettings(name: "Plain")
            guard case .created = try await accounts.store.createApplication("plain", plain, of: accounts.own) else {
                Issue.record("was not made")
                return
            }
            let all = try await accounts.store.applications(of: accounts.own)
            #expect(all.map(\.publicID) == ["login", "plain"])
            #expect(all.map(\.settings) == [.sample, plain])
        }
    }

    @Test func anotherAccountsApplicationDoesNotExist() async throws {
        try await Accounts.run { accounts async throws in
            try await accounts.create("login")
            try await accounts.create("text", in: "login")
            let (store, stranger) = (accounts.store, accounts.stranger)
            #expect(try await store.applications(of: stranger).isEmpty)
            #expect(try await store.application("login", of: stranger) == nil)
            #expect(try await store.updateApplication("login", .sample, of: stranger, revision: 2) == nil)
            #expect(try await store.templates(of: "login", account: stranger).isEmpty)
            #expect(try await store.template("text", of: "login", account: stranger) == nil)
            #expect(
                try await store.createTemplate("t", .sample, of: "login", account: stranger) == .noApplication)
            let changed = try await store.updateTemplate(
                "text", from: .sample, to: .full[0], of: "login", account: stranger)
            #expect(changed == nil)
            let plan = try await store.sendingPlan(application: "login", template: "text", account: stranger)
            #expect(plan == .noApplication)
            // And its ids are free to use.
            guard case .created = try await store.createApplication("login", .sample, of: stranger) else {
                Issue.record("was not made")
                return
            }
            #expect(try await store.createTemplate("text", .sample, of: "login", account: stranger).isCreated)
        }
    }

    @Test func anIDIsTakenOnce() async throws {
        try await Accounts.run { accounts async throws in
            try await accounts.create("login")
            try await accounts.create("other")
            try await accounts.create("text", in: "login")
            #expect(try await accounts.store.createApplication("login", .sample, of: accounts.own) == .idTaken)
            for application in ["login", "other"] {
                let revision = try await accounts.revision(application)
                let second = try await accounts.store.createTemplate(
                    "text", .sample, of: application, account: accounts.own)
                #expect(second == .idTaken)
                #expect(try await accounts.revision(application) == revision)
            }
        }
    }

    @Test func anUpdateThatComesSecondChangesNothing() async throws {
        try await Accounts.run { accounts async throws in
            let made = try await accounts.create("login")
            var settings = made.settings
            settings.sendLimit = nil
            settings.resendCooldown = nil
            let changed = try await accounts.store.updateApplication(
                "login", settings, of: accounts.own, revision: made.revision)
            #expect(changed?.revision == 2)
            #expect(try await accounts.store.application("login", of: accounts.own) == changed)
            let second = try await accounts.store.updateApplication(
                "login", .sample, of: accounts.own, revision: made.revision)
            #expect(second == nil)
            #expect(try await accounts.store.application("login", of: accounts.own) == changed)
        }
    }

    @Test(arguments: Template.full)
    func aTemplateIsReadAsItWasWritten(template: Template) async throws {
        try await Accounts.run { accounts async throws in
            try await accounts.create("login")
            let first = try await accounts.create("first", in: "login")
            let made = try await accounts.create("second", template, in: "login")
            #expect(made.template == template && made.applicationPublicID == "login")
            #expect(try await accounts.store.template("second", of: "login", account: accounts.own) == made)
            #expect(try await accounts.store.templates(of: "login", account: accounts.own) == [first, made])
            try await accounts.create("other")
            #expect(try await accounts.store.template("second", of: "other", account: accounts.own) == nil)
        }
    }

    @Test func aTemplateIsChangedFromWhatItWas() async throws {
        try await Accounts.run { accounts async throws in
            try await accounts.create("login")
            try await accounts.create("text", in: "login")
            let change = { (old: Template, new: Template) async throws in
                try await accounts.store.updateTemplate("text", from: old, to: new, of: "login", account: accounts.own)
            }
            let changed = try await change(.sample, .full[1])
            #expect(changed?.template == .full[1])
            #expect(try await accounts.store.template("text", of: "login", account: accounts.own) == changed)
            #expect(try await change(.sample, .full[2]) == nil)
            #expect(try await accounts.store.template("text", of: "login", account: accounts.own) == changed)
        }
    }

    @Test func everyChangeRaisesTheApplicationsRevision() async throws {
        try await Accounts.run { accounts async throws in
            try await accounts.create("login")
            try await accounts.create("other")
            try await accounts.create("text", in: "login")
            #expect(try await accounts.revision("login") == 2)
            _ = try await accounts.store.updateTemplate(
                "text", from: .sample, to: .full[0], of: "login", account: accounts.own)
            #expect(try await accounts.revision("login") == 3)
            #expect(try await accounts.revision("other") == 1)
            for (text, isChange) in [("{{pin}}", true), ("{{pin}}", false), ("{{pin}}!", true)] {
                let before = try await [accounts.revision("login"), accounts.revision("other")]
                let content = EmailContent(subject: TextPattern("Code"), text: TextPattern(text))
                let changed = try await accounts.system.pool.transaction { transaction in
                    try await Store.putEmailContent(7, content, of: accounts.own, in: transaction)
                }
                #expect(changed == isChange)
                let after = try await [accounts.revision("login"), accounts.revision("other")]
                #expect(after == before.map { $0.map { $0 + (isChange ? 1 : 0) } })
                #expect(try await accounts.store.emailContent(7, of: accounts.own) == content)
            }
            #expect(try await accounts.store.emailContent(7, of: accounts.stranger) == nil)
        }
    }

    @Test func aPlanHoldsAllThatASendingNeeds() async throws {
        try await Accounts.run { accounts async throws in
            let store = accounts.store
            try await accounts.create("login")
            try await accounts.create("other")
            let template = try await accounts.create("mail", .full[1], in: "login")
            func plan(_ template: String, of application: String = "login") async throws -> SendingPlanResult {
                try await store.sendingPlan(application: application, template: template, account: accounts.own)
            }
            #expect(try await plan("mail", of: "none") == .noApplication)
            #expect(try await plan("none") == .noTemplate)
            #expect(try await plan("mail", of: "other") == .noTemplate)
            let application = try #require(try await store.application("login", of: accounts.own))
            let bare = SendingPlan(application: application, template: template, emailContent: nil)
            #expect(try await plan("mail") == .plan(bare))
            let content = EmailContent(subject: TextPattern("Code"), text: TextPattern("{{pin}}"))
            for account in [accounts.own, accounts.stranger] {
                _ = try await accounts.system.pool.transaction { transaction in
                    try await Store.putEmailContent(1234, content, of: account, in: transaction)
                }
            }
            guard case .plan(let worded) = try await plan("mail") else {
                Issue.record("there is one")
                return
            }
            #expect(worded.emailContent == content && worded.application.revision == application.revision + 1)
        }
    }

    @Test(arguments: [
        "{}", "not JSON", #"{"text":"no code"}"#, #"{"text":"{{pin}}","code_length":99}"#, #"{"text":5}"#,
    ])
    func aDefinitionThatCannotBeReadIsAnError(definition: String) async throws {
        try await Accounts.run { accounts async throws in
            try await accounts.create("login")
            try await accounts.create("text", in: "login")
            _ = try await accounts.system.pool.execute("UPDATE templates SET definition = \(definition)")
            let error = PostgresError.decoding(column: 4, expected: "template that this version can read")
            await #expect(throws: error) { try await accounts.store.templates(of: "login", account: accounts.own) }
            await #expect(throws: PostgresError.self) {
                try await accounts.store.sendingPlan(application: "login", template: "text", account: accounts.own)
            }
        }
    }
}

/// What several do at once. Straight to PostgreSQL: each holds a connection while it waits.
@Suite struct ApplicationRaceTests {
    @Test func ofManyChangesAtOnceOneHolds() async throws {
        try await Accounts.run(limit: 10) { accounts async throws in
            try await accounts.create("login")
            try await accounts.create("text", in: "login")
            let before = try await accounts.revision("login")
            let held = try await accounts.together(8) { number in
                let new = Template.text(.init(format: .init(length: 6), text: .init("{{pin}} \(number)")))
                return try await accounts.store.updateTemplate(
                    "text", from: .sample, to: new, of: "login", account: accounts.own) != nil
            }
            #expect(held.count { $0 } == 1)
            #expect(try await accounts.revision("login") == before.map { $0 + 1 })
        }
    }

    @Test func limitsHoldWhenManyAreMadeAtOnce() async throws {
        try await Accounts.run(limit: 10) { accounts async throws in
            try await accounts.create("login")
            _ = try await accounts.system.pool.execute(
                """
                INSERT INTO applications (account_id, public_id, name, enabled, attempt_limit, allows_reuse, time_to_live,
                                          check_limit, application_send_limit, recipient_send_limit)
                SELECT \(accounts.own.rawValue), n::text, 'x', true, 1, true, 'm', '1/s', '1/d', '1/d'
                FROM generate_series(2, 997) n
                """)
            _ = try await accounts.system.pool.execute(
                """
                INSERT INTO templates (account_id, application_id, public_id, kind, definition)
                SELECT account_id, id, n::text, 'text', '{}' FROM applications, generate_series(1, 997) n
                WHERE public_id = 'login'
                """)
            let applications = try await accounts.together(8) { number in
                try await accounts.store.createApplication("new-\(number)", .sample, of: accounts.own)
            }
            #expect(applications.count { $0.isCreated } == 3 && applications.count { $0 == .tooMany } == 5)
            let templates = try await accounts.together(8) { number in
                try await accounts.store.createTemplate("new-\(number)", .sample, of: "login", account: accounts.own)
            }
            #expect(templates.count { $0.isCreated } == 3 && templates.count { $0 == .tooMany } == 5)
        }
    }
}

extension Creation {
    fileprivate var isCreated: Bool { if case .created = self { true } else { false } }
}
