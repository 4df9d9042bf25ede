import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Intake

/// What the vendor's programs send, and how they may write it.
@Suite(.timeLimit(.minutes(3))) struct NexmoSendTests {
    private typealias Fixture = NexmoFixture

    @Test func aMessageIsAcceptedWithACompactID() async throws {
        try await Fixture.run { fixture async throws in
            let response = await fixture.send(["client-ref": "my-ref"])
            #expect(response.part?.members?.map(\.name) == ["status", "message-id", "to", "client-ref"])
            #expect(response.part?["to"]?.string == Fixture.number)
            #expect(response.part?["client-ref"]?.string == "my-ref")
            let message = try await fixture.latest()
            #expect(response.part?["message-id"]?.string == message.id.compactText)
            #expect(message.id.compactText?.utf8.count == 16)
            #expect(message.recipient == "+\(Fixture.number)")
            #expect(message.priority == Priority.otp.rawValue)
            #expect(message.reference == "my-ref")
            #expect(message.text == "Your verification code is \(Fixture.pin)")
            #expect(message.endpoint == nil)
            #expect(await fixture.send().part?["client-ref"] == nil)
        }
    }

    /// Whatever the Content-Type says: by it, nothing is decided.
    @Test(arguments: ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
    func parametersMayStandAnywhere(type: String) async throws {
        try await Fixture.run { fixture async throws in
            let all = Fixture.parameters()
            let form = Fixture.form(all)
            let query = "\(Fixture.path)?\(String(decoding: form, as: UTF8.self))"
            let json = JSON.object(all.map { .init($0.key, .string($0.value)) })
            let numbers = json.with(["pin": 482193, "to": 16365553226, "client-ref": nil, "from": .null])
            let table: [(String, String, [UInt8])] = [
                ("POST", Fixture.path, form), ("POST", query, []), ("GET", query, []),
                ("POST", query, Array("[]".utf8)),
                ("POST", query, Array(" {}\n".utf8)), ("POST", Fixture.path, json.serialized()),
                ("POST", Fixture.path, Array(" \n".utf8) + numbers.serialized()), ("GET", Fixture.path, form),
            ]
            for (method, target, body) in table {
                let response = await fixture.ask(method, target, body: body, type: type)
                #expect(response.nexmo == 0, "\(method) \(body.count): \(response.text)")
                #expect(try await fixture.latest().text.hasSuffix(Fixture.pin))
            }
            let half = String(decoding: Fixture.form(["to": "1", "pin": "1", "client-ref": "q"]), as: UTF8.self)
            let response = await fixture.ask("POST", "\(Fixture.path)?\(half)", body: form)
            #expect(response.part?["to"]?.string == Fixture.number)
            #expect(response.part?["client-ref"]?.string == "q")
        }
    }

    @Test(arguments: ["+16365553226", " 16365553226", "16365553226", "+41791234567"])
    func aPlusSignIsPassedOver(to: String) async throws {
        try await Fixture.run { fixture async throws in
            #expect(await fixture.send(["to": to]).part?["to"]?.string == to)
            #expect(try await fixture.latest().recipient == "+\(to.filter(\.isNumber))")
        }
    }

    @Test func answersAreXMLWhereThePathSaysSo() async throws {
        try await Fixture.run { fixture async throws in
            let response = await fixture.send(["client-ref": "<a> & \"b\" 'c'"], path: "/sc/us/2fa/xml")
            let id = try #require(try await fixture.latest().id.compactText)
            #expect(
                response.text == "<?xml version='1.0' encoding='UTF-8' ?><mt-submission-response><messages count='1'>"
                    + "<message><status>0</status><messageId>\(id)</messageId><to>\(Fixture.number)</to>"
                    + "<clientRef>&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;</clientRef></message></messages>"
                    + "</mt-submission-response>")
            // What no document of XML may hold.
            let strange = await fixture.send(["client-ref": "a\u{FFFE}b\u{FFFF}"], path: "/sc/us/2fa/xml")
            #expect(strange.text.contains("<clientRef>a\u{FFFD}b\u{FFFD}</clientRef>"))
            let refused = await fixture.send(["api_secret": "wrong"], path: "/sc/us/2fa/xml")
            #expect(refused.text.contains("<status>4</status><errorText>Bad Credentials</errorText>"))
        }
    }

    @Test func anAccountsOwnWordsAreFilledIn() async throws {
        try await Fixture.run { fixture async throws in
            let words = ["api_key": Fixture.wordyKey, "shop": "A&B {{pin}}", "user.name": "Anna", "colour": "green"]
            #expect(await fixture.send(words).nexmo == 0)
            #expect(try await fixture.latest().text == "A&B {{pin}}: \(Fixture.pin) is for Anna, A&B {{pin}}")
            let missing = await fixture.send(["api_key": Fixture.wordyKey, "shop": "A"])
            #expect(missing.part == ["status": "2", "error-text": "Missing user.name param"])
            #expect(await fixture.send(words.merging(["shop": String(repeating: "x", count: 501)]) { $1 }).nexmo == 3)
            #expect(await fixture.send(words.merging(["shop": "a\nb"]) { $1 }).nexmo == 3)
            // 500 of these twice are more than ten segments.
            #expect(await fixture.send(words.merging(["shop": String(repeating: "ж", count: 500)]) { $1 }).nexmo == 12)
        }
    }

    @Test func receiptsGoToTheEndpointThatIsCalledAsTheKey() async throws {
        try await Fixture.run { fixture async throws in
            _ = try await fixture.base.system.pool.execute(
                """
                INSERT INTO endpoints (account_id, public_id, kind, url)
                SELECT a.id, e.name, e.kind, 'https://example.com/' FROM accounts a, (VALUES
                    ('acme', 'nexmo', 'nxwords0'), ('other', 'nexmo', 'nxkey000'), ('acme', 'standard', 'nxkey000'),
                    ('acme', 'infobip', 'nxverify')
                ) AS e (account, kind, name) WHERE a.name = e.account
                """)
            #expect(try await fixture.base.access.refresh())
            #expect(await fixture.send().nexmo == 0)
            #expect(try await fixture.latest().endpoint == nil)
            let words = ["api_key": Fixture.wordyKey, "shop": "A", "user.name": "Anna"]
            #expect(await fixture.send(words).nexmo == 0)
            let endpoint = try await fixture.latest().endpoint
            #expect(
                try await fixture.base.system.count("SELECT id::bigint FROM endpoints WHERE public_id = 'nxwords0'")
                    == endpoint.map { Int($0) })
        }
    }
}
