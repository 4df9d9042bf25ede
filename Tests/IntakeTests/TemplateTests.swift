import HTTP
import JSON
import Postgres
import Store
import TestSystem
import Testing

@Suite(.timeLimit(.minutes(3))) struct TemplateTests {
    private static let long = JSON.string("{{pin}}" + String(repeating: "n", count: 16_000))

    private static func run(_ body: (IntakeFixture, JSON) async throws -> Void) async throws {
        try await IntakeFixture.run { fixture async throws in
            let application = try await fixture.make("/v1/applications", ["name": "shop"])
            try await body(fixture, ["application": .string(application), "text": "Code {{pin}}"])
        }
    }

    @Test func aTemplateHasDefaults() async throws {
        try await Self.run { fixture, template async throws in
            let made = await fixture.post("/v1/templates", template)
            #expect(made.status == 201)
            let id = try #require(made.json["id"]?.string)
            #expect(
                made.json == [
                    "id": .string(id), "application": template["application"] ?? .null, "kind": "text",
                    "code_type": "NUMERIC", "code_length": 6, "text": "Code {{pin}}",
                ])
            #expect(await fixture.get("/v1/templates/\(id)").json == made.json)
        }
    }

    @Test func everyFieldIsKept() async throws {
        try await Self.run { fixture, template async throws in
            let texts: [String: JSON?] = [
                "kind": "text", "code_type": "HEX", "code_length": 8, "sender": "Shop", "language": "pt_br",
                "voice": "Ana", "repeat_dtmf": "1#", "speech_rate": 1.5,
                "india_dlt": ["principal_entity_id": "1", "content_template_id": "2", "tele_marketer_id": "3"],
            ]
            let emails: [String: JSON?] = [
                "kind": "email", "subject": "Your code", "sender": "Shop <shop@example.com>", "landing_page": "p",
            ]
            let numbered: [String: JSON?] = ["kind": "email", "email_content": 5, "text": nil]
            for (place, fields) in [texts, emails, numbered].enumerated() {
                let body = template.with(fields)
                let shown = await fixture.get("/v1/templates/\(try await fixture.make("/v1/templates", body))").json
                for member in body.members ?? [] { #expect(shown[member.name] == member.value, "\(member.name)") }
                let list = await fixture.get("/v1/templates?application=\(template["application"]?.string ?? "")")
                #expect(list.json["templates"]?.array?.count == place + 1)
                #expect(list.json["templates"]?[place] == shown)
            }
        }
    }

    @Test func aChangeMergesAndANullTakesAway() async throws {
        try await Self.run { fixture, template async throws in
            let id = try await fixture.make(
                "/v1/templates",
                template.with(["sender": "Shop", "india_dlt": ["principal_entity_id": "1", "tele_marketer_id": "3"]]))
            let path = "/v1/templates/\(id)"
            var expected = await fixture.get(path).json
            let changes: [(change: JSON, expected: [String: JSON?])] = [
                ([:], [:]), (["text": "{{pin}}!"], ["text": "{{pin}}!"]), (["sender": nil], ["sender": nil]),
                (["code_length": 8], ["code_length": 8]), (["code_length": nil], ["code_length": 6]),
                (
                    ["india_dlt": ["tele_marketer_id": nil, "content_template_id": "2"]],
                    ["india_dlt": ["principal_entity_id": "1", "content_template_id": "2"]]
                ),
                (["india_dlt": nil], ["india_dlt": nil]),
            ]
            for (change, members) in changes {
                expected = expected.with(members)
                let changed = await fixture.patch(path, change)
                #expect(Set(changed.json.members ?? []) == Set(expected.members ?? []), "\(change.text)")
                #expect(await fixture.get(path).json == changed.json)
            }
            let before = await fixture.get(path).json
            for (change, bad) in [
                (["text": nil], "/text"), (["text": "no code"], "/text"), (["kind": "email"], "/kind"),
                (["application": "x"], "/application"), (["code_length": 3], "/code_length"), ([], ""),
                (["india_dlt": ["tele_marketer_id": "3"]], "/india_dlt/principal_entity_id"),
            ] as [(JSON, String)] {
                #expect(await fixture.patch(path, change).paths == [bad], "\(change.text)")
            }
            #expect(await fixture.get(path).json == before)
        }
    }

    /// A vendor's API makes shorter codes than ours; what is left alone is not refused.
    @Test func aVendorsLengthStays() async throws {
        try await Self.run { fixture, template async throws in
            let id = try await fixture.make("/v1/templates", template)
            try await fixture.system.pool.execute(
                """
                UPDATE templates SET definition = '{"code_type":"NUMERIC","code_length":2,"text":"{{pin}}"}'
                """)
            let changed = await fixture.patch("/v1/templates/\(id)", ["text": "Code {{pin}}"])
            #expect(changed.json["code_length"] == 2)
            #expect(changed.json["text"] == "Code {{pin}}")
            #expect(await fixture.patch("/v1/templates/\(id)", ["code_length": 2]).paths == ["/code_length"])
        }
    }

    @Test func whatIsWrongIsNamed() async throws {
        let texts: [(member: String, values: [JSON?])] = [
            ("application", [nil, "nonsense", 5, "a\u{0}b"]), ("kind", ["sms", 5]), ("code_type", ["numeric", 5]),
            ("code_length", [3, 9, 0, "6", 6.5]), ("text", [nil, .null, "", "Code", "{{pin}", 5, Self.long]),
            ("sender", ["", "1234567890123456", "Größe"]), ("language", ["xx", "english", ""]),
            ("voice", ["", "a\nb", 1]), ("repeat_dtmf", ["", "12", "#1", "a"]), ("speech_rate", [0.4, 2.1, "1"]),
            ("india_dlt", ["1", []]), ("subject", ["s"]), ("email_content", [1]), ("messageText", ["{{pin}}"]),
            ("id", ["x"]),
        ]
        let emails: [(member: String, values: [JSON?])] = [
            ("subject", [nil, "", "a\nb", 5]), ("text", [nil, "Code", Self.long]), ("email_content", [0, "1"]),
            ("sender", ["Shop", "a@b\r\nBcc: c@d.ef", 5]), ("landing_page", [""]), ("language", ["en"]),
        ]
        try await Self.run { fixture, template async throws in
            let email = template.with(["kind": "email", "subject": "Code"])
            for (template, table) in [(template, texts), (email, emails)] {
                for (member, values) in table {
                    for value in values {
                        let made = await fixture.post("/v1/templates", template.with([member: value]))
                        #expect(made.status == 422, "\(member) \(value?.text.prefix(50) ?? "absent")")
                        #expect(made.paths == ["/\(member)"], "\(member) \(value?.text.prefix(50) ?? "absent")")
                    }
                }
            }
            let inner = template.with(["india_dlt": ["principal_entity_id": "1", "x": 1]])
            #expect(await fixture.post("/v1/templates", inner).paths == ["/india_dlt/x"])
            #expect(try await fixture.system.count("SELECT count(*) FROM templates") == 0)
        }
    }

    @Test func aListIsOfOneApplication() async throws {
        try await Self.run { fixture, template async throws in
            let id = template["application"]?.string ?? ""
            #expect(await fixture.get("/v1/templates?application=\(id)").json == ["templates": []])
            for query in ["", "?application=nonsense", "?application=\(id)&application=\(id)", "?application=%00"] {
                #expect(await fixture.get("/v1/templates\(query)").paths == ["application"], "\(query)")
            }
            #expect(await fixture.get("/v1/templates?application=\(id)&limit=5").paths == ["limit"])
            #expect(await fixture.get("/v1/templates?application=%zz").code == "invalid_query")
        }
    }

    @Test func thereAreNoMoreThanAThousand() async throws {
        try await Self.run { fixture, template async throws in
            _ = try await fixture.make("/v1/templates", template)
            try await fixture.system.pool.execute(
                """
                INSERT INTO templates (account_id, application_id, public_id, kind, definition)
                SELECT account_id, application_id, n::text, kind, definition FROM templates, generate_series(2, 1000) n
                """)
            let refused = await fixture.post("/v1/templates", template)
            #expect(refused.status == 409)
            #expect(refused.code == "too_many")
        }
    }
}
