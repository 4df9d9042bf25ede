import JSON
import Postgres
import Store
import TestSystem
import Testing

@testable import Configuration

/// What a file may do to what is stored already.
@Suite struct ApplyRulesTests {
    private static let key = "acme-main-0123456789abcdef"

    /// A file with one key that says this of its revocation; nil says nothing.
    private func file(revoked: Bool?, scopes: JSON = ["send"]) -> JSON {
        var key: [JSON.Member] = [
            .init("name", "main"), .init("key", .string(Self.key)), .init("scopes", scopes),
        ]
        if let revoked { key.append(.init("revoked", .bool(revoked))) }
        return ["accounts": [["name": "acme", "keys": [.object(key)]]]]
    }

    private func aliveKeys(_ system: TestSystem) async throws -> Int {
        try await system.store.directory().keys.count
    }

    @Test(
        arguments: [
            (nil, nil, true), (nil, true, false), (nil, false, true), (true, nil, false), (true, true, false),
            (true, false, true), (false, nil, true), (false, true, false),
        ] as [(Bool?, Bool?, Bool)]
    )
    func onlyAnExplicitFalseBringsAKeyBack(first: Bool?, second: Bool?, isAlive: Bool) async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(self.file(revoked: first))
            try await system.apply(self.file(revoked: second))
            #expect(try await self.aliveKeys(system) == (isAlive ? 1 : 0))
            let revision = try await system.store.configurationRevision()
            #expect(try await system.apply(self.file(revoked: second)).changes == [])
            #expect(try await system.store.configurationRevision() == revision)
        }
    }

    @Test func aKeyRevokedInTheDatabaseSurvivesNoFile() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(self.file(revoked: nil))
            _ = try await system.pool.execute("UPDATE api_keys SET revoked_at = '2026-01-01T00:00:00Z'")
            #expect(try await system.apply(self.file(revoked: nil)).changes == [])
            #expect(try await system.apply(self.file(revoked: true)).changes == [])
            let changed = try await system.apply(self.file(revoked: nil, scopes: ["read"])).changes
            #expect(changed == ["account acme, key main: set, but revoked as before"])
            #expect(try await self.aliveKeys(system) == 0)
            let died = try await system.count(
                "SELECT count(*) FROM api_keys WHERE revoked_at = '2026-01-01T00:00:00Z'")
            #expect(died == 1)
        }
    }

    @Test func revocationsAreReported() async throws {
        try await TestSystem.run { system async throws in
            let made = try await system.apply(self.file(revoked: nil)).changes
            #expect(made == ["account acme: made", "account acme, key main: set"])
            let revoked = try await system.apply(self.file(revoked: true)).changes
            #expect(revoked == ["account acme, key main: revoked"])
            let back = try await system.apply(self.file(revoked: false)).changes
            #expect(back == ["account acme, key main: set"])
        }
    }

    @Test func aRouteThatItsProviderCannotCarryMayBeTakenAway() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(["providers": [["name": "d", "kind": "discard"]]])
            let route: [JSON.Member] = [.init("channel", "voice"), .init("provider", "d")]
            let problems = await #expect(throws: ConfigurationProblems.self) {
                try await system.apply(["routes": [.object(route)]])
            }
            #expect(problems?.problems == [JSONProblem("/routes/0/provider", "does not carry voice")])
            _ = try await system.pool.execute(
                "INSERT INTO routes (channel, provider_id) SELECT 'voice', id FROM providers")
            let removal = JSON.object(route + [.init("remove", true)])
            #expect(try await system.apply(["routes": [removal]]).changes == ["route voice: removed"])
        }
    }
}
