import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@testable import Intake

/// What is told of codes by the vendor's Conversion API.
@Suite(.timeLimit(.minutes(3))) struct NexmoConversionTests {
    private typealias Fixture = NexmoFixture

    private func report(
        _ fixture: NexmoFixture, _ id: String?, _ changes: [String: String?] = [:], path: String = "/conversions/sms",
        method: String = "POST"
    ) async -> HTTPResponse {
        var parameters = ["delivered": "True", "api_key": Fixture.key, "api_secret": Fixture.secret]
        parameters["message-id"] = id
        for (name, value) in changes { parameters[name] = value }
        return await fixture.ask(method, path, body: Fixture.form(parameters))
    }

    @Test func aReportIsAnsweredInPlainWords() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.sent()
            let response = await self.report(fixture, id, ["timestamp": "2026-01-01 12:00:00"])
            #expect(response.status == 200)
            #expect(response.fields["Content-Type"] == "text/plain")
            #expect(response.text == "OK")
            #expect(try await fixture.conversions() == ["sms +1 true"])
            let moment = try await fixture.base.system.pool.query("SELECT converted_at FROM conversions") {
                row throws(PostgresError) in try row.decode(0, as: Timestamp.self)
            }
            #expect(moment == [Timestamp("2026-01-01T12:00:00Z")])
            #expect(await self.report(fixture, id, ["delivered": "0"]).text == "OK")
            #expect(try await fixture.conversions() == ["sms +1 false"])
        }
    }

    @Test func aMessageMayBeNamedInAnyForm() async throws {
        try await Fixture.run { fixture async throws in
            for path in ["/conversions/sms", "/conversions/voice"] {
                for form in 0..<3 {
                    _ = try await fixture.sent()
                    let message = try await fixture.latest().id
                    let id = [message.compactText ?? "", "\(message)", message.bandwidthCallText][form]
                    #expect(await self.report(fixture, id, path: path).text == "OK")
                }
            }
            #expect(try await fixture.conversions() == Array(repeating: "sms +1 true", count: 6))
        }
    }

    /// Reporting must not fail when it is too late to do anything about it.
    @Test func ofAnUnknownMessageItIsWelcomeAndForgotten() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.sent()
            for (id, key) in [("0A0000001234567B", Fixture.key), ("nothing", Fixture.key), (id, Fixture.strangersKey)] {
                #expect(await self.report(fixture, id, ["api_key": key]).text == "OK")
            }
            #expect(try await fixture.conversions() == [])
        }
    }

    @Test func parametersMayStandInTheQueryBesideAnEmptyArray() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.sent()
            let query =
                "message-id=\(id)&delivered=1&timestamp=1700000000&api_key=\(Fixture.key)&api_secret=\(Fixture.secret)"
            let response = await fixture.ask(
                "POST", "/conversions/sms?\(query)", body: Array("[]".utf8), type: "application/json")
            #expect(response.text == "OK")
            #expect(try await fixture.conversions() == ["sms +1 true"])
        }
    }

    @Test func whoeverHasTheKeyMayReportWithASignatureOfAnyAgeOrBasic() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.sent()
            let bare = ["message-id": id, "delivered": "True", "timestamp": "2020-01-01 12:00:00"]
            let signed = Fixture.signed(bare.merging(["api_key": Fixture.key]) { $1 }, at: nil)
            #expect(await fixture.ask("POST", "/conversions/sms", body: Fixture.form(signed)).text == "OK")
            let response = await fixture.ask(
                "POST", "/conversions/sms", body: Fixture.form(bare), authorization: Fixture.basic(),
                type: "application/json")
            #expect(response.text == "OK")
            #expect(await self.report(fixture, id, ["api_key": Fixture.verifyingKey]).text == "OK")
        }
    }

    @Test func refusalsHaveAType() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.sent()
            let table: [(String?, [String: String?], Int, String)] = [
                (id, ["api_secret": "x"], 401, "UNAUTHORIZED"), (id, ["api_key": nil], 401, "UNAUTHORIZED"),
                (id, ["api_secret": nil], 401, "UNAUTHORIZED"), (id, ["sig": "00"], 401, "UNAUTHORIZED"),
                (id, ["api_key": Fixture.readingKey], 402, "NOT_ENABLED"),
                (nil, [:], 423, "MISSING_PARAMETERS"), (id, ["delivered": nil], 423, "MISSING_PARAMETERS"),
                (id, ["delivered": "perhaps"], 420, "INVALID_PARAMETERS"),
                (id, ["timestamp": "yesterday"], 420, "INVALID_PARAMETERS"),
                (id, ["timestamp": "2026-13-01 00:00:00"], 420, "INVALID_PARAMETERS"),
                // Times that neither we nor PostgreSQL can count with.
                (id, ["timestamp": "-9223372036854775808"], 420, "INVALID_PARAMETERS"),
                (id, ["timestamp": "-1099511627775"], 420, "INVALID_PARAMETERS"),
                (id, ["timestamp": "253402300800"], 420, "INVALID_PARAMETERS"),
                (id, ["timestamp": "253402300799"], 200, ""),
                (id, ["timestamp": "2026-01-01T00:00:00+01:00"], 200, ""),
            ]
            for (id, changes, status, type) in table {
                let response = await self.report(fixture, id, changes)
                #expect(response.status == status, "\(changes)")
                guard status != 200 else { continue }
                #expect(response.json["type"]?.string == type)
                #expect(response.json["error_title"]?.string?.isEmpty == false)
                #expect(response.fields["Content-Type"] == "application/json")
            }
            #expect(await self.report(fixture, id, path: "/conversions/mail").status == 404)
            #expect(await self.report(fixture, id, path: "/conversions").status == 404)
            let method = await self.report(fixture, id, method: "GET")
            #expect(method.status == 405)
            #expect(method.fields["Allow"] == "POST")
            let broken = await fixture.ask("POST", "/conversions/sms", body: Array("{".utf8))
            #expect(broken.status == 420)
        }
    }
}
