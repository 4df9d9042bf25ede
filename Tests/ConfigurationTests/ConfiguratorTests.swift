import Crypto
import JSON
import Messaging
import Postgres
import Routing
import Store
import TestSystem
import Testing
import Timestamps

@testable import Configuration

@Suite struct ConfiguratorTests {
    private static let key = "acme-all-0123456789abcdef"

    private static let file: JSON = [
        "accounts": [
            [
                "name": "acme",
                "keys": [
                    ["name": "given", "key": .string(key), "scopes": ["send"], "expires_at": "2030-01-01T00:00:00Z"],
                    ["name": "made"],
                ],
            ],
            ["name": "other"],
        ],
        "providers": [
            [
                "name": "v", "kind": "vonage-sms", "url": "http://127.0.0.1:1", "sender": "Pinpost",
                "credentials": ["api_key": "abcd1234", "api_secret": "s3cret", "receipt_token": "receipts-0123456789"],
                "settings": ["authentication": "secret", "receipt_window_seconds": "600"], "in_flight": 5,
                "per_second": 20, "timeout": 3,
            ],
            ["name": "d", "kind": "discard", "enabled": false],
        ],
        "routes": [
            ["channel": "sms", "prefix": "+41", "provider": "v"], ["provider": "d"],
            ["account": "acme", "prefix": "+41", "provider": "d"],
        ],
    ]

    /// Everything that is stored, but for the moments at which it was.
    private func dump(_ system: TestSystem) async throws -> [String] {
        try await system.pool.query(
            """
            SELECT a::text FROM accounts a UNION ALL SELECT k::text FROM api_keys k
            UNION ALL SELECT p::text FROM providers p UNION ALL SELECT r::text FROM routes r
            UNION ALL SELECT revision::text FROM configuration
            """
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
    }

    @Test func whatAFileSaysIsStored() async throws {
        try await TestSystem.run { system async throws in
            let report = try await system.apply(Self.file)
            #expect(report.changes.count == 9)
            let directory = try await system.store.directory()
            let given = try #require(directory.keys.first { $0.digest == APIKey.digest(Self.key) })
            #expect(given.accountName == "acme")
            #expect(given.scopes == ["send"])
            #expect(given.expiresAt == Timestamp("2030-01-01T00:00:00Z"))
            let provider = try #require(directory.providers.first { $0.name == "v" })
            #expect(provider.inFlightLimit == 5 && provider.rateLimit == 20 && provider.timeout == .seconds(3))
            #expect(provider.sender == "Pinpost" && provider.enabled)
            #expect(directory.providers.contains { $0.name == "d" && !$0.enabled })
            #expect(directory.routes.count == 3)
            let sealed = String(decoding: provider.credentials, as: UTF8.self)
            #expect(!sealed.contains("s3cret") && !sealed.contains("api_secret"))
        }
    }

    @Test func applyingAFileAgainChangesNothing() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let before = try await self.dump(system)
            let report = try await system.apply(Self.file)
            #expect(report.changes == [])
            #expect(report.madeKeys.isEmpty)
            #expect(try await self.dump(system) == before)
        }
    }

    @Test func everyChangeRaisesTheRevision() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let changes: [JSON] = [
                ["accounts": [["name": "third"]]],
                ["accounts": [["name": "acme", "keys": [["name": "made", "revoked": true]]]]],
                ["accounts": [["name": "acme", "keys": [["name": "given", "scopes": ["read"]]]]]],
                ["providers": [["name": "d", "kind": "discard"]]],
                ["routes": [["provider": "v"]]], ["routes": [["remove": true]]],
            ]
            for change in changes {
                let before = try await system.store.configurationRevision()
                #expect(try await system.apply(change).changes.count == 1, "\(change.text)")
                #expect(try await system.store.configurationRevision() > before, "\(change.text)")
                let after = try await system.store.configurationRevision()
                #expect(try await system.apply(change).changes == [], "\(change.text)")
                #expect(try await system.store.configurationRevision() == after, "\(change.text)")
            }
            for statement: SQL in ["DELETE FROM routes", "TRUNCATE api_keys", "UPDATE providers SET rate_limit = 7"] {
                let before = try await system.store.configurationRevision()
                _ = try await system.pool.execute(statement)
                #expect(try await system.store.configurationRevision() > before)
            }
        }
    }

    @Test func aKeyIsMadeOnceAndShownOnce() async throws {
        try await TestSystem.run { system async throws in
            let made = try await system.apply(Self.file).madeKeys
            #expect(made.count == 1)
            #expect(made[0].account == "acme" && made[0].name == "made")
            #expect(APIKey.isWellFormed(made[0].key.text))
            let keys = try await system.store.directory().keys
            let key = keys.first { $0.digest == APIKey.digest(made[0].key.text) }
            #expect(key?.scopes == ["manage", "read", "send", "verify"])
            #expect(try await system.apply(Self.file).madeKeys.isEmpty)
            let text = try await self.dump(system).joined()
            #expect(!text.contains(made[0].key.text) && !text.contains(Self.key))
        }
    }

    @Test func aRevokedKeyIsGoneAndKeepsItsTime() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let revocation: JSON = ["accounts": [["name": "acme", "keys": [["name": "made", "revoked": true]]]]]
            try await system.apply(revocation)
            #expect(try await system.store.directory().keys.count == 1)
            let first = try await self.dump(system)
            try await system.apply(revocation)
            #expect(try await self.dump(system) == first)
        }
    }

    @Test func secretsThatChangeAreSealedAnew() async throws {
        try await TestSystem.run { system async throws in
            func file(_ secret: String) -> JSON {
                [
                    "providers": [
                        [
                            "name": "v", "kind": "vonage-sms",
                            "credentials": [
                                "api_key": "abcd1234", "api_secret": .string(secret),
                                "receipt_token": "receipts-0123456789",
                            ],
                        ]
                    ]
                ]
            }
            try await system.apply(file("one"))
            let one = try await system.store.directory().providers[0]
            #expect(try await system.apply(file("two")).changes.count == 1)
            let two = try await system.store.directory().providers[0]
            #expect(one.credentials != two.credentials)
            for provider in [one, two] {
                _ = try ProviderSecrets.driver(
                    for: provider, masterKeys: TestSystem.masterKeys, receiptBaseURL: "http://127.0.0.1:2")
            }
            let others = try MasterKeys(parsing: MasterKeys.generate())
            #expect(throws: ProviderSecretsError.self) {
                try ProviderSecrets.driver(for: two, masterKeys: others, receiptBaseURL: nil)
            }
            // Sealed for one provider, they open for no other.
            var renamed = two
            renamed.name = "w"
            #expect(throws: ProviderSecretsError.self) {
                try ProviderSecrets.driver(for: renamed, masterKeys: TestSystem.masterKeys, receiptBaseURL: nil)
            }
        }
    }

    @Test func routesAreRemoved() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let removal: JSON = [
                "routes": [
                    ["channel": "sms", "prefix": "+41", "remove": true],
                    ["account": "acme", "prefix": "+41", "provider": "v", "remove": true],
                    ["prefix": "+99", "remove": true],
                ]
            ]
            #expect(try await system.apply(removal).changes.count == 2)
            #expect(try await system.store.directory().routes.map(\.prefix) == [""])
        }
    }

    @Test func whatNamesNothingRollsEverythingBackAndTellsAllOfIt() async throws {
        try await TestSystem.run { system async throws in
            let before = try await self.dump(system)
            var members = Self.file.members ?? []
            members[2].value = [
                ["provider": "v"], ["prefix": "+1", "provider": "nobody"],
                ["account": "nobody", "prefix": "+2", "provider": "none"],
            ]
            let problems = await #expect(throws: ConfigurationProblems.self) {
                try await system.apply(.object(members))
            }
            #expect(
                problems?.problems.map(\.path) == ["/routes/1/provider", "/routes/2/account", "/routes/2/provider"])
            #expect(try await self.dump(system) == before)
        }
    }

    @Test func aKeyThatAnotherAccountHasIsAProblemWithItsPath() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let before = try await self.dump(system)
            let stolen: JSON = [
                "accounts": [
                    ["name": "third"],
                    ["name": "other", "keys": [["name": "a"], ["name": "b", "key": .string(Self.key)]]],
                ]
            ]
            let problems = await #expect(throws: ConfigurationProblems.self) { try await system.apply(stolen) }
            #expect(problems?.problems.map(\.path) == ["/accounts/1/keys/1/key"])
            #expect(try await self.dump(system) == before)
        }
    }

    @Test func aRouteLeadsToAProviderThatServesItsChannel() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let routes: JSON = [
                "routes": [["channel": "voice", "provider": "v"], ["channel": "email", "provider": "d"]]
            ]
            let problems = await #expect(throws: ConfigurationProblems.self) { try await system.apply(routes) }
            #expect(problems?.problems.map(\.path) == ["/routes/0/provider", "/routes/1/provider"])
        }
    }

    @Test func filesAppliedAtTheSameTimeWaitForOneAnother() async throws {
        try await TestSystem.run(limit: 8) { system async throws in
            let made = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await system.apply(Self.file).madeKeys.count } }
                return try await group.reduce(0, +)
            }
            #expect(made == 1)
        }
    }
}
