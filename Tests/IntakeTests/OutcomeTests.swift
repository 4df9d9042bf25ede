import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@testable import Intake

/// Opt-outs, conversions and rates in our own API.
@Suite(.timeLimit(.minutes(3))) struct OutcomeTests {
    // MARK: - Opt-outs

    @Test func nobodySendsToANumberThatHasOptedOut() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let number = JSON.string(IntakeFixture.number)
            let earlier = await fixture.post(IntakeFixture.message, idempotencyKey: "k")
            let id = try await codes.start()
            #expect(await fixture.post("/v1/opt-outs", ["to": number]).json == ["added": true])
            #expect(await fixture.post("/v1/opt-outs", ["to": number]).json == ["added": false])

            let refused = await fixture.post(IntakeFixture.message)
            #expect(refused.status == 422)
            #expect(refused.json["errors"] == [["path": "/to", "problem": "has opted out"]])
            let other = IntakeFixture.message.with(["to": "+41790000078"])
            #expect(
                await fixture.post([other, IntakeFixture.message, IntakeFixture.call]).paths == ["/1/to", "/2/to"])
            #expect(await fixture.post(other).status == 202)
            #expect(await fixture.post(IntakeFixture.message, key: IntakeFixture.strangersKey).status == 202)
            // What was accepted stays so.
            #expect(await fixture.post(IntakeFixture.message, idempotencyKey: "k").text == earlier.text)

            let code = await codes.send()
            #expect(code.status == 422)
            #expect(code.paths == ["/to"])
            #expect(await codes.resend(id).paths == ["/to"])
        }
    }

    @Test func addressesOptOutInAnyCase() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = await fixture.post("/v1/opt-outs", ["to": "Anna.Berg@example.com"])
            #expect(await fixture.post(IntakeFixture.mail).paths == ["/to"])
        }
    }

    /// Another process is told by the directory.
    @Test func otherProcessesNoticeTheFirstOfAnAccount() async throws {
        try await IntakeFixture.run { fixture async throws in
            let account = AccountID(rawValue: 1)
            #expect(try await fixture.system.store.putOptOut(IntakeFixture.number, of: account))
            #expect(try await fixture.access.refresh())
            #expect(await fixture.post(IntakeFixture.message).paths == ["/to"])
            #expect(try await fixture.system.store.putOptOut("+41790000078", of: account))
            #expect(try await !fixture.access.refresh())
        }
    }

    @Test func optOutsAreFoundPageByPage() async throws {
        try await IntakeFixture.run { fixture async throws in
            for last in [3, 1, 2] { _ = await fixture.post("/v1/opt-outs", ["to": .string("+4179000010\(last)")]) }
            let first = await fixture.post("/v1/opt-outs/search", ["limit": 2])
            #expect(first.json["opt_outs"]?.array?.map { $0["to"] } == ["+41790000101", "+41790000102"])
            let cursor = try #require(first.json["next"])
            let second = await fixture.post("/v1/opt-outs/search", ["limit": 2, "cursor": cursor])
            #expect(second.json["opt_outs"]?.array?.map { $0["to"] } == ["+41790000103"])
            #expect(second.json["next"] == .null)
            let one = await fixture.post("/v1/opt-outs/search", ["to": "+41790000102"], key: IntakeFixture.readingKey)
            #expect(one.json["opt_outs"]?.array?.count == 1)
            let none = await fixture.post("/v1/opt-outs/search", [:], key: IntakeFixture.strangersKey)
            #expect(none.json["opt_outs"] == [])
            #expect(await fixture.post("/v1/opt-outs/remove", ["to": "+41790000102"]).json == ["removed": true])
            #expect(await fixture.post("/v1/opt-outs/remove", ["to": "+41790000102"]).json == ["removed": false])
        }
    }

    @Test func optOutsAreReadCarefully() async throws {
        try await IntakeFixture.run { fixture async throws in
            let table: [(String, JSON, [String])] = [
                ("", [:], ["/to"]), ("", ["to": "1"], ["/to"]), ("", ["to": "+41790000101", "from": "x"], ["/from"]),
                ("/remove", ["to": .null], ["/to"]), ("/search", ["limit": 0], ["/limit"]),
                ("/search", ["limit": 1001, "to": "x", "cursor": "*"], ["/to", "/limit", "/cursor"]),
            ]
            for (path, body, problems) in table {
                let response = await fixture.post("/v1/opt-outs\(path)", body)
                #expect(response.status == 422)
                #expect(response.paths == problems)
            }
            for path in ["", "/remove", "/search"] {
                #expect(await fixture.post("/v1/opt-outs\(path)", [:], key: IntakeFixture.sendingKey).status == 403)
                #expect(await fixture.get("/v1/opt-outs\(path)").status == 405)
            }
            #expect(await fixture.post("/v1/opt-outs", [:], key: IntakeFixture.readingKey).status == 403)
            #expect(await fixture.get("/v1/opt-outs/+41790000101").status == 404)
        }
    }

    // MARK: - Conversions

    @Test func aConversionIsToldOfAMessage() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.accept()
            let path = "/v1/messages/\(id)/conversion"
            for key in [IntakeFixture.sendingKey, IntakeFixture.verifyingKey] {
                let response = await fixture.post(path, ["converted": true, "at": "2026-01-01T12:00:00Z"], key: key)
                #expect(response.json == ["id": .string(id), "converted": true])
            }
            #expect(try await fixture.system.count("SELECT count(*) FROM conversions WHERE converted") == 1)
            #expect(await fixture.post(path, ["converted": false]).json["converted"] == false)
            #expect(try await fixture.system.count("SELECT count(*) FROM conversions WHERE converted") == 0)

            #expect(await fixture.post(path, ["converted": true], key: IntakeFixture.strangersKey).status == 404)
            #expect(await fixture.post(path, ["converted": true], key: IntakeFixture.readingKey).status == 403)
            #expect(await fixture.post("/v1/messages/x/conversion", ["converted": true]).status == 404)
            #expect(await fixture.get(path).status == 405)
            let table: [(JSON, [String])] = [
                ([:], ["/converted"]), (["converted": "yes"], ["/converted"]), ([], [""]),
                (["converted": true, "at": "now", "by": 1], ["/by", "/at"]),
                (["converted": true, "at": .string("\(Timestamp.now + .seconds(3600))")], ["/at"]),
            ]
            for (body, problems) in table {
                let response = await fixture.post(path, body)
                #expect(response.status == 422)
                #expect(response.paths == problems)
            }
        }
    }

    // MARK: - Rates

    @Test func ratesAreTheAccountsByChannelAndCountry() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.system.pool.execute(
                """
                INSERT INTO rates (lane, hour, account_id, provider_id, channel, country, sent, delivered, undelivered,
                                   converted, unconverted)
                SELECT 0, date_trunc('hour', now(), 'UTC') - age, account, provider, channel, country, 300, 200, 50, 100, 0
                FROM (VALUES
                    (interval '0', 1, 1, 'sms', '+41'), (interval '2 hours', 1, 2, 'sms', '+41'),
                    (interval '2 hours', 1, 1, 'sms', '+1'), (interval '3 hours', 1, 1, 'email', ''),
                    (interval '3 days', 1, 1, 'sms', '+41'), (interval '0', 2, 1, 'sms', '+41')
                ) AS r (age, account, provider, channel, country)
                """)
            _ = try await fixture.system.pool.execute(
                """
                INSERT INTO rates (lane, hour, account_id, provider_id, channel, country, sent, delivered, undelivered,
                                   converted, unconverted)
                VALUES (0, date_trunc('hour', now(), 'UTC'), 1, 1, 'voice', '+41', 0, 0, 0, 0, 0)
                """)
            let rates = await fixture.get("/v1/rates")
            #expect(
                rates.json["rates"]?.array?.map { "\($0["channel"]?.string ?? "") \($0["country"]?.string ?? "-")" }
                    == ["sms +41", "email -", "sms +1", "voice +41"])
            #expect(
                rates.json["rates"]?[0] == [
                    "channel": "sms", "country": "+41", "sent": 600, "delivered": 400, "undelivered": 100,
                    "converted": 200, "unconverted": 0, "delivery_rate": 0.6667, "conversion_rate": 0.3333,
                ])
            #expect(rates.json["rates"]?[3]?["delivery_rate"] == .null)
            #expect(rates.json["rates"]?[3]?["conversion_rate"] == .null)
            let table: [(String, Int64)] = [
                ("channel=sms&country=%2B41", 600), ("channel=sms&country=+1", 300), ("country=41&channel=email", 0),
                ("country=41&since=2020-01-01T00:00:00Z", 900),
                ("country=41&until=2020-01-01T00:00:00Z&since=2019-01-01T00:00:00Z", 0),
                ("country=41&channel=sms&since=\(Timestamp.now)", 300),
            ]
            for (query, sent) in table {
                let response = await fixture.get("/v1/rates?\(query)")
                #expect((response.json["rates"]?[0]?["sent"]?.integer ?? 0) == sent, "\(query): \(response.text)")
            }
            for query in [
                "since=x", "channel=fax", "country=x", "country=4141", "x=1",
                "since=2026-01-02T00:00:00Z&until=2019-01-01T00:00:00Z", "country=41&country=1",
            ] {
                #expect(await fixture.get("/v1/rates?\(query)").status == 422, "\(query)")
            }
            #expect(await fixture.get("/v1/rates", key: IntakeFixture.sendingKey).status == 403)
            #expect(await fixture.ask("POST", "/v1/rates").status == 405)
        }
    }
}
