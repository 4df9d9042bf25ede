import Configuration
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

/// What a file says of where an account may send.
@Suite struct GuardFileTests {
    /// As `pinpost apply` does it, without what other tests have added for them.
    private func apply(_ account: JSON, to system: TestSystem) async throws -> [String] {
        let file = try Configurator.read((["accounts": [account]] as JSON).serialized(), environment: [:])
        return try await Configurator(store: system.store, masterKeys: TestSystem.masterKeys).apply(file).changes
    }

    private func stored(_ system: TestSystem) async throws -> [String] {
        try await system.pool.query("SELECT guard FROM accounts") { row throws(PostgresError) in
            try row.decode(0, as: String.self)
        }
    }

    @Test func aNewAccountSendsNowhereAndItsOperatorIsTold() async throws {
        try await TestSystem.run { system async throws in
            let lines = try await self.apply(["name": "acme"], to: system)
            #expect(lines.count == 2 && lines[1].contains("sends to no country"))
            #expect(try await self.stored(system) == [#"{"countries":{},"guard":{}}"#])
            #expect(try await self.apply(["name": "acme"], to: system) == [])
        }
    }

    @Test func whatIsNotNamedStays() async throws {
        try await TestSystem.run { system async throws in
            let first = try await self.apply(["name": "acme", "countries": ["GB": "on"]], to: system)
            #expect(first == ["account acme: made"])
            let second = try await self.apply(["name": "acme", "guard": ["mode": "watch"]], to: system)
            #expect(second == ["account acme, guard: set"])
            #expect(try await self.stored(system) == [#"{"countries":{"GB":"on"},"guard":{"mode":"watch"}}"#])
        }
    }

    /// The database's default: of accounts from before there was a guard.
    @Test func anAccountFromBeforeSendsEverywhereAndIsWatched() async throws {
        try await TestSystem.run { system async throws in
            _ = try await system.pool.execute("INSERT INTO accounts (name) VALUES ('acme')")
            #expect(try await self.apply(["name": "acme"], to: system) == [])
            #expect(try await self.stored(system) == [#"{"countries":{"*":"on"},"guard":{"mode":"watch"}}"#])
        }
    }

    @Test func whatIsWrongIsToldBeforeAnythingChanges() throws {
        let file: JSON = [
            "accounts": [["name": "acme", "countries": ["Britain": "on"], "guard": ["number": ["per_day": 0]]]]
        ]
        let problems = #expect(throws: ConfigurationProblems.self) {
            _ = try Configurator.read(file.serialized(), environment: [:])
        }
        #expect(
            problems?.problems.map(\.path) == ["/accounts/0/countries/Britain", "/accounts/0/guard/number/per_day"])
    }
}
