import HTTP
import JSON
import Postgres
import TestSystem
import Testing
import Timestamps

/// Every field of a message: its edges, what lies just beyond them, and what is of another kind.
@Suite struct FieldTests {
    private struct Case {
        var field: String
        /// Nil: the field is left out.
        var value: JSON?
        /// What the refusal names; nil for a value that is good.
        var path: String?

        init(_ field: String, _ value: JSON?, refused path: String? = nil) {
            self.field = field
            self.value = value
            self.path = path
        }

        static func bad(_ field: String, _ values: [JSON?]) -> [Case] {
            values.map { Case(field, $0, refused: "/\(field)") }
        }

        static func good(_ field: String, _ values: [JSON?]) -> [Case] { values.map { Case(field, $0) } }
    }

    /// The cases are made when the database is there, for some tell of the time.
    private static func check(
        _ cases: @autoclosure () -> [Case], in message: JSON = IntakeFixture.message
    ) async throws {
        try await IntakeFixture.run { fixture async throws in
            let cases = cases()
            for item in cases {
                let response = await fixture.post(message.with([item.field: item.value]))
                let name = "\(item.field) = \(item.value?.text.prefix(80) ?? "absent")"
                if let path = item.path {
                    #expect(response.status == 422, "\(name)")
                    #expect(response.code == "invalid_request")
                    #expect(response.paths == [path], "\(name): \(response.text)")
                } else {
                    #expect(response.status == 202, "\(name): \(response.text)")
                }
            }
            #expect(try await fixture.stored == cases.count { $0.path == nil })
        }
    }

    @Test func recipients() async throws {
        try await Self.check(
            Case.good("to", ["+41790000077", "+1234567", "+123456789012345"])
                + Case.bad(
                    "to",
                    [
                        nil, .null, 41_790_000_077, true, [], [:], "", "+", "41790000077", "0041790000077", "+0417900",
                        "+123456", "+1234567890123456", "+41 79 000 00 77", "+41-790000077", "+41790000077 ",
                        " +41790000077", "+41790000077\n", "++41790000077", "tel:+41790000077", "+4179000007a",
                        "+4179000007٧", "＋41790000077", "+4179000007\u{0}7", "+41.790000077", "(+41)790000077",
                    ]))
    }

    @Test func recipientsWithoutARoute() async throws {
        try await Self.check(Case.bad("to", ["+42790000077", "+99912345678"]))
    }

    @Test func channels() async throws {
        try await Self.check(
            Case.good("channel", [nil, .null, "sms", "voice"]) + Case.bad("channel", ["SMS", "", "fax", 1, ["sms"]]))
    }

    @Test func calls() async throws {
        try await Self.check(
            Case.good("to", ["+41790000077"]) + Case.bad("to", [nil, "anna@example.com", "+42790000077"])
                + Case.good("body", ["x", .string(String(repeating: "ä", count: 1000))])
                + Case.bad("body", [nil, "", "a\u{0}b", 1, .string(String(repeating: "a", count: 1001))])
                + Case.good("language", [nil, .null, "en", "pt-br", "zh_cn", "de-CH-1996", "gsw"])
                + Case.bad(
                    "language",
                    [
                        "", "e", "english", "en-", "-en", "en br", "en-a", "1n", "ën", 5,
                        .string("en" + String(repeating: "-latn", count: 7)),
                    ])
                + Case.good("voice", [nil, "Joanna", "Ana (beta)", .string(String(repeating: "v", count: 64))])
                + Case.bad("voice", ["", "a\nb", 1, .string(String(repeating: "v", count: 65))])
                + Case.good("from", [nil, "+41790000001"]) + Case.bad("from", ["1234567890123456"])
                + Case.bad("subject", ["Your code"]) + Case.good("subject", [.null]),
            in: IntakeFixture.call)
    }

    @Test func mails() async throws {
        let address = { (count: Int) in JSON.string(String(repeating: "n", count: count - 10) + " <a@bcd.e>") }
        try await Self.check(
            Case.good("to", ["anna.berg@example.com", "a+b@EXAMPLE.com"])
                + Case.bad(
                    "to", [nil, "", "+41790000077", "anna", "anna@", "Anna <anna@example.com>", "ä@example.com"])
                + Case.good("subject", ["s", "Ihr Code: 1 & 2", .string(String(repeating: "ä", count: 200))])
                + Case.bad(
                    "subject",
                    [nil, .null, "", "a\nb", "a\r\nBcc: b", "a\u{0}b", 1, .string(String(repeating: "a", count: 201))])
                + Case.good("body", ["x", "a\r\nb", .string(String(repeating: "a", count: 16_384))])
                + Case.bad("body", [nil, "", 1, .string(String(repeating: "a", count: 16_385))])
                + Case.good("from", [nil, "codes@acme.example", "Größe <codes@acme.example>", address(320)])
                + Case.bad("from", ["", "Acme", "Acme <acme>", "A\r\nB <a@b.co>", address(321), 1])
                + Case.bad("language", ["en"]) + Case.bad("voice", ["Joanna"]),
            in: IntakeFixture.mail)
    }

    @Test func fieldsOfOtherChannels() async throws {
        try await Self.check(
            ["language", "voice", "subject"].flatMap { Case.bad($0, ["en"]) + Case.good($0, [.null]) })
    }

    @Test func senders() async throws {
        try await Self.check(
            Case.good("from", [nil, .null, "P", "Pinpost", "+41790000001", "123456789012345", "A & B"])
                + Case.bad("from", ["", "1234567890123456", "Ärzte", "a\u{0}b", "a\nb", "\u{7F}", 5, [:]]))
    }

    @Test func bodies() async throws {
        let longest = [
            String(repeating: "a", count: 1530), String(repeating: "€", count: 760),
            String(repeating: "я", count: 670), String(repeating: "😀", count: 330),
        ]
        let tooLong = [
            String(repeating: "a", count: 1531), String(repeating: "€", count: 766),
            String(repeating: "я", count: 671), String(repeating: "😀", count: 336),
            String(repeating: "a", count: 8001), String(repeating: "a", count: 200_000),
        ]
        try await Self.check(
            Case.good("body", ["x", " ", "\n", "a\u{7}b"] + longest.map { .string($0) })
                + Case.bad("body", [nil, .null, "", "a\u{0}b", 7, true, ["x"]] + tooLong.map { .string($0) }))
    }

    @Test func timesToLive() async throws {
        try await Self.check(
            Case.good("ttl", [nil, .null, 10, 11, 259_199, 259_200])
                + Case.bad("ttl", [9, 0, -1, 259_201, .integer(.max), .integer(.min), "60", 60.5, 60.0, true, []]))
    }

    @Test func sendTimes() async throws {
        func time(_ seconds: Int64) -> JSON { .string("\(Timestamp.now + .seconds(seconds))") }
        let week: Int64 = 7 * 86400
        try await Self.check(
            Case.good("send_at", [nil, .null, time(-50), time(0), time(3600), time(week - 60)])
                + Case.bad(
                    "send_at",
                    [
                        time(-70), time(week + 60), time(10 * week), "tomorrow", "", "2026-11-21",
                        "2026-11-21T09:15:00", 1_795_252_500, true, "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
                    ]))
    }

    @Test func priorities() async throws {
        try await Self.check(
            Case.good("priority", [nil, .null, "otp", "transactional", "bulk"])
                + Case.bad("priority", ["OTP", "urgent", "", 0, []]))
    }

    @Test func references() async throws {
        let text = { (count: Int) in JSON.string(String(repeating: "ä", count: count)) }
        try await Self.check(
            Case.good("reference", [nil, .null, "r", text(64), #"a"b\c"#])
                + Case.bad("reference", ["", text(65), "a\u{0}b", 7, [:]]))
    }

    @Test func metadata() async throws {
        func members(_ count: Int) -> JSON { .object((0..<count).map { .init("m\($0)", .integer(1)) }) }
        // `{"a":""}` is eight bytes itself.
        func bytes(_ count: Int) -> JSON { ["a": .string(String(repeating: "x", count: count - 8))] }
        try await Self.check(
            Case.good(
                "metadata",
                [
                    nil, .null, [:], ["a": "b"], ["a": 1], ["a": 1.5], ["a": true], ["a": nil], members(20),
                    bytes(2048), ["": ""], ["path": #"C:\u0000"#],
                ])
                + Case.bad("metadata", ["text", 5, [], members(21), bytes(2049)])
                + [
                    Case("metadata", ["a": [:]], refused: "/metadata/a"),
                    Case("metadata", ["a": "\u{0}"], refused: "/metadata/a"),
                    Case("metadata", ["a/b~c": []], refused: "/metadata/a~1b~0c"),
                ])
    }

    @Test func unknownFields() async throws {
        try await Self.check(
            ["To", "text", "id", "", " to", "a/b", "a~b", "status"].map { name in
                let escaped = name.replacing("~", with: "~0").replacing("/", with: "~1")
                return Case(name, 1, refused: "/\(escaped)")
            })
    }

    @Test func everyProblemIsToldAtOnce() async throws {
        try await IntakeFixture.run { fixture async throws in
            let response = await fixture.post([
                "channel": 1, "from": 1, "ttl": "x", "send_at": 1, "priority": 1, "reference": 1, "metadata": 1,
                "colour": 1,
            ])
            let expected = [
                "/body", "/channel", "/colour", "/from", "/metadata", "/priority", "/reference", "/send_at", "/to",
                "/ttl",
            ]
            #expect(response.paths.sorted() == expected)
        }
    }

    @Test func whatIsAcceptedIsStoredAsItWasGiven() async throws {
        try await IntakeFixture.run { fixture async throws in
            let metadata: JSON = ["b": "ü", "a": 1, "c": nil, "d": 1.5, "e": false, "z": "\\u0000 \"q\""]
            let id = try await fixture.accept([
                "from": "Pinpost", "priority": "otp", "reference": "r-1", "metadata": metadata, "ttl": 60,
                "body": .string(String(repeating: "a", count: 161)),
            ])
            let shown = await fixture.get("/v1/messages/\(id)").json
            #expect(shown["to"]?.string == IntakeFixture.number)
            #expect(shown["from"]?.string == "Pinpost")
            #expect(shown["channel"]?.string == "sms")
            #expect(shown["priority"]?.string == "otp")
            #expect(shown["reference"]?.string == "r-1")
            #expect(shown["metadata"] == metadata)
            #expect(shown["parts"]?.integer == 2)
            #expect(shown["status"]?.string == "queued")
            #expect(shown["body"] == nil)
            let accepted = try #require(shown["accepted_at"]?.string.flatMap { Timestamp($0) })
            let expires = try #require(shown["expires_at"]?.string.flatMap { Timestamp($0) })
            #expect(expires - accepted == .seconds(60))
        }
    }

    @Test func theTimeToLiveFollowsThePriorityAndCountsFromTheSendTime() async throws {
        try await IntakeFixture.run { fixture async throws in
            let table: [(JSON, Duration)] = [
                (["priority": "otp"], .seconds(600)), ([:], .seconds(86_400)),
                (["priority": "bulk"], .seconds(259_200)),
            ]
            for (change, lifetime) in table {
                let message = IntakeFixture.message.with(
                    Dictionary(uniqueKeysWithValues: (change.members ?? []).map { ($0.name, $0.value) }))
                let id = try #require(await fixture.post(message).json["id"]?.string)
                let shown = await fixture.get("/v1/messages/\(id)").json
                let accepted = try #require(shown["accepted_at"]?.string.flatMap { Timestamp($0) })
                #expect(shown["expires_at"]?.string == "\(accepted + lifetime)")
            }
            let sendAt = Timestamp(seconds: Timestamp.now.seconds + 7200)
            let id = try await fixture.accept(["send_at": .string("\(sendAt)"), "ttl": 30])
            let shown = await fixture.get("/v1/messages/\(id)").json
            #expect(shown["send_at"]?.string == "\(sendAt)")
            #expect(shown["expires_at"]?.string == "\(sendAt + .seconds(30))")
        }
    }

    @Test func theBodyIsStoredSealedOnly() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.accept()
            let found = try await fixture.system.count(
                "SELECT count(*) FROM messages WHERE position('918273' in encode(body, 'escape')) > 0")
            #expect(found == 0)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE length(body) > 20") == 1)
        }
    }
}
