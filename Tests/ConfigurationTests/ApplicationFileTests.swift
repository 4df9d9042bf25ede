import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Verification

@testable import Configuration

/// Applications, templates and the words of e-mails in a file.
@Suite struct ApplicationFileTests {
    private static func file(_ applications: JSON, emailContents: JSON = []) -> JSON {
        ["accounts": [["name": "acme", "applications": applications, "email_contents": emailContents]]]
    }

    private static let whole = Self.file(
        [
            [
                "id": "LOGIN-1", "name": "Login", "enabled": false, "attempt_limit": 5, "allow_reuse": false,
                "time_to_live": "10m", "check_limit": "2/4s", "application_send_limit": "5000/12h",
                "recipient_send_limit": "4/d", "send_limit": nil, "resend_cooldown": "1m",
                "templates": [
                    [
                        "id": "code", "code_type": "HEX", "code_length": 8, "text": "{{pin}} for {{name}}",
                        "sender": "Acme", "language": "pt-br", "voice": "Joana", "repeat_dtmf": "1#",
                        "speech_rate": 1.5, "india_dlt": ["principal_entity_id": "1"],
                    ],
                    ["id": "mail", "kind": "email", "subject": "Your code", "text": "{{pin}}"],
                    ["id": "numbered", "kind": "email", "email_content": 1234, "landing_page": "x"],
                ],
            ],
            ["id": "plain", "name": "Plain", "templates": [["id": "plain-code", "kind": "text", "text": "{{pin}}"]]],
        ], emailContents: [["number": 1234, "subject": "Code", "text": "It is {{pin}}"]])

    private func account(_ system: TestSystem) async throws -> AccountID {
        try await system.pool.query("SELECT id FROM accounts WHERE name = 'acme'") { row throws(PostgresError) in
            AccountID(rawValue: try row.decode(0))
        }[0]
    }

    /// The paths of what is wrong with a file.
    private func problems(_ json: JSON, in system: TestSystem) async -> [String] {
        do {
            try await system.apply(json)
            return []
        } catch let error as ConfigurationProblems {
            return error.problems.map(\.path)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func whatAFileSaysIsStored() async throws {
        try await TestSystem.run { system async throws in
            #expect(
                try await system.apply(Self.whole).changes == [
                    "account acme: made", "account acme, e-mail content 1234: set",
                    "account acme, application LOGIN-1: set", "account acme, application LOGIN-1, template code: set",
                    "account acme, application LOGIN-1, template mail: set",
                    "account acme, application LOGIN-1, template numbered: set",
                    "account acme, application plain: set", "account acme, application plain, template plain-code: set",
                ])
            let account = try await self.account(system)
            let login = try #require(try await system.store.application("LOGIN-1", of: account)).settings
            #expect(!login.isEnabled && login.attemptLimit == 5 && !login.allowsReuse && login.sendLimit == nil)
            #expect(login.timeToLive == Period("10m") && login.resendCooldown == Period("1m"))
            let plain = try await system.store.application("plain", of: account)?.settings
            #expect(plain == .ownDefaults(name: "Plain"))
            let template = try await system.store.template("plain-code", of: "plain", account: account)?.template
            #expect(template?.format == CodeFormat(length: CodeFormat.ownLength))
            let plan = try await system.store.sendingPlan(
                application: "LOGIN-1", template: "numbered", account: account)
            guard case .plan(let plan) = plan else {
                Issue.record("there is one")
                return
            }
            #expect(plan.emailContent?.text.text == "It is {{pin}}")
        }
    }

    @Test func applyingAFileAgainChangesNothing() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole)
            let account = try await self.account(system)
            let before = try await system.store.applications(of: account)
            #expect(try await system.apply(Self.whole).changes == [])
            #expect(try await system.store.applications(of: account) == before)
        }
    }

    @Test func whatAFileDoesNotNameStays() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole)
            let account = try await self.account(system)
            let before = try await system.store.template("code", of: "LOGIN-1", account: account)
            let change = Self.file([
                ["id": "LOGIN-1", "check_limit": "1/d", "templates": [["id": "code", "sender": "Other"]]]
            ])
            #expect(
                try await system.apply(change).changes == [
                    "account acme, application LOGIN-1: set", "account acme, application LOGIN-1, template code: set",
                ])
            let login = try await system.store.application("LOGIN-1", of: account)?.settings
            #expect(login?.name == "Login" && login?.checkLimit == RateLimit("1/d") && login?.attemptLimit == 5)
            let code = try await system.store.template("code", of: "LOGIN-1", account: account)
            guard case .text(var expected) = before?.template else {
                Issue.record("is a text")
                return
            }
            expected.sender = "Other"
            #expect(code?.template == .text(expected))
            #expect(try await system.store.templates(of: "LOGIN-1", account: account).count == 3)
        }
    }

    @Test func whatOnlyTheDatabaseCanTellIsRefusedWithItsPath() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole)
            let account = try await self.account(system)
            let before = try await system.store.applications(of: account)
            let path = "/accounts/0/applications"
            let table: [(JSON, [String])] = [
                ([["id": "new"], ["id": "newer", "name": "x"]], ["\(path)/0/name"]),
                (
                    [
                        ["id": "LOGIN-1", "attempt_limit": 7, "templates": [["id": "fresh"], ["id": "freshest"]]],
                        ["id": "plain", "templates": [["id": "m", "kind": "email", "subject": "x"]]],
                    ],
                    ["\(path)/0/templates/0/text", "\(path)/0/templates/1/text", "\(path)/1/templates/0/text"]
                ),
                (
                    [["id": "plain", "templates": [["id": "plain-code", "kind": "email"]]]],
                    ["\(path)/0/templates/0/kind"]
                ),
                ([["id": "plain", "templates": [["id": "code", "text": "{{pin}}"]]]], ["\(path)/0/templates/0/id"]),
            ]
            for (applications, paths) in table {
                #expect(await self.problems(Self.file(applications), in: system) == paths)
            }
            #expect(try await system.store.applications(of: account) == before)
        }
    }

    @Test func accountsMayHaveTheSameIDs() async throws {
        try await TestSystem.run { system async throws in
            let applications: JSON = [["id": "a", "name": "A", "templates": [["id": "t", "text": "{{pin}}"]]]]
            try await system.apply([
                "accounts": [
                    ["name": "acme", "applications": applications], ["name": "other", "applications": applications],
                ]
            ])
            #expect(try await system.count("SELECT count(*) FROM templates") == 2)
        }
    }

    @Test func oneTooManyIsRefused() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole)
            _ = try await system.pool.execute(
                """
                INSERT INTO applications (account_id, public_id, name, enabled, attempt_limit, allows_reuse, time_to_live,
                                          check_limit, application_send_limit, recipient_send_limit)
                SELECT a.id, n::text, 'x', true, 1, true, 'm', '1/s', '1/d', '1/d'
                FROM accounts a, generate_series(3, 1000) n
                """)
            #expect(await self.problems(Self.file([["id": "plain", "attempt_limit": 3]]), in: system) == [])
            let problems = await self.problems(Self.file([["id": "new", "name": "x"]]), in: system)
            #expect(problems == ["/accounts/0/applications/0/id"])
        }
    }

    @Test func aTextMayHaveItsMarksAsBindHasThem() async throws {
        try await TestSystem.run { system async throws in
            let file = { (template: JSON) in
                Self.file([["id": "a", "name": "a", "templates": [template]]])
            }
            let bind: JSON = ["id": "t", "syntax": "bind", "text": "${code} for ${name}"]
            #expect(try await !system.apply(file(bind)).changes.isEmpty)
            let account = try await self.account(system)
            let stored = try await system.store.template("t", of: "a", account: account)?.template
            guard case .text(let template) = stored else { throw TestFailure() }
            #expect(template.text.text == "{{pin}} for {{name}}")
            #expect(try await system.apply(file(bind)).changes.isEmpty)
            #expect(try await system.apply(file(["id": "t", "text": "{{pin}} for {{name}}"])).changes.isEmpty)
            // Without a text there is nothing to translate.
            #expect(try await system.apply(file(["id": "t", "syntax": "bind"])).changes.isEmpty)
            let place = "/accounts/0/applications/0/templates/0"
            let rows: [(JSON, String)] = [
                (["id": "t", "syntax": "nexmo", "text": "${code}"], "syntax"),
                (["id": "t", "syntax": 5, "text": "${code}"], "syntax"),
                (["id": "t", "syntax": "bind", "text": "none"], "text"),
                (["id": "t", "syntax": "bind", "text": "{{pin}}"], "text"),
                (["id": "t", "syntax": "bind", "text": "${code} {{name}}"], "text"),
                (["id": "t", "syntax": "bind", "text": 5], "text"),
                (["id": "m", "kind": "email", "syntax": "bind", "subject": "x", "text": "{{pin}}"], "syntax"),
            ]
            for (template, name) in rows {
                #expect(await self.problems(file(template), in: system) == ["\(place)/\(name)"], "\(template)")
            }
        }
    }
}

private struct TestFailure: Error {}
