import HTTP
import JSON
import Postgres
import TestSystem
import Testing

/// What is no JSON, or JSON of the wrong shape.
@Suite struct BodyTests {
    private static let unreadable: [(body: [UInt8], position: String)] = [
        ([], "line 1, column 1"),
        (Array("{".utf8), "line 1, column"),
        (Array(#"{"to":"+41790000077""#.utf8), "line 1, column"),
        (Array("{\n  \"to\": \"+41790000077\",\n  oops\n}".utf8), "line 3, column"),
        (Array(#"{"to":"+41790000077","body":"Your code is 918273",}"#.utf8), "line 1, column"),
        (Array(#"{"to":"+41790000077"} trailing"#.utf8), "line 1, column"),
        (Array(#"{"to":"+41790000077","to":"+41790000077"}"#.utf8), "line 1, column"),
        (Array(#"{"to":"#.utf8) + [0x22, 0x2B, 0xFF, 0x22, 0x7D], "line 1, column"),
        (Array(#"{"body":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8), "line 1, column"),
        (Array(#"{"body":"\ud800"}"#.utf8), "line 1, column"),
        (Array(#"{"to":"+41790000077"}"#.utf8) + [0], "line 1, column"),
        (Array("NaN".utf8), "line 1, column"),
        (Array(#"{"ttl":99999999999999999999}"#.utf8), "line 1, column"),
        (Array(String(repeating: "[", count: 17).utf8) + Array(String(repeating: "]", count: 17).utf8), "column 17"),
        (Array(String(repeating: "[", count: 100_000).utf8), "line 1"),
    ]

    @Test func brokenJSONIsToldItsPosition() async throws {
        try await IntakeFixture.run { fixture async throws in
            for (body, position) in Self.unreadable {
                let response = await fixture.ask("POST", "/v1/messages", body: body)
                #expect(response.status == 400, "\(String(decoding: body.prefix(60), as: UTF8.self))")
                #expect(response.code == "invalid_json")
                #expect(response.json["detail"]?.string?.contains(position) == true, "\(response.text)")
            }
            #expect(try await fixture.stored == 0)
        }
    }

    @Test func whatIsNoObjectIsNoMessage() async throws {
        try await IntakeFixture.run { fixture async throws in
            for body in ["null", "5", "\"text\"", "true", "1.5"] {
                let single = await fixture.ask("POST", "/v1/messages", body: Array(body.utf8))
                #expect(single.status == 422, "\(body)")
                #expect(single.paths == [""])
                let inArray = await fixture.ask("POST", "/v1/messages", body: Array("[\(body)]".utf8))
                #expect(inArray.status == 422, "\(body)")
                #expect(inArray.paths == ["/0"])
            }
        }
    }

    @Test func anArrayIsAcceptedWholeInItsOrder() async throws {
        try await IntakeFixture.run { fixture async throws in
            let messages = (0..<1000).map { IntakeFixture.message.with(["reference": .string("r\($0)")]) }
            let response = await fixture.post(.array(messages))
            #expect(response.status == 202)
            #expect(response.ids.count == 1000)
            #expect(Set(response.ids).count == 1000)
            for index in [0, 1, 500, 999] {
                let shown = await fixture.get("/v1/messages/\(response.ids[index])")
                #expect(shown.json["reference"]?.string == "r\(index)")
            }
            #expect(try await fixture.system.count("SELECT count(DISTINCT xmin::text) FROM messages") == 1)
        }
    }

    @Test func anArrayHasBetweenOneAndAThousandMessages() async throws {
        try await IntakeFixture.run { fixture async throws in
            for count in [0, 1001] {
                let response = await fixture.post(.array(Array(repeating: IntakeFixture.message, count: count)))
                #expect(response.status == 422, "\(count)")
                #expect(response.paths == [""])
            }
            #expect(try await fixture.stored == 0)
            #expect(await fixture.post([IntakeFixture.message]).status == 202)
        }
    }

    @Test func oneBadMessageRefusesTheArrayAndIsNamed() async throws {
        try await IntakeFixture.run { fixture async throws in
            var messages = Array(repeating: IntakeFixture.message, count: 10)
            messages[3] = IntakeFixture.message.with(["to": "0790000077"])
            messages[7] = IntakeFixture.message.with(["ttl": 5, "colour": "red"])
            messages[9] = IntakeFixture.message.with(["to": "+99990000077"])
            let response = await fixture.post(.array(messages))
            #expect(response.status == 422)
            #expect(response.paths == ["/3/to", "/7/colour", "/7/ttl"])

            messages[3] = IntakeFixture.message
            messages[7] = IntakeFixture.message
            let unrouted = await fixture.post(.array(messages))
            #expect(unrouted.status == 422)
            #expect(unrouted.paths == ["/9/to"])
            #expect(try await fixture.stored == 0)
            #expect(fixture.accepted.now == 0)
        }
    }

    @Test func problemsBeyondFiftyAreNotTold() async throws {
        try await IntakeFixture.run { fixture async throws in
            let bad = Array(repeating: IntakeFixture.message.with(["to": "0790000077"]), count: 500)
            #expect(await fixture.post(.array(bad)).paths.count == 50)
            let unrouted = Array(repeating: IntakeFixture.message.with(["to": "+99990000077"]), count: 500)
            #expect(await fixture.post(.array(unrouted)).paths.count == 50)
            var strange = IntakeFixture.message
            for index in 0..<500 { strange = strange.with(["unknown\(index)": 1]) }
            #expect(await fixture.post(strange).paths.count == 50)
        }
    }

    @Test func aRefusalStaysShortHoweverLongTheNameThatItTells() async throws {
        try await IntakeFixture.run { fixture async throws in
            // One character, as Swift counts them, with a hundred thousand marks above it.
            let name = "a" + String(repeating: "\u{0301}", count: 100_000)
            let response = await fixture.post(IntakeFixture.message.with([name: 1]))
            #expect(response.status == 422)
            #expect(response.body.count < 2000)
        }
    }
}
