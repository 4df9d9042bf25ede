import Callbacks
import Crypto
import Egress
import JSON
import Messaging
import Postgres
import Store
import Telling
import TestSystem
import Testing

@testable import Configuration

/// Where customers are told of what happens.
@Suite struct WebhookFileTests {
    private static let credentials: JSON = [["vendor": "nexmo", "api_key": "abcd1234", "api_secret": "s3cret"]]
    private static let url: JSON = "https://example.com/hook"
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private static func file(_ webhooks: JSON, account: String = "acme", credentials: JSON = Self.credentials) -> JSON {
        ["accounts": [["name": .string(account), "credentials": credentials, "webhooks": webhooks]]]
    }

    private static let whole = Self.file([
        ["id": "main", "url": "https://Example.com", "description": "all", "in_flight": 20],
        ["id": "second", "url": url, "types": ["message.failed"], "secret": ["env": "SECRET"], "enabled": false],
        ["id": "reports", "kind": "infobip", "url": url, "authorization": "Bearer t0ken"],
        [
            "kind": "nexmo", "api_key": "abcd1234", "url": url, "method": "POST-JSON", "signature_secret": "s1gn",
            "signature_method": "sha256", "types": ["message.delivered"],
        ],
    ])
    private static let environment = ["SECRET": Self.secret]

    private func webhooks(_ system: TestSystem) async throws -> [StoredEndpoint] {
        try await system.store.endpoints(of: self.account(system))
    }

    private func account(_ system: TestSystem) async throws -> AccountID {
        try await system.pool.query("SELECT id FROM accounts WHERE name = 'acme'") { row throws(PostgresError) in
            AccountID(rawValue: try row.decode(0))
        }[0]
    }

    private func secrets(_ webhook: StoredEndpoint, _ system: TestSystem) async throws -> CallbackSecrets? {
        guard let sealed = webhook.settings.secrets else { return nil }
        let context = webhook.settings.kind.sealingContext(
            account: try await self.account(system), publicID: webhook.publicID)
        return CallbackSecrets(try JSON(parsing: try TestSystem.masterKeys.open(sealed, for: context)))
    }

    private func problems(_ webhook: JSON, _ system: TestSystem) async -> [String] {
        let problems = await #expect(throws: ConfigurationProblems.self) {
            try await system.apply(Self.file([webhook]))
        }
        return problems?.problems.map { $0.path.replacing("/accounts/0/webhooks/0", with: "") } ?? []
    }

    @Test func webhooksAreStored() async throws {
        try await TestSystem.run { system async throws in
            let report = try await system.apply(Self.whole, environment: Self.environment)
            #expect(report.changes.contains("account acme, webhook abcd1234: set"))
            #expect(report.madeSecrets.map(\.webhook) == ["main"])
            let stored = try await self.webhooks(system)
            #expect(stored.map(\.publicID) == ["main", "second", "reports", "abcd1234"])
            #expect(stored.map(\.settings.kind) == [.standard, .standard, .infobip, .nexmo])
            #expect(stored[0].settings.url == "https://example.com/")
            #expect(stored.map(\.settings.description) == ["all", "", "", ""])
            #expect(stored.map(\.settings.inFlightLimit) == [20, 8, 8, 8])
            #expect(stored.map(\.settings.isEnabled) == [true, false, true, true])
            #expect(
                stored.map(\.settings.types) == [
                    [], ["message.failed"], Callbacks.types(of: .infobip).map(\.rawValue).sorted(),
                    ["message.delivered"],
                ])
            #expect(
                stored.map(\.settings.settings) == [
                    "{}", "{}", "{}",
                    #"{"api_key":"abcd1234","method":"POST-JSON","signature_method":"sha256"}"#,
                ])
            let secrets = try await [
                self.secrets(stored[0], system), self.secrets(stored[1], system), self.secrets(stored[2], system),
                self.secrets(stored[3], system),
            ]
            #expect(secrets[0]?.signingKeys.map(\.text) == report.madeSecrets.map(\.secret.text))
            #expect(secrets[1]?.signingKeys.map(\.text) == [Self.secret])
            #expect(secrets[2]?.fields == ["authorization": "Bearer t0ken"])
            #expect(secrets[3]?.fields == ["signature_secret": "s1gn"])
        }
    }

    @Test func applyingAFileAgainChangesNothing() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole, environment: Self.environment)
            let before = try await self.webhooks(system)
            let report = try await system.apply(Self.whole, environment: Self.environment)
            #expect(report.changes == [])
            #expect(report.madeSecrets.isEmpty)
            #expect(try await self.webhooks(system) == before)
        }
    }

    @Test func whatIsNotNamedStays() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole, environment: Self.environment)
            let before = try await self.webhooks(system)
            // Switched off by its own failures, it stays so until somebody says otherwise.
            try await system.pool.execute("UPDATE endpoints SET disabled = 'gone', disabled_at = now() WHERE id = 1")
            let bare: JSON = [["id": "main", "url": "https://example.com/"]]
            #expect(try await system.apply(Self.file(bare)).changes == [])
            #expect(try await system.apply(Self.file([["id": "main"]])).changes == [])
            await #expect(throws: ConfigurationProblems.self) { try await system.apply(Self.file([["id": "new"]])) }
            #expect(try await self.webhooks(system)[0].disabledBy == "gone")
            let on: JSON = [
                ["id": "main", "url": "https://example.com/", "enabled": true, "types": ["message.failed"]]
            ]
            #expect(try await system.apply(Self.file(on)).changes == ["account acme, webhook main: set"])
            let after = try await self.webhooks(system)
            #expect(after[0].disabledBy == nil)
            #expect(after[0].settings.types == ["message.failed"])
            #expect(after[0].settings.secrets == before[0].settings.secrets)
            #expect(after[0].settings.inFlightLimit == 20)
            #expect(after.dropFirst() == before.dropFirst())
        }
    }

    @Test func anotherSecretTakesOver() async throws {
        try await TestSystem.run { system async throws in
            func apply(_ secret: String) async throws -> Configurator.Report {
                try await system.apply(Self.file([["id": "main", "url": Self.url, "secret": .string(secret)]]))
            }
            let other = "whsec_" + Base64.encode([UInt8](repeating: 7, count: 32))
            _ = try await apply(Self.secret)
            #expect(try await apply(other).changes == ["account acme, webhook main: set"])
            #expect(try await apply(other).changes == [])
            let keys = try await self.secrets(self.webhooks(system)[0], system)?.signingKeys
            #expect(keys?.map(\.text) == [other, Self.secret])
            #expect(keys?.map { $0.expiresAt == nil } == [true, false])
            // Back again: the one that was on its way out is the newest.
            _ = try await apply(Self.secret)
            #expect(
                try await self.secrets(self.webhooks(system)[0], system)?.signingKeys.map(\.text)
                    == [Self.secret, other])
        }
    }

    @Test func oneIsTakenAway() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole, environment: Self.environment)
            let removed = Self.file([
                ["id": "main", "remove": true], ["kind": "nexmo", "api_key": "abcd1234", "remove": true],
                ["id": "nobody", "remove": true],
            ])
            #expect(
                try await system.apply(removed).changes == [
                    "account acme, webhook main: removed", "account acme, webhook abcd1234: removed",
                ])
            #expect(try await system.apply(removed).changes == [])
            #expect(try await self.webhooks(system).map(\.publicID) == ["second", "reports"])
        }
    }

    @Test func whatIsWrongIsNamed() async throws {
        let table: [(webhook: JSON, paths: [String])] = [
            ([:], ["/id"]), (["id": "a", "kind": "infobip"], ["/url"]), (["id": "a b", "url": Self.url], ["/id"]),
            (["id": "a", "url": "http://example.com"], ["/url"]), (["id": "a", "url": "https://10.0.0.1"], ["/url"]),
            (["id": "a", "url": Self.url, "kind": "bandwidth"], ["/kind"]),
            (["id": "a", "url": Self.url, "types": ["x"]], ["/types/0"]),
            (["id": "a", "url": Self.url, "in_flight": 101], ["/in_flight"]),
            (["id": "a", "url": Self.url, "secret": "whsec_x"], ["/secret"]),
            (["id": "a", "url": Self.url, "secret": ["env": "NOBODY"]], ["/secret"]),
            (["id": "a", "url": Self.url, "authorization": "x"], ["/authorization"]),
            (["id": "a", "kind": "infobip", "url": Self.url, "authorization": "a\nb"], ["/authorization"]),
            (["id": "a", "kind": "infobip", "url": Self.url, "types": ["message.accepted"]], ["/types/0"]),
            (["id": "a", "kind": "infobip", "url": Self.url, "secret": .string(Self.secret)], ["/secret"]),
            (["id": "abcd1234", "kind": "nexmo", "url": Self.url], ["/id", "/api_key"]),
            (["api_key": "nobody", "kind": "nexmo", "url": Self.url], ["/api_key"]),
            (["api_key": "abcd1234", "kind": "nexmo", "url": Self.url, "method": "PUT"], ["/method"]),
            (
                ["api_key": "abcd1234", "kind": "nexmo", "url": Self.url, "signature_method": "md5"],
                ["/signature_method"]
            ),
        ]
        try await TestSystem.run { system async throws in
            for (webhook, paths) in table { #expect(await self.problems(webhook, system) == paths, "\(webhook.text)") }
            let twice = await #expect(throws: ConfigurationProblems.self) {
                try await system.apply(Self.file([["id": "a", "url": Self.url], ["id": "a", "url": Self.url]]))
            }
            #expect(twice?.problems.map(\.path) == ["/accounts/0/webhooks/1/id"])
            #expect(try await system.count("SELECT count(*) FROM endpoints") == 0)
        }
    }

    @Test func aWebhookKeepsItsKind() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file([["id": "a", "url": Self.url]]))
            #expect(await self.problems(["id": "a", "kind": "infobip", "url": Self.url], system) == ["/kind"])
        }
    }

    @Test func anotherAccountsKeyIsNone() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file([], account: "other"))
            let webhook: JSON = ["api_key": "abcd1234", "kind": "nexmo", "url": Self.url]
            let problems = await #expect(throws: ConfigurationProblems.self) {
                try await system.apply(Self.file([webhook], credentials: []))
            }
            #expect(problems?.problems.map(\.path) == ["/accounts/0/webhooks/0/api_key"])
        }
    }

    @Test func allowedNetworksMayBeCalled() throws {
        let text = Self.file([["id": "a", "url": "http://127.0.0.1:9000/hook"]]).serialized()
        #expect(throws: ConfigurationProblems.self) { try Configurator.read(text, environment: [:]) }
        let policy = EgressPolicy(allowed: [try #require(Network("127.0.0.0/8"))])
        let file = try Configurator.read(text, environment: [:], egress: policy)
        #expect(file.accounts[0].webhooks[0].fields.url?.text == "http://127.0.0.1:9000/hook")
    }
}
