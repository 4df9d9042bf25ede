import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@testable import Callbacks

@Suite struct StandardWebhookTests {
    private typealias Key = CallbackSecrets.SigningKey

    private static let published = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    @Test func thePublishedVectorIsSigned() throws {
        let signature = StandardWebhook.signature(
            of: Array(#"{"test": 2432232314}"#.utf8), id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330,
            key: try #require(Key(text: Self.published)))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func aMessageIsToldInTheNamesOfTheAPI() throws {
        var message = Sample.message()
        message.verification = VerificationID("0192d1e4-7000-7000-8000-000000000001")
        message.sender = "Acme"
        message.reference = "order 7"
        message.metadata = #"{"shop":"B","n":1}"#
        message.parts = 2
        message.price = Money("0.015")
        message.network = "310260"
        message.isCorrected = true
        let event = Sample.event(.messageDelivered, message, reason: "ok")
        #expect(
            try Sample.told(event, to: Sample.endpoint(.standard)) == [
                "type": "message.delivered", "timestamp": "2021-02-25T15:02:09.250Z",
                "data": [
                    "id": "0192d1e4-7000-7abc-8000-0000000000fe",
                    "verification_id": "0192d1e4-7000-7000-8000-000000000001", "sequence": 2, "status": "delivered",
                    "reason": "ok", "channel": "sms", "to": "+16365553226", "from": "Acme", "reference": "order 7",
                    "metadata": ["shop": "B", "n": 1], "parts": 2, "price": "0.015", "currency": "EUR",
                    "corrected": true, "accepted_at": "2021-02-25T15:01:40.000Z",
                ],
            ])
    }

    @Test func whatIsNotThereIsLeftOut() throws {
        let told = try Sample.told(Sample.event(.messageAccepted), to: Sample.endpoint(.standard))
        let names = told["data"]?.members?.map(\.name)
        #expect(names == ["id", "sequence", "status", "channel", "to", "parts", "corrected", "accepted_at"])
    }

    @Test(arguments: ["verified", "exhausted", "expired"]) func aVerificationIsTold(status: String) throws {
        let verification = CallbackEvent.Verification(
            id: VerificationID(rawValue: Sample.id), application: "shop", template: "login", channel: .email,
            recipient: "a@example.com", startedAt: Sample.now)
        let event = CallbackEvent(
            id: EventID(rawValue: Sample.id), type: try #require(EventType(rawValue: "verification.\(status)")),
            sequence: 1, occurredAt: Sample.now, subject: .verification(verification))
        #expect(
            try Sample.told(event, to: Sample.endpoint(.standard))["data"] == [
                "id": "0192d1e4-7000-7abc-8000-0000000000fe", "sequence": 1, "status": .string(status),
                "application": "shop", "template": "login", "channel": "email", "to": "a@example.com",
                "started_at": "2021-02-25T15:02:10.000Z",
            ])
        for kind in EndpointKind.allCases where kind != .standard {
            #expect(Callbacks.request(for: event, to: Sample.endpoint(kind), now: Sample.now) == nil)
        }
    }

    @Test func aSwitchedOffEndpointIsTold() throws {
        let webhook = CallbackEvent.Webhook(id: "main", url: "https://example.com", disabledBecause: "gone")
        let event = CallbackEvent(
            id: EventID(rawValue: Sample.id), type: .webhookDisabled, sequence: 1, occurredAt: Sample.now,
            subject: .webhook(webhook))
        #expect(
            try Sample.told(event, to: Sample.endpoint(.standard))["data"]
                == ["id": "main", "sequence": 1, "url": "https://example.com", "disabled": "gone"])
    }

    @Test func anotherTryDiffersInTimeAndSignatureOnly() throws {
        let secrets = CallbackSecrets(signingKeys: [try #require(Key(text: Self.published))])
        let endpoint = Sample.endpoint(.standard, [:], secrets)
        let event = Sample.event(.messageFailed, reason: "no_route")
        let first = try #require(Callbacks.request(for: event, to: endpoint, now: Sample.now))
        let second = try #require(Callbacks.request(for: event, to: endpoint, now: Sample.now + .seconds(5)))
        #expect(first.method == "POST")
        #expect(first.url == endpoint.url)
        #expect(first.body == second.body)
        #expect(first.fields["webhook-id"] == "evt_0192d1e470007abc80000000000000fe")
        #expect(first.fields["webhook-id"] == second.fields["webhook-id"])
        #expect(first.fields["Content-Type"] == "application/json")
        #expect(first.fields["webhook-timestamp"] == "1614265330")
        #expect(second.fields["webhook-timestamp"] == "1614265335")
        #expect(first.fields["webhook-signature"] != second.fields["webhook-signature"])
    }

    @Test func everyLiveKeySignsAndTheNewestAlways() throws {
        let keys = try (1...3).map { try #require(Key(key: [UInt8](repeating: $0, count: 32))) }
        var secrets = CallbackSecrets(signingKeys: keys)
        let count = { (now: Timestamp) in
            let endpoint = Sample.endpoint(.standard, [:], secrets)
            let request = Callbacks.request(for: Sample.event(.messageFailed), to: endpoint, now: now)
            return request?.fields["webhook-signature"]?.split(separator: " ").count
        }
        secrets.signingKeys[1].expiresAt = Sample.now
        #expect(count(Sample.now - .microseconds(1)) == 3)
        #expect(count(Sample.now) == 2)
        secrets.signingKeys = [keys[0]]
        secrets.signingKeys[0].expiresAt = Sample.now
        #expect(count(Sample.now) == 1)
        secrets.signingKeys = []
        #expect(count(Sample.now) == nil)
    }

    @Test func aKeyHas24To64Bytes() {
        for count in [0, 23, 24, 32, 64, 65] {
            let key = Key(key: [UInt8](repeating: 7, count: count))
            #expect((key != nil) == (24...64).contains(count))
            if let key { #expect(Key(text: key.text) == key) }
        }
        #expect(Key(text: Self.published)?.text == Self.published)
        #expect(Key(text: String(Self.published.dropFirst(6))) == nil)
        #expect(Key(text: Self.published + "=") == nil)
        #expect(Key.make().key.count == 32)
        #expect(Key.make() != Key.make())
    }

    @Test func secretsAreReadAsTheyAreWritten() throws {
        let secrets = CallbackSecrets(
            signingKeys: [.make(), try #require(Key(text: Self.published, expiresAt: Sample.occurredAt))],
            fields: ["authorization": "Basic x", "signature_secret": "s"])
        #expect(CallbackSecrets(secrets.json) == secrets)
        #expect(CallbackSecrets([:]) == CallbackSecrets())
        let bad: [JSON] = [
            [], ["x": 1], ["signing_keys": 1], ["signing_keys": [1]],
            ["signing_keys": [["key": "whsec_AA=="]]], ["fields": ["a": 1]], ["fields": []],
            ["signing_keys": [["key": .string(Self.published), "expires_at": "soon"]]],
        ]
        for json in bad { #expect(CallbackSecrets(json) == nil, "\(json)") }
    }

    @Test func nothingOfItIsPrinted() throws {
        let secrets = CallbackSecrets(signingKeys: [.make()], fields: ["authorization": "hush-hush"])
        let endpoint = Sample.endpoint(.nexmo, url: "https://example.com/hush-hush?a=hush-hush", [:], secrets)
        var message = Sample.message()
        message.reference = "hush-hush"
        let event = Sample.event(.messageDelivered, message)
        let request = try #require(Callbacks.request(for: event, to: endpoint, now: Sample.now))
        var text = "\(secrets) \(secrets.signingKeys[0]) \(endpoint) \(event) \(event.subject) \(message) \(request)"
        for value in [secrets, secrets.signingKeys[0], endpoint, event, event.subject, message, request] as [Any] {
            dump(value, to: &text)
        }
        for secret in ["hush", "6365553226", secrets.signingKeys[0].text] { #expect(!text.contains(secret)) }
        #expect(text.contains("GET https://example.com"))
    }
}
