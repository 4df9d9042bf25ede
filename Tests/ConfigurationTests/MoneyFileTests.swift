import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Configuration

/// Prices and top-ups in a file.
@Suite struct MoneyFileTests {
    private static let file: JSON = [
        "accounts": [
            [
                "name": "acme", "currency": "CHF",
                "top_ups": [["id": "2026-11-01", "amount": "100.00"], ["id": "fee", "amount": "-0.5"]],
                "keys": [["name": "operator", "key": "acme-bill-0123456789abcdef", "scopes": ["bill"]]],
            ],
            ["name": "later"],
        ],
        "prices": [
            ["channel": "sms", "price": "0.05"],
            ["channel": "sms", "prefix": "+41", "price": "0.0075", "network": "228"],
            ["account": "acme", "prefix": "+41", "price": "0"],
        ],
    ]

    private func dump(_ system: TestSystem) async throws -> [String] {
        try await system.pool.query(
            """
            SELECT a::text FROM accounts a UNION ALL SELECT p::text FROM prices p UNION ALL SELECT b::text FROM balances b
            UNION ALL SELECT t::text FROM top_ups t UNION ALL SELECT revision::text FROM configuration
            """
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
    }

    private func balances(_ system: TestSystem) async throws -> [Int64] {
        try await system.pool.query("SELECT balance FROM balances ORDER BY account_id") { row throws(PostgresError) in
            try row.decode(0, as: Int64.self)
        }
    }

    @Test func whatAFileSaysIsStoredOnce() async throws {
        try await TestSystem.run { system async throws in
            let changes = try await system.apply(Self.file).changes
            #expect(
                changes == [
                    "account acme: made", "account acme: currency set", "account acme, key operator: set",
                    "account later: made", "price sms: set", "price sms +41: set", "price acme sms +41: set",
                    "account acme, top-up 2026-11-01: made", "account acme, top-up fee: made",
                ])
            let before = try await self.dump(system)
            #expect(try await system.apply(Self.file).changes == [])
            #expect(try await self.dump(system) == before)
            let directory = try await system.store.directory()
            #expect(directory.keys.map(\.scopes) == [["bill"]])
            #expect(
                Set(directory.prices.map { "\($0.prefix) \($0.price.amount) \($0.price.network ?? "-")" })
                    == [" 0.05 -", "+41 0.0075 228", "+41 0.00 -"])
            let account = try #require(directory.keys.first?.account)
            let finances = try await system.store.finances(of: account)
            #expect(finances?.name == "acme" && finances?.currency == "CHF" && finances?.balance == Money("99.5"))
        }
    }

    @Test func changesOfPricesAreTold() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let changes: [JSON] = [
                ["prices": [["price": "0.06"]]], ["prices": [["prefix": "+41", "price": "0.0075"]]],
                ["prices": [["account": "acme", "prefix": "+41", "remove": true]]],
            ]
            for change in changes {
                let before = try await system.store.configurationRevision()
                #expect(try await system.apply(change).changes.count == 1, "\(change.text)")
                let after = try await system.store.configurationRevision()
                #expect(after > before, "\(change.text)")
                #expect(try await system.apply(change).changes == [], "\(change.text)")
                #expect(try await system.store.configurationRevision() == after, "\(change.text)")
            }
            #expect(try await system.store.directory().prices.count == 2)
        }
    }

    @Test func whatCannotBePaidInChangesNothing() async throws {
        func file(_ name: String, _ topUps: JSON) -> JSON {
            ["accounts": [["name": .string(name), "top_ups": topUps]]]
        }
        try await TestSystem.run { system async throws in
            try await system.apply(Self.file)
            let before = try await self.dump(system)
            let table: [(JSON, [String])] = [
                (file("acme", [["id": "2026-11-01", "amount": "100.01"]]), ["/accounts/0/top_ups/0/amount"]),
                (
                    file("acme", [["id": "a", "amount": "1"], ["id": "b", "amount": "-200"]]),
                    ["/accounts/0/top_ups/1/amount"]
                ),
                (file("later", [["id": "a", "amount": "-0.01"]]), ["/accounts/0/top_ups/0/amount"]),
                (["prices": [["account": "nobody", "price": "1"]]], ["/prices/0/account"]),
            ]
            for (file, paths) in table {
                let problems = await #expect(throws: ConfigurationProblems.self) { try await system.apply(file) }
                #expect(problems?.problems.map(\.path) == paths)
                #expect(try await self.dump(system) == before)
            }
            try await system.apply(file("later", [["id": "a", "amount": "0"]]))
            #expect(try await self.balances(system) == [9_950_000_000, 0])
        }
    }

    @Test func problemsAreToldWithTheirPlaces() {
        let file: JSON = [
            "accounts": [
                ["name": "a", "currency": "euro"], ["name": "b", "currency": "EURO", "top_ups": [:]],
                [
                    "name": "c",
                    "top_ups": [["id": "x", "amount": 5], ["id": "x", "amount": "1"], ["amount": "1,5"], 7],
                ],
            ],
            "prices": [
                ["price": "-1"], ["channel": "fax", "price": "1"], ["prefix": "41", "price": "1"], ["prefix": "+2"],
                ["prefix": "+3", "price": 0.05], ["prefix": "+4", "price": "1", "network": "12"],
                ["channel": "email", "prefix": "+5", "price": "1"], ["prefix": "+6", "price": "1", "remove": 1],
                ["prefix": "+7", "price": "1"], ["prefix": "+7", "price": "2"],
                ["account": "a", "prefix": "+7", "price": "2"], ["prefix": "+8", "provider": "v", "price": "1"],
            ],
        ]
        let expected: Set = [
            "/accounts/0/currency", "/accounts/1/currency", "/accounts/1/top_ups", "/accounts/2/top_ups/0/amount",
            "/accounts/2/top_ups/1/id", "/accounts/2/top_ups/2/id", "/accounts/2/top_ups/2/amount",
            "/accounts/2/top_ups/3", "/prices/0/price", "/prices/1/channel", "/prices/2/prefix", "/prices/3/price",
            "/prices/4/price", "/prices/5/network", "/prices/6/prefix", "/prices/7/remove", "/prices/9",
            "/prices/11/provider",
        ]
        do throws(ConfigurationProblems) {
            _ = try Configurator.read(file.serialized(), environment: [:])
            Issue.record("was read")
        } catch {
            #expect(Set(error.problems.map(\.path)) == expected)
        }
    }
}
