import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Intake

/// Each status that can come, in the vendor's envelope.
@Suite(.timeLimit(.minutes(3))) struct NexmoErrorTests {
    private typealias Fixture = NexmoFixture

    @Test func whatIsWrongWithAParameterIsTold() async throws {
        try await Fixture.run { fixture async throws in
            let table: [([String: String?], Int, String)] = [
                (["to": nil], 2, "Missing to param"), (["to": ""], 2, "Missing to param"),
                (["pin": nil], 2, "Missing pin param"),
                (["api_key": nil], 2, "Missing api_key"), (["api_secret": nil], 2, "Missing api_secret"),
                (["api_secret": "x"], 4, "Bad Credentials"),
                (["pin": "48a1"], 3, "Invalid parameter: pin must be numeric"),
                (["pin": "٤٨٢١"], 3, "Invalid parameter: pin must be numeric"),
                (["pin": "-482"], 3, "Invalid parameter: pin must be numeric"),
                (["pin": "12345678901"], 3, "Invalid parameter: pin must have at most 10 digits"),
                (
                    ["client-ref": String(repeating: "x", count: 41)], 3,
                    "Invalid parameter: client-ref must have at most 40 characters on one line"
                ),
                (
                    ["client-ref": "a\u{1}b"], 3,
                    "Invalid parameter: client-ref must have at most 40 characters on one line"
                ),
                (["client-ref": "a\0b"], 3, "Invalid parameters: they cannot be read"),
                (["to": "nobody"], 34, "Invalid or Missing Msisdn Param"),
                (["to": "123"], 34, "Invalid or Missing Msisdn Param"),
                (["to": "163655532260"], 34, "Invalid or Missing Msisdn Param"),
                (["to": "++16365553226"], 34, "Invalid or Missing Msisdn Param"),
                (["to": "4930123456"], 6, "Unroutable message - rejected"),
                (["api_key": Fixture.readingKey], 101, "Invalid Account for Campaign"),
                (["api_key": Fixture.verifyingKey], 101, "Invalid Account for Campaign"),
            ]
            for (changes, status, text) in table {
                let response = await fixture.send(changes)
                #expect(
                    response.part == ["status": .string("\(status)"), "error-text": .string(text)], "\(response.text)")
            }
            #expect(try await fixture.base.stored == 0)
            #expect(await fixture.send(["client-ref": String(repeating: "é", count: 40), "pin": "0"]).nexmo == 0)
        }
    }

    @Test func whatCannotBeReadIsInvalid() async throws {
        try await Fixture.run { fixture async throws in
            let good = Fixture.form(Fixture.parameters())
            let many = (0..<120).map { "p\($0)=1" }.joined(separator: "&")
            for body in ["{", "{\"to\":1}}", "[1]", "to=%zz", "to=%ff", "{\"to\": 1e999}", many] {
                let response = await fixture.ask("POST", Fixture.path, body: Array(body.utf8))
                #expect(response.nexmo == 3, "\(body): \(response.text)")
            }
            #expect(await fixture.ask("POST", "\(Fixture.path)?x=%z", body: good).nexmo == 3)
            let nested = #"{"to":["16365553226"],"pin":"1","api_key":"nxkey000","api_secret":"\#(Fixture.secret)"}"#
            #expect(await fixture.ask("POST", Fixture.path, body: Array(nested.utf8)).nexmo == 2)
        }
    }

    @Test func unknownPathsAndMethodsHaveTheVendorsEnvelopeToo() async throws {
        try await Fixture.run { fixture async throws in
            let good = Fixture.form(Fixture.parameters())
            for path in [
                "/sc", "/sc/", "/sc/us/2fa", "/sc/us/2fa/", "/sc/us/2fa/jsonp", "/sc/us/alert/json", "/sc/us/alert/xml",
            ] {
                let response = await fixture.ask("POST", path, body: good)
                #expect(response.nexmo ?? 19 == 19)
                #expect(response.text.contains("Facility Not Enabled"))
                #expect(await fixture.ask("POST", path).text.contains("Missing api_key"))
            }
            for method in ["PUT", "DELETE", "PATCH", "HEAD", "get"] {
                let response = await fixture.ask(method, Fixture.path, body: good)
                #expect(response.nexmo == 3)
                #expect(response.fields["Allow"] == "GET, POST")
            }
            // Not the vendor's.
            #expect(await fixture.base.ask("GET", "/scope", key: nil).code == "not_found")
        }
    }

    @Test(arguments: [(400, 3), (408, 5), (413, 12), (414, 12), (431, 12), (500, 5), (503, 5)])
    func whatTheWebServerRefusesIsInTheEnvelope(status: Int, nexmo: Int) {
        let response = Intake.refusal(status, path: Fixture.path)
        #expect(response.status == 200)
        #expect(response.nexmo == nexmo)
        let xml = Intake.refusal(status, path: "/sc/us/2fa/xml")
        #expect(xml.text.contains("<status>\(nexmo)</status>"))
        let conversion = Intake.refusal(status, path: "/conversions/sms")
        #expect(conversion.status == status)
        #expect(conversion.json["error_title"]?.string?.isEmpty == false)
    }

    @Test func problemsAreToldByTheirStatus() {
        let table: [(Problem, Int)] = [
            (.busy, 1), (.unavailable, 5), (.outcomeUnknown, 5), (Problem(402, "out_of_balance", "No credit."), 9),
        ]
        for (problem, status) in table { #expect(NexmoAnswer(problem).response(.json).nexmo == status) }
        let text = NexmoAnswer(.busy).response(.json).part?["error-text"]?.string
        #expect(text == "Throughput Rate Exceeded - please wait [ 1000 ] and retry")
    }

    @Test func aNumberThatHasOptedOutGetsNothing() async throws {
        try await Fixture.run { fixture async throws in
            let added = await fixture.base.post("/v1/opt-outs", ["to": .string("+\(Fixture.number)")])
            #expect(added.json == ["added": true])
            #expect(
                await fixture.send().part == ["status": "102", "error-text": "Recipient Opted Out of the Campaign"])
            #expect(await fixture.send(["to": "16365553227"]).nexmo == 0)
            #expect(await fixture.send(["api_key": Fixture.strangersKey]).nexmo == 0)
            let removed = await fixture.base.post("/v1/opt-outs/remove", ["to": .string("+\(Fixture.number)")])
            #expect(removed.json == ["removed": true])
            #expect(await fixture.send().nexmo == 0)
        }
    }

    @Test func aDatabaseThatAnswersNothingIsAnInternalError() async throws {
        try await Fixture.run { fixture async throws in
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                try await fixture.base.system.locking("messages") {
                    group.addTask { await fixture.send() }
                    try await fixture.base.waitForLockWaits(1)
                    try await fixture.base.system.killLockWaits()
                }
                let response = try #require(try await group.next())
                #expect(
                    response.part == [
                        "status": "5", "error-text": "Internal Error - the message may have been accepted",
                    ])
            }
        }
    }
}
