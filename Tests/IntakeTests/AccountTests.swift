import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telemetry
import TestDatabase
import TestSystem
import Testing

@testable import Intake

/// What an account has, and what it gets for it.
@Suite(.timeLimit(.minutes(3))) struct AccountTests {
    private static let prices: JSON = [
        "prices": [
            ["channel": "sms", "price": "9"], ["channel": "sms", "prefix": "+41", "price": "0.10", "network": "22801"],
            ["channel": "voice", "prefix": "+41", "price": "0.03"], ["channel": "email", "price": "0.4"],
        ]
    ]

    private static func run(_ body: (IntakeFixture) async throws -> Void) async throws {
        try await IntakeFixture.run { fixture async throws in
            try await fixture.system.apply(Self.prices)
            _ = try await fixture.access.refresh()
            try await body(fixture)
        }
    }

    @Test func whoPaysAfterwardsIsToldWhatItWouldCost() async throws {
        try await Self.run { fixture async throws in
            let account: JSON = ["name": "acme", "currency": "EUR", "balance": nil]
            #expect(await fixture.get("/v1/account").json == account)
            let id = try await fixture.accept(["body": .string(String(repeating: "a", count: 200))])
            let message = await fixture.get("/v1/messages/\(id)").json
            #expect(message["parts"]?.integer == 2)
            #expect(message["price"] == "0.20")
            #expect(message["currency"] == "EUR")
            #expect(await fixture.get("/v1/messages").json["messages"]?.array?.first?["price"] == "0.20")
            #expect(await fixture.get("/v1/account").json == account)
        }
    }

    @Test func whatHasNoPriceCostsNothing() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await fixture.pay("0")
            let id = try await fixture.accept()
            let message = await fixture.get("/v1/messages/\(id)").json
            #expect(message["price"] == JSON.null)
            #expect(message["currency"] == JSON.null)
        }
    }

    @Test func aPrepaidAccountPaysUntilNothingIsLeft() async throws {
        try await Self.run { fixture async throws in
            try await fixture.pay("0.25")
            let first = try await fixture.accept()
            _ = try await fixture.accept()
            #expect(await fixture.balance == "0.05")
            let refused = await fixture.post(IntakeFixture.message)
            #expect(refused.status == 402)
            #expect(refused.code == "out_of_balance")
            #expect(await fixture.post(IntakeFixture.call).status == 202)
            #expect(await fixture.balance == "0.02")
            // All of an array or none.
            #expect(await fixture.post([IntakeFixture.call, IntakeFixture.call]).status == 402)
            #expect(await fixture.ask("POST", "/v1/messages/\(first)/cancel").status == 200)
            #expect(await fixture.ask("POST", "/v1/messages/\(first)/cancel").status == 200)
            #expect(await fixture.balance == "0.12")
            #expect(await fixture.post([IntakeFixture.call, IntakeFixture.call]).status == 202)
            #expect(fixture.metrics.render().contains("pinpost_out_of_balance_total 2"))
            // Another's is another's.
            #expect(await fixture.post(IntakeFixture.message, key: IntakeFixture.strangersKey).status == 202)
        }
    }

    @Test func aCodeThatCannotBePaidIsNeitherSentNorCounted() async throws {
        try await Self.run { fixture async throws in
            let codes = try await Codes(fixture, ["recipient_send_limit": "1/1d", "application_send_limit": "2/1d"])
            try await fixture.pay("0.05")
            for _ in 0..<3 {
                let refused = await codes.send()
                #expect(refused.status == 402)
                #expect(refused.code == "out_of_balance")
            }
            #expect(fixture.metrics.render().contains(#"pinpost_codes_refused_total{reason="out_of_balance"} 3"#))
            try await fixture.pay("0.05", id: "more")
            let id = try await codes.start()
            #expect(await codes.resend(id).status != 202)
            #expect(await fixture.balance == "0.00")
        }
    }

    @Test func whatCostsMoreThanThereIsMoneyIsRefused() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await fixture.system.apply(["prices": [["channel": "sms", "price": "9999999999.99999999"]]])
            _ = try await fixture.access.refresh()
            let long = IntakeFixture.message.with(["body": .string(String(repeating: "a", count: 1530))])
            #expect(await fixture.post(long).code == "out_of_balance")
            #expect(await fixture.post(IntakeFixture.message).status == 202)
        }
    }

    struct Race: Sendable, CustomTestStringConvertible {
        var processes: Int
        var isKeyed: Bool
        var isOfCodes: Bool
        var testDescription: String {
            "\(self.processes) processes, \(self.isOfCodes ? "codes" : "messages")\(self.isKeyed ? " with keys" : "")"
        }
        static let all = [1, 2].flatMap { processes in
            [false, true].flatMap { isKeyed in
                [false, true].map { Race(processes: processes, isKeyed: isKeyed, isOfCodes: $0) }
            }
        }
    }

    @Test(arguments: Race.all)
    func of64AtOnceThosePass10ThatCanBePaid(race: Race) async throws {
        try await Self.run { fixture async throws in
            try await fixture.pay("1.00")
            let codes = try await Codes(fixture)
            try await fixture.together(with: race.processes - 1) { fixtures async throws in
                @Sendable func ask(_ index: Int) async -> HTTPResponse {
                    let key = race.isKeyed ? "k\(index)" : nil
                    let to = JSON.string("+41790001\(100 + index)")
                    let path = race.isOfCodes ? "/v1/verifications" : "/v1/messages"
                    let body = race.isOfCodes ? codes.request(["to": to]) : IntakeFixture.message.with(["to": to])
                    return await fixtures[index % fixtures.count].post(path, body, idempotencyKey: key)
                }
                let answers = await Self.all(64, ask)
                #expect(answers.count { $0.status == 202 } == 10)
                #expect(answers.count { $0.code == "out_of_balance" } == 54)
                #expect(try await fixture.stored == 10)
                #expect(await fixture.balance == "0.00")
                guard race.isKeyed else { return }
                // Those that were sent are answered as before, and the others may be paid for now.
                try await fixture.pay("5.40", id: "more")
                #expect(await Self.all(64, ask).allSatisfy { $0.status == 202 })
                #expect(try await fixture.stored == 64)
                #expect(await fixture.balance == "0.00")
            }
        }
    }

    @Test func mixedPricesSpendWhatThereIsAndNoMore() async throws {
        try await Self.run { fixture async throws in
            try await fixture.pay("2.00")
            let codes = try await Codes(fixture)
            try await fixture.together(with: 1) { fixtures async throws in
                let answers = await Self.all(64) { index in
                    let fixture = fixtures[index % fixtures.count]
                    return switch index % 4 {
                    case 0: await fixture.post(IntakeFixture.call)
                    case 1: await fixture.post(IntakeFixture.mail)
                    case 2: await fixture.post([IntakeFixture.message, IntakeFixture.message, IntakeFixture.call])
                    default:
                        await fixture.post(
                            "/v1/verifications", codes.request(["to": .string("+41790001\(100 + index)")]))
                    }
                }
                #expect(answers.allSatisfy { [202, 402].contains($0.status) })
                let spent = try await fixture.system.count("SELECT sum(price)::bigint FROM messages")
                let left = try #require(await fixture.balance.flatMap { Money($0) }).rawValue
                #expect(spent + Int(left) == 200_000_000)
                let isTold = { (index: Int) in answers[index].status == 402 }
                for (place, price) in [(0, 3_000_000), (1, 40_000_000), (2, 23_000_000), (3, 10_000_000)] {
                    let isAnyRefused = (0..<16).contains { isTold(4 * $0 + place) }
                    #expect(!isAnyRefused || left < price, "what is left would buy one that was refused")
                }
            }
        }
    }

    /// The second waits for the balance that the first uses up, and must not say that nothing was stored.
    @Test func theSameKeyInTwoProcessesIsPaidOnceAndAnsweredTwice() async throws {
        try await Self.run { fixture async throws in
            let codes = try await Codes(fixture)
            try await fixture.together(with: 1) { fixtures async throws in
                for round in 0..<30 {
                    try await fixture.pay("0.10", id: "round-\(round)")
                    let answers = await Self.all(2) { index in
                        let path = round % 2 == 0 ? "/v1/verifications" : "/v1/messages"
                        let body = round % 2 == 0 ? codes.request() : IntakeFixture.message
                        return await fixtures[index].post(path, body, idempotencyKey: "k\(round)")
                    }
                    #expect(answers.allSatisfy { $0.status == 202 })
                    #expect(answers[0].whole == answers[1].whole)
                    #expect(await fixture.balance == "0.00")
                }
                #expect(try await fixture.stored == 30)
            }
        }
    }

    private static func all(
        _ count: Int, _ ask: @escaping @Sendable (Int) async -> HTTPResponse
    ) async -> [HTTPResponse] {
        await withTaskGroup(of: (Int, HTTPResponse).self) { group in
            for index in 0..<count { group.addTask { (index, await ask(index)) } }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    // MARK: - The operator

    @Test func onlyAKeyThatMayBillChangesMoney() async throws {
        try await IntakeFixture.run { fixture async throws in
            for key in [IntakeFixture.key, IntakeFixture.managingKey, IntakeFixture.readingKey] {
                let topUp = await fixture.post("/v1/account/top-ups", ["id": "a", "amount": "1"], key: key)
                #expect(topUp.code == "missing_scope")
                #expect(await fixture.put("/v1/account/prices", ["prices": []], key: key).code == "missing_scope")
            }
            for path in ["/v1/account", "/v1/account/prices"] {
                #expect(await fixture.get(path, key: IntakeFixture.billingKey).code == "missing_scope")
                #expect(await fixture.get(path, key: IntakeFixture.readingKey).status == 200)
            }
            for (method, path, allowed) in [
                ("POST", "/v1/account", "GET"), ("GET", "/v1/account/top-ups", "POST"),
                ("POST", "/v1/account/prices", "GET, PUT"),
            ] { #expect(await fixture.ask(method, path).fields["Allow"] == allowed) }
            #expect(await fixture.get("/v1/account/other").status == 404)
        }
    }

    @Test func aTopUpCountsOnce() async throws {
        try await IntakeFixture.run { fixture async throws in
            let first = await fixture.topUp("2026-11-01", "100.00")
            let expected: JSON = ["id": "2026-11-01", "amount": "100.00", "currency": "EUR", "balance": "100.00"]
            #expect(first.json == expected)
            #expect(await fixture.topUp("2026-11-01", "100").whole == first.whole)
            #expect(await fixture.topUp("2026-11-01", "100.01").code == "top_up_differs")
            #expect(await fixture.topUp("2", "-100.5").code == "balance_out_of_range")
            #expect(await fixture.topUp("2", "-99.99999999").json["balance"] == "0.00000001")
            #expect(await fixture.topUp("3", "9999999999.99999999").status == 200)
            #expect(await fixture.topUp("4", "1").code == "balance_out_of_range")
            for (id, amount) in [("", "1"), ("5", ""), ("5", "1e3"), ("5", "1.123456789"), ("5", "12345678901")] {
                #expect(await fixture.topUp(id, amount).status == 422, "\(id) \(amount)")
            }
            #expect(await fixture.post("/v1/account/top-ups", [], key: IntakeFixture.billingKey).status == 422)
            #expect(await fixture.balance == "10000000000.00")
        }
    }

    @Test func anAccountsOwnPricesGoOverThoseForEverybody() async throws {
        try await Self.run { fixture async throws in
            let own: JSON = [
                "prices": [
                    ["prefix": "+41", "price": "0.02"], ["prefix": "+4179", "price": "0.015", "network": "22802"],
                ]
            ]
            for _ in 0..<2 {
                let before = try await fixture.system.store.configurationRevision()
                let answer = await fixture.put("/v1/account/prices", own)
                #expect(answer.status == 200)
                let listed = answer.json["prices"]?.array?.map(\.text)
                #expect(
                    listed == [
                        #"{"channel":"email","prefix":"","price":"0.40","network":null,"own":false}"#,
                        #"{"channel":"sms","prefix":"","price":"9.00","network":null,"own":false}"#,
                        #"{"channel":"sms","prefix":"+41","price":"0.02","network":null,"own":true}"#,
                        #"{"channel":"sms","prefix":"+4179","price":"0.015","network":"22802","own":true}"#,
                        #"{"channel":"voice","prefix":"+41","price":"0.03","network":null,"own":false}"#,
                    ])
                #expect(await fixture.get("/v1/account/prices").text == answer.text)
                // The second time nothing changes, and nobody reads anything again.
                let after = try await fixture.system.store.configurationRevision()
                #expect(try await fixture.access.refresh() == (after > before))
            }
            let id = try await fixture.accept()
            #expect(await fixture.get("/v1/messages/\(id)").json["price"] == "0.015")
            let others = await fixture.get("/v1/account/prices", key: IntakeFixture.strangersKey)
            #expect(others.json["prices"]?.array?.allSatisfy { $0["own"] == false } == true)
            let none = await fixture.put("/v1/account/prices", ["prices": []])
            #expect(none.json["prices"]?.array?.count == 4)
        }
    }

    @Test func badPricesAreRefusedWithTheirPlaces() async throws {
        try await IntakeFixture.run { fixture async throws in
            let bad: JSON = [
                "prices": [
                    ["price": "-1"], ["prefix": "41", "price": "1"], ["price": 1], ["channel": "fax", "price": "1"],
                    ["channel": "email", "prefix": "+41", "price": "1"], ["network": "x", "price": "1"], 5, ["x": 1],
                    ["prefix": "+1", "price": "1"], ["prefix": "+1", "price": "2"],
                ]
            ]
            let expected = [
                "/prices/0/price", "/prices/1/prefix", "/prices/2/price", "/prices/3/channel", "/prices/4/prefix",
                "/prices/5/network", "/prices/6", "/prices/7/x", "/prices/7/price", "/prices/9",
            ]
            let answer = await fixture.put("/v1/account/prices", bad)
            #expect(answer.status == 422)
            #expect(Set(expected).isSubset(of: answer.paths))
            let many = JSON.array(Array(repeating: ["price": "1"], count: 1001))
            for body: JSON in [[], [:], ["prices": "x"], ["prices": many]] {
                #expect(await fixture.put("/v1/account/prices", body).status == 422)
            }
        }
    }
}

extension IntakeFixture {
    func topUp(_ id: String, _ amount: String) async -> HTTPResponse {
        await self.post(
            "/v1/account/top-ups", ["id": .string(id), "amount": .string(amount)], key: Self.billingKey)
    }

    fileprivate func pay(_ amount: String, id: String = "first") async throws {
        #expect(await self.topUp(id, amount).status == 200)
    }

    func put(_ path: String, _ body: JSON, key: String = Self.billingKey) async -> HTTPResponse {
        await self.ask("PUT", path, key: key, body: body.serialized())
    }

    fileprivate var balance: String? { get async { await self.get("/v1/account").json["balance"]?.string } }

    /// Runs `body` with this and so many other APIs over the same database, each with connections of its own.
    fileprivate func together(
        with count: Int, _ body: ([IntakeFixture]) async throws -> Void
    ) async throws {
        if count == 0 { return try await body([self]) }
        let pool = TestDatabase.pool(self.system.url, limit: 4)
        try await IntakeFixture.run(on: TestSystem(url: self.system.url, pool: pool)) { other async throws in
            try await body([self, other])
        }
        pool.close()
    }
}
