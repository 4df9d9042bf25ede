import Callbacks
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Intake

@Suite(.timeLimit(.minutes(3))) struct WebhookTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    @Test func aWebhookHasDefaults() async throws {
        try await IntakeFixture.run { fixture async throws in
            let made = await fixture.post("/v1/webhooks", Webhooks.new)
            #expect(made.status == 201)
            let id = try #require(made.json["id"]?.string)
            #expect(made.fields["Location"] == "/v1/webhooks/\(id)")
            let secret = try #require(made.json["secret"]?.string)
            #expect(CallbackSecrets.SigningKey(text: secret)?.key.count == 32)
            let shown = await Webhooks(fixture).show(id)
            #expect(
                shown.with(["created_at": nil]) == [
                    "id": .string(id), "kind": "standard", "url": "https://example.com/hook?token=t0ken",
                    "description": "", "types": [], "in_flight": 8, "enabled": true, "disabled_because": nil,
                    "disabled_at": nil, "failing_since": nil,
                ])
            #expect(made.json.with(["secret": nil]) == shown)
            #expect(await fixture.get("/v1/webhooks").json == ["webhooks": [shown]])
            // Sealed, and never shown again.
            let stored = try await fixture.system.pool.query("SELECT e::text FROM endpoints e") {
                row throws(PostgresError) in try row.decode(0, as: String.self)
            }
            #expect(!stored.joined().contains(secret.dropFirst(6)))
            #expect(await !fixture.get("/v1/webhooks").text.contains("whsec_"))
        }
    }

    @Test func aSecretMayBeBroughtAlong() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            let webhook = try await webhooks.make(["secret": .string(Self.secret), "types": ["message.cancelled"]])
            #expect(webhook.secret == Self.secret)
            let request = try await webhooks.request(of: webhooks.event(), to: webhook.id)
            #expect(try request?.isSigned(with: Self.secret) == true)
        }
    }

    @Test func aChangeMerges() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            let id = try await webhooks.make().id
            let sealed = try await fixture.system.store.endpoint(id, of: webhooks.account())?.settings.secrets
            var expected = await webhooks.show(id)
            let changes: [(change: JSON, expected: [String: JSON?])] = [
                ([:], [:]), (["url": nil, "types": nil], [:]),
                (["url": "https://example.org"], ["url": "https://example.org/"]),
                (["types": ["message.failed", "message.failed"]], ["types": ["message.failed"]]),
                (["types": []], ["types": []]),
                (["description": "shop", "in_flight": 100], ["description": "shop", "in_flight": 100]),
            ]
            for (change, members) in changes {
                expected = expected.with(members)
                let changed = await fixture.patch("/v1/webhooks/\(id)", change)
                #expect(changed.status == 200)
                #expect(Set(changed.json.members ?? []) == Set(expected.members ?? []), "\(change.text)")
            }
            #expect(try await fixture.system.store.endpoint(id, of: webhooks.account())?.settings.secrets == sealed)
        }
    }

    @Test func oneThatWasSwitchedOffBeginsAnew() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            let id = try await webhooks.make().id
            let off = await fixture.patch("/v1/webhooks/\(id)", ["enabled": false])
            #expect(off.json["enabled"] == false)
            #expect(off.json["disabled_because"] == "customer")
            try await fixture.system.pool.execute(
                "UPDATE endpoints SET disabled = 'failing', failing_since = now() - interval '5 days'")
            #expect(await webhooks.show(id)["disabled_because"] == "failing")
            #expect(await webhooks.show(id)["failing_since"]?.string != nil)
            let on = await fixture.patch("/v1/webhooks/\(id)", ["enabled": true]).json
            #expect(on["enabled"] == true)
            for name in ["disabled_because", "disabled_at", "failing_since"] { #expect(on[name] == .some(.null)) }
            let born = try await webhooks.make(["enabled": false]).id
            #expect(await webhooks.show(born)["disabled_because"] == "customer")
        }
    }

    @Test func whatIsWrongIsNamed() async throws {
        let table: [(member: String, values: [JSON?])] = [
            (
                "url",
                [
                    nil, .null, "", 5, "http://example.com", "https://127.0.0.1/", "https://example.com:22/",
                    "https://10.0.0.1/", "https://u:p@example.com/", "https://localhost/", "/hook",
                ]
            ),
            ("description", [5, .string(String(repeating: "n", count: 256)), "a\u{0}b"]),
            ("types", ["message.failed", 5]), ("in_flight", [0, 101, "5", 1.5]), ("enabled", ["true", 1]),
            ("secret", ["whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 5]), ("kind", ["nexmo"]),
            ("id", ["x"]),
        ]
        try await IntakeFixture.run { fixture async throws in
            let id = try await Webhooks(fixture).make().id
            for (member, values) in table {
                for value in values {
                    let made = await fixture.post("/v1/webhooks", Webhooks.new.with([member: value]))
                    #expect(made.status == 422, "\(member) \(value?.text ?? "absent")")
                    #expect(made.paths == ["/\(member)"], "\(member) \(value?.text ?? "absent")")
                    guard let value, !value.isNull else { continue }
                    let changed = await fixture.patch("/v1/webhooks/\(id)", .object([.init(member, value)]))
                    #expect(changed.paths == ["/\(member)"], "\(member) \(value.text)")
                }
            }
            let types: JSON = ["types": ["message.failed", "message.sent", 5]]
            #expect(await fixture.patch("/v1/webhooks/\(id)", types).paths == ["/types/1", "/types/2"])
            let url = await fixture.post("/v1/webhooks", ["url": "https://10.0.0.1/"])
            #expect(url.json["errors"]?.array?.first?["problem"]?.string?.hasPrefix("The URL's address") == true)
            for body in [.null, [], 5, "x"] as [JSON] {
                #expect(await fixture.post("/v1/webhooks", body).paths == [""])
            }
            for overlap in ["8d", "x", "", 5, "-1s"] as [JSON] {
                let refused = await fixture.post("/v1/webhooks/\(id)/rotate", ["overlap": overlap])
                #expect(refused.paths == ["/overlap"], "\(overlap.text)")
            }
            for (body, path) in [
                ([:], "/since"), (["since": "yesterday"], "/since"),
                (["since": "2026-01-01T00:00:00Z", "continue_from": "evt_1"], "/continue_from"),
                (["since": "2026-01-01T00:00:00Z", "until": "x"], "/until"),
            ] as [(JSON, String)] {
                #expect(await fixture.post("/v1/webhooks/\(id)/replay", body).paths == [path])
            }
        }
    }

    @Test func thereAreNoMoreThanFifty() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await Webhooks(fixture).make().id
            try await fixture.system.pool.execute(
                """
                INSERT INTO endpoints (account_id, public_id, kind, url)
                SELECT account_id, n::text, kind, url FROM endpoints, generate_series(2, 50) n
                """)
            let refused = await fixture.post("/v1/webhooks", Webhooks.new)
            #expect(refused.status == 409)
            #expect(refused.code == "too_many")
            #expect(await fixture.get("/v1/webhooks").json["webhooks"]?.array?.count == 50)
            #expect(await fixture.ask("DELETE", "/v1/webhooks/\(id)").status == 204)
            #expect(await fixture.post("/v1/webhooks", Webhooks.new).status == 201)
        }
    }

    @Test func oneIsDeletedOnce() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            let id = try await webhooks.make().id
            let other = try await webhooks.make().id
            let event = try await webhooks.event()
            #expect(await fixture.ask("DELETE", "/v1/webhooks/\(id)").status == 204)
            #expect(await fixture.ask("DELETE", "/v1/webhooks/\(id)").code == "not_found")
            #expect(await fixture.get("/v1/webhooks/\(id)").code == "not_found")
            #expect(await fixture.get("/v1/webhooks").json["webhooks"]?.array?.map { $0["id"]?.string } == [other])
            let names = await fixture.get("/v1/events/\(event)").json["deliveries"]?.array?.map {
                $0["webhook"]?.string
            }
            #expect(names == [id, other])
        }
    }

    @Test func secretsOverlap() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            let (id, first) = try await webhooks.make()
            let event = try await webhooks.event()
            let path = "/v1/webhooks/\(id)/rotate"
            let second = try #require(await fixture.post(path, ["overlap": "7d"]).json["secret"]?.string)
            let both = try #require(try await webhooks.request(of: event, to: id))
            #expect(try both.isSigned(with: first) && both.isSigned(with: second))
            // Without a body; and what had a week has a day from then on.
            let third = try #require(await fixture.ask("POST", path).json["secret"]?.string)
            for _ in 0..<2 { #expect(await fixture.post(path, [:]).status == 200) }
            let refused = await fixture.post(path, [:])
            #expect(refused.code == "too_many")
            let five = try #require(try await webhooks.request(of: event, to: id))
            #expect(try [first, second, third].allSatisfy { try five.isSigned(with: $0) })
            let last = try #require(await fixture.post(path, ["overlap": "0s"]).json["secret"]?.string)
            let alone = try #require(try await webhooks.request(of: event, to: id))
            #expect(try alone.isSigned(with: last))
            #expect(try ![first, second, third].contains { try alone.isSigned(with: $0) })
        }
    }

    @Test func vendorsAreShownAndHaveNoSecret() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await fixture.system.apply([
                "accounts": [
                    [
                        "name": "acme",
                        "webhooks": [["id": "reports", "kind": "infobip", "url": "https://example.com/reports"]],
                    ]
                ]
            ])
            try await fixture.system.pool.execute(
                """
                INSERT INTO endpoints (account_id, public_id, kind, url)
                SELECT account_id, 'b', 'bandwidth', 'https://example.com' FROM endpoints
                """)
            let shown = await fixture.get("/v1/webhooks/reports").json
            #expect(shown["kind"] == "infobip")
            #expect(shown["types"]?.array?.count == 5)
            #expect(await fixture.post("/v1/webhooks/reports/rotate", [:]).code == "no_signing_keys")
            let types = await fixture.patch("/v1/webhooks/reports", ["types": ["message.accepted"]])
            #expect(types.paths == ["/types/0"])
            #expect(await fixture.patch("/v1/webhooks/reports", ["types": []]).json == shown)
            #expect(await fixture.get("/v1/webhooks/b").code == "not_found")
            #expect(await fixture.get("/v1/webhooks").json["webhooks"]?.array?.count == 1)
        }
    }

    @Test func nobodyReachesIntoAnotherAccount() async throws {
        try await IntakeFixture.run { fixture async throws in
            let mine = Webhooks(fixture)
            let theirs = Webhooks(fixture, key: IntakeFixture.strangersKey)
            let id = try await mine.make().id
            let foreign = try await theirs.make().id
            let event = try await mine.event()
            let before = await mine.show(id)
            let bodies: [(String, String, JSON?)] = [
                ("GET", "webhooks/X", nil), ("PATCH", "webhooks/X", ["enabled": false]), ("DELETE", "webhooks/X", nil),
                ("POST", "webhooks/X/rotate", [:]), ("POST", "webhooks/X/replay", ["since": "2026-01-01T00:00:00Z"]),
            ]
            for (method, path, body) in bodies {
                var answers: [String] = []
                for name in [id, "nobody", "%00"] {
                    let target = "/v1/\(path.replacing("X", with: name))"
                    let answer = await fixture.ask(
                        method, target, key: theirs.key, body: body?.serialized() ?? [])
                    #expect(answer.code == "not_found", "\(method) \(target)")
                    answers.append(answer.whole)
                }
                #expect(Set(answers).count == 1)
            }
            #expect(await mine.show(id) == before)
            #expect(await fixture.get("/v1/events/\(event)", key: theirs.key).code == "not_found")
            #expect(await fixture.get("/v1/events", key: theirs.key).json["events"] == [])
            let replay = "/v1/events/\(event)/replay"
            let named = await fixture.post(replay, ["webhook": .string(foreign)], key: theirs.key)
            #expect(named.code == "not_found")
            #expect(await fixture.post(replay, ["webhook": .string(foreign)]).paths == ["/webhook"])
        }
    }
}
