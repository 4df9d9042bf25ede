import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@Suite struct SendGridTests {
    private static let vectorKey =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZoki8jDyoR1NyWbDvP0R33zyVGRS6thCa5iVHz/8oWh0WqCDP9wHSGDcyoCwu/GWIVqM"
        + "sWovRS15VztEKftQ7g=="

    private static func account(_ credentials: [String: String], settings: [String: String] = [:]) -> ProviderAccount {
        Sample.account(
            .sendGrid, ["api_key": "SG.1"].merging(credentials) { $1 }, settings: settings, sender: "codes@acme.example"
        )
    }

    /// providers.md section 4.4.
    @Test func theVectorOfTheContractIsTaken() throws {
        let driver = try Sample.httpDriver(Self.account(["verification_key": Self.vectorKey]))
        let request = HTTPRequest(
            method: "POST", path: "/receipts/p1",
            fields: [
                "X-Twilio-Email-Event-Webhook-Timestamp": "1700000000",
                "X-Twilio-Email-Event-Webhook-Signature":
                    "MEUCIQDs32ea5vsAJYByUu99WgH6hN5KpH33EJkPRocE4p3BnAIgA4442u1lLIc8yT23LarPpDyzCyFDAAvR9fxEieIOvBM=",
            ], body: Array(#"[{"event":"delivered"}]"#.utf8))
        #expect(try driver.receipts(in: request, now: .v).map(\.verdict) == [.delivered])
        // SendGrid tries for a day.
        #expect(try driver.receipts(in: request, now: .v + .seconds(90_000)).count == 1)
        for age in [90_001, -301] {
            #expect(throws: ReceiptRefusal.unauthenticated) {
                try driver.receipts(in: request, now: .v + .seconds(age))
            }
        }
    }

    @Test func aTokenInTheAddressWillDoForUnsignedEvents() throws {
        let driver = try Sample.httpDriver(Self.account(["receipt_token": Sample.token]))
        var request = HTTPRequest(method: "POST", path: "/receipts/p1", body: Array(#"[{"event":"processed"}]"#.utf8))
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: .v) }
        request.path += "/\(Sample.token)"
        #expect(try driver.receipts(in: request, now: .v).map(\.verdict) == [.submitted])
    }

    /// One that names no message of ours is counted, and joined by SendGrid's own id if that is known.
    @Test func manyEventsAreManyReceipts() throws {
        let driver = try Sample.httpDriver(Self.account(["receipt_token": Sample.token]))
        let events: JSON = [
            ["event": "delivered", "mid": .string(Sample.id)], ["event": "bounce", "sg_message_id": "x1"], 7, [:],
        ]
        let request = HTTPRequest(method: "POST", path: "/receipts/p1/\(Sample.token)", body: events.serialized())
        let receipts = try driver.receipts(in: request, now: .v)
        #expect(receipts.map(\.message) == [Sample.reference, nil, nil, nil])
        #expect(receipts.map(\.part) == ["", "x1", "", ""])
        let many = JSON.array([JSON](repeating: [:], count: 10_001))
        #expect(throws: ReceiptRefusal.malformed("more than 10000 events")) {
            try driver.receipts(
                in: HTTPRequest(method: "POST", path: "/r/\(Sample.token)", body: many.serialized()), now: .v)
        }
    }

    @Test func aSandboxIsAskedFor() throws {
        let account = Self.account(["receipt_token": Sample.token], settings: ["sandbox": "on"])
        let mail = Sample.dispatch(.mail(Mail(subject: "a", text: "b")), to: "anna@example.com")
        let body = try Sample.httpDriver(account).request(for: [mail], now: .v).body
        #expect(String(decoding: body, as: UTF8.self).contains(#""mail_settings":{"sandbox_mode":{"enable":true}}"#))
    }

    @Test func aSandboxTakesMailsIn200() throws {
        let account = Self.account(["receipt_token": Sample.token], settings: ["sandbox": "on"])
        let mail = Sample.dispatch(.mail(Mail(subject: "a", text: "b")), to: "anna@example.com")
        let driver = try Sample.httpDriver(account)
        for (body, outcome) in [("", Outcome.accepted(parts: [])), ("<html>", .unanswered(.providerError))] {
            let response = HTTPResponse(status: 200, body: Array(body.utf8))
            #expect(driver.outcomes(for: [mail], response: response) == [outcome])
        }
    }

    @Test(arguments: [
        (["verification_key": "AAAA"], "credential verification_key is no key of P-256 in base64"),
        ([:], "verification_key or receipt_token is needed, or anybody could forge receipts"),
    ])
    func aWrongAccountIsTold(_ credentials: [String: String], _ problem: String) {
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(Self.account(credentials)) }
        #expect(error?.problems.contains(problem) == true)
    }

    @Test(arguments: [ProviderKind.sendGrid, .infobipEmail])
    func aSenderIsAMailbox(_ kind: ProviderKind) {
        let account = Sample.account(
            kind, ["api_key": "k", "receipt_token": Sample.token], url: "https://x.example", sender: "ACME")
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
        #expect(error?.problems == ["the sender is neither an address nor Name <address>"])
    }
}
