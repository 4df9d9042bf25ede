import HTTP
import JSON
import Messaging
import Postgres
import TestSystem
import Testing

/// Every field of a request for a code, and of what is asked about them.
@Suite(.timeLimit(.minutes(3))) struct VerificationFieldTests {
    private static let long = JSON.string(String(repeating: "n", count: 501))
    private static let fifty = JSON.object((0...50).map { JSON.Member("n\($0)", "x") })

    @Test func whatIsWrongIsNamed() async throws {
        let table: [(member: String, values: [JSON?])] = [
            ("application", [nil, .null, "nonsense", 5, "a\u{0}b"]), ("template", [nil, "nonsense", 5]),
            ("to", [nil, "0790000077", "anna@example.com", 5]), ("channel", ["SMS", "fax", 5, "email"]),
            ("from", ["", "1234567890123456", "Größe"]), ("placeholders", [5, [], "x", Self.fifty]),
            ("reference", ["", .string(String(repeating: "r", count: 65)), 5]),
            ("metadata", [5, ["a": [:]]]), ("look_up", ["true", 1]), ("track", [true]), ("code", ["1234"]),
        ]
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            for (member, values) in table {
                for value in values {
                    let refused = await codes.send([member: value])
                    #expect(refused.status == 422, "\(member) \(value?.text ?? "absent")")
                    // The number is none for a mail, nor the address for an SMS.
                    let path =
                        value == "email" ? "/to" : member == "metadata" && value != 5 ? "/metadata/a" : "/\(member)"
                    #expect(refused.paths == [path], "\(member) \(value?.text ?? "absent")")
                }
            }
            for body in [.null, [], 5] as [JSON] {
                #expect(await fixture.post("/v1/verifications", body).paths == [""])
            }
            #expect(await fixture.ask("POST", "/v1/verifications").code == "invalid_json")
            #expect(try await fixture.stored == 0)
        }
    }

    /// Of lengths that its country's numbers do not have.
    @Test func aNumberThatCannotExistGetsNoCode() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            for channel in ["sms", "voice"] as [JSON] {
                for number in ["+4179000", "+417900000777777"] as [JSON] {
                    let refused = await codes.send(["to": number, "channel": channel])
                    #expect(refused.status == 422)
                    #expect(refused.paths == ["/to"])
                    let problem = refused.json["errors"]?[0]?["problem"]?.string ?? ""
                    #expect(problem.hasPrefix("cannot be reached: "), "\(problem)")
                    #expect(await codes.send(["to": number, "channel": channel, "look_up": false]).status == 202)
                }
            }
            #expect(try await fixture.stored == 4)
        }
    }

    @Test func placeholdersAreCheckedAgainstTheTemplate() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let body: JSON = ["application": .string(codes.application), "text": "{{a}} {{b}} {{pin}}"]
            let template = JSON.string(try await fixture.make("/v1/templates", body))
            let table: [(placeholders: JSON?, paths: [String])] = [
                (nil, ["/placeholders/a", "/placeholders/b"]), (["a": "x"], ["/placeholders/b"]),
                (["a": "x", "b": 5], ["/placeholders/b"]),
                (["a": "x", "b": "y", "pin": "1234"], ["/placeholders/pin"]),
                (["a": "x", "b": "y\nz"], ["/placeholders/b"]), (["a": "x", "b": Self.long], ["/placeholders/b"]),
                (["a": "x", "b": "y", "c/d": "z"], ["/placeholders/c~1d"]),
            ]
            for (placeholders, paths) in table {
                let refused = await codes.send(["template": template, "placeholders": placeholders])
                #expect(refused.status == 422)
                #expect(refused.paths == paths, "\(placeholders?.text ?? "none")")
            }
            let id = try await codes.start([
                "template": template, "placeholders": ["a": "x", "b": "{{pin}}", "c": "z"],
            ])
            #expect(try await codes.content(of: id).body.hasPrefix("x {{pin}} "))
            // Those of the first time, unless others are given.
            #expect(await codes.resend(id).status == 202)
            #expect(try await codes.content(of: id).body.hasPrefix("x {{pin}} "))
            #expect(await codes.resend(id, ["placeholders": ["a": "y", "b": "z"]]).status == 202)
            #expect(try await codes.content(of: id).body.hasPrefix("y z "))
            #expect(await codes.resend(id, ["placeholders": [:]]).paths == ["/placeholders/a", "/placeholders/b"])
        }
    }

    @Test func aTextThatBecomesTooLongIsRefused() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let text = String(repeating: "ä{{a}}", count: 10) + "☎{{pin}}"
            let body: JSON = ["application": .string(codes.application), "text": .string(text)]
            let template = JSON.string(try await fixture.make("/v1/templates", body))
            let value = JSON.string(String(repeating: "x", count: 100))
            let refused = await codes.send(["template": template, "placeholders": ["a": value]])
            #expect(refused.paths == ["/placeholders"])
            #expect(refused.json["errors"]?[0]?["problem"]?.string?.contains("16 segments") == true, "\(refused.text)")
        }
    }

    @Test func aChannelGoesWithItsTemplateAndItsRoute() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let address = JSON.string(IntakeFixture.address)
            let table: [(change: [String: JSON?], path: String)] = [
                (["channel": "email", "to": address], "/channel"), (["template": .string(codes.email)], "/channel"),
                (["to": "+442079460000"], "/channel"), (["to": "+12025550123", "channel": "voice"], "/channel"),
            ]
            for (change, path) in table {
                let refused = await codes.send(change)
                #expect(refused.status == 422)
                #expect(refused.paths == [path], "\(change)")
            }
            let id = try await codes.start()
            #expect(await codes.resend(id, ["channel": "email"]).paths == ["/channel"])
            let american = try await codes.start(["to": "+12025550123"])
            #expect(await codes.resend(american, ["channel": "voice"]).paths == ["/channel"])
        }
    }

    @Test func whatIsTypedIsRead() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let body: JSON = ["application": .string(codes.application), "text": "{{pin}}", "code_type": "ALPHA"]
            let template = JSON.string(try await fixture.make("/v1/templates", body))
            let id = try await codes.start(["template": template])
            let code = try await codes.content(of: id).body
            for typed in [code, code.lowercased(), "  \(code) "] {
                #expect(await codes.check(id, typed).json["valid"] == true)
            }
            #expect(await codes.check(id, "\(code)\u{A0}").json["valid"] == false)
            #expect(await codes.check(id, " ").paths == ["/code"])
        }
    }

    @Test func searchesAndUnlockingsAreRead() async throws {
        try await IntakeFixture.run { fixture async throws in
            for path in ["/v1/verifications/search", "/v1/recipients/unlock", "/v1/recipients/erase"] {
                for (body, place) in [
                    ([:], "/to"), (["to": "0790000077"], "/to"), (["to": 5], "/to"), ([], ""),
                    (["to": .string(IntakeFixture.number), "x": 1], "/x"),
                ] as [(JSON, String)] {
                    #expect(await fixture.post(path, body).paths == [place], "\(path) \(body.text)")
                }
            }
            let search: JSON = ["to": .string(IntakeFixture.number)]
            for (member, value) in [("application", 5), ("verified", "true")] as [(String, JSON)] {
                let refused = await fixture.post("/v1/verifications/search", search.with([member: value]))
                #expect(refused.paths == ["/\(member)"])
            }
        }
    }
}
