import HTTP
import JSON
import Postgres
import Store
import TestSystem
import Testing

/// What codes cost, in the vendors' words.
@Suite(.timeLimit(.minutes(3))) struct VendorMoneyTests {
    private static let american: JSON = ["channel": "sms", "prefix": "+1", "price": "0.05", "network": "310260"]

    /// Prices, and what an account has from now on.
    private static func pay(_ amount: String, _ price: JSON, _ fixture: IntakeFixture) async throws {
        try await fixture.system.apply([
            "accounts": [["name": "acme", "top_ups": [["id": "first", "amount": .string(amount)]]]], "prices": [price],
        ])
        _ = try await fixture.access.refresh()
    }

    @Test func nexmosFiguresAreTrueUntilNothingIsLeft() async throws {
        try await NexmoFixture.run { fixture async throws in
            try await Self.pay("0.1625", Self.american, fixture.base)
            let part = try #require(await fixture.send(["client-ref": "a"]).part)
            #expect(
                part.members?.map(\.name) == [
                    "status", "message-id", "to", "client-ref", "remaining-balance", "message-price", "network",
                ])
            #expect(part["remaining-balance"] == "0.1125")
            #expect(part["message-price"] == "0.05")
            #expect(part["network"] == "310260")
            let xml = await fixture.send(path: "/sc/us/2fa/xml").text
            let figures =
                "<remainingBalance>0.0625</remainingBalance><messagePrice>0.05</messagePrice><network>310260</network>"
            #expect(xml.contains(figures), "\(xml)")
            // Without a price nothing is charged, and nothing told.
            let free = try #require(await fixture.send(["to": "41791234567"]).part)
            #expect(free.members?.map(\.name) == ["status", "message-id", "to"])
            #expect(await fixture.send().part?["remaining-balance"] == "0.0125")
            #expect(await fixture.send().part == ["status": "9", "error-text": "Quota Exceeded - rejected"])
            let balance = await fixture.base.get("/v1/account").json["balance"]
            #expect(balance == "0.0125")
        }
    }

    @Test func aBandwidthCodeThatCannotBePaidIsA400() async throws {
        try await BandwidthFixture.run { fixture async throws in
            try await Self.pay("0.05", Self.american, fixture.base)
            let code = try await fixture.code()
            let refused = await fixture.send()
            #expect(refused.status == 400 && refused.error == "Insufficient funds")
            #expect(await fixture.verify(code).json["valid"] == true)
            #expect(try await fixture.base.system.count("SELECT count(*) FROM scoped_codes") == 1)
        }
    }

    @Test func aBandwidthCodeThatCostsMoreThanThereIsMoneyIsA400() async throws {
        try await BandwidthFixture.run { fixture async throws in
            try await Self.pay("1", Self.american.with(["price": "9999999999.99999999"]), fixture.base)
            let refused = await fixture.send(["message": .string(String(repeating: "a", count: 1400) + "{CODE}")])
            #expect(refused.status == 400 && refused.error == "Insufficient funds", "\(refused.text)")
        }
    }

    @Test func aBindCodeThatCannotBePaidIsRejected() async throws {
        try await BindFixture.run { fixture async throws in
            try await Self.pay("0.05", ["channel": "sms", "prefix": "+44", "price": "0.05"], fixture.base)
            let id = try await fixture.start()
            #expect(await fixture.request().isRejected("OUT_OF_BALANCE"))
            #expect(await fixture.validate(id, try await fixture.code(of: id)).json["verified"] == true)
            #expect(try await fixture.base.system.count("SELECT count(*) FROM messages") == 1)
        }
    }
}
