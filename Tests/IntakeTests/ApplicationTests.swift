import HTTP
import JSON
import Postgres
import Store
import TestSystem
import Testing

@Suite(.timeLimit(.minutes(3))) struct ApplicationTests {
    private static let long = JSON.string(String(repeating: "n", count: 256))

    @Test func anApplicationHasDefaults() async throws {
        try await IntakeFixture.run { fixture async throws in
            let made = await fixture.post("/v1/applications", ["name": "shop"])
            #expect(made.status == 201)
            let id = try #require(made.json["id"]?.string)
            #expect(id.count == 32)
            #expect(id.allSatisfy { $0.isHexDigit && !$0.isLowercase })
            #expect(
                made.json == [
                    "id": .string(id), "name": "shop", "enabled": true, "attempt_limit": 10, "allow_reuse": true,
                    "time_to_live": "15m", "check_limit": "1/3s", "application_send_limit": "10000/1d",
                    "recipient_send_limit": "3/1d", "send_limit": 5, "resend_cooldown": "30s",
                ])
            #expect(await fixture.get("/v1/applications/\(id)").json == made.json)
            #expect(await fixture.get("/v1/applications").json == ["applications": [made.json]])
        }
    }

    @Test func aChangeMerges() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.make("/v1/applications", ["name": "shop", "send_limit": nil])
            let path = "/v1/applications/\(id)"
            let old = await fixture.get(path).json
            #expect(old["send_limit"] == .some(.null))
            let changes: [(change: JSON, expected: [String: JSON?])] = [
                ([:], [:]), (["name": nil, "attempt_limit": nil], [:]),
                (["time_to_live": "5m", "send_limit": 3], ["time_to_live": "5m", "send_limit": 3]),
                (["send_limit": nil], ["send_limit": .some(.null)]),
                (["resend_cooldown": nil], ["resend_cooldown": .some(.null)]),
                (["resend_cooldown": "1m", "enabled": false], ["resend_cooldown": "1m", "enabled": false]),
            ]
            var expected = old
            for (change, members) in changes {
                expected = expected.with(members)
                let changed = await fixture.patch(path, change)
                #expect(changed.status == 200)
                #expect(Set(changed.json.members ?? []) == Set(expected.members ?? []), "\(change.text)")
                #expect(await fixture.get(path).json == changed.json)
            }
        }
    }

    @Test func changesAtTheSameTimeAreAllMade() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.make("/v1/applications", ["name": "shop"])
            let changes: [JSON] = [
                ["name": "market"], ["attempt_limit": 3], ["time_to_live": "1h"], ["send_limit": 2], ["enabled": false],
            ]
            await withTaskGroup { group in
                for change in changes {
                    group.addTask { #expect(await fixture.patch("/v1/applications/\(id)", change).status == 200) }
                }
            }
            let shown = await fixture.get("/v1/applications/\(id)").json
            for member in changes.flatMap({ $0.members ?? [] }) { #expect(shown[member.name] == member.value) }
        }
    }

    @Test func whatIsWrongIsNamed() async throws {
        let table: [(member: String, values: [JSON?])] = [
            ("name", [nil, .null, "", "  ", 5, Self.long, "a\u{0}b"]), ("enabled", ["true", 1]),
            ("attempt_limit", [0, 101, 1.5, "5"]), ("allow_reuse", [0]),
            ("time_to_live", ["5x", "", "0s", "366d", 900, "-1s"]),
            ("check_limit", ["3", "3/", "/1d", "3/2d", "0/1d", "3/1d/1d", 3]),
            ("application_send_limit", ["3/5x", "x/1d", "1/366d"]),
            ("recipient_send_limit", ["3/5x", "99999999999/1d"]),
            ("send_limit", [0, 101, "5"]), ("resend_cooldown", ["2d", "5x", 5]), ("pinAttempts", [5]), ("id", ["x"]),
        ]
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.make("/v1/applications", ["name": "shop"])
            for (member, values) in table {
                for value in values {
                    let body = JSON(dictionaryLiteral: ("name", "shop")).with([member: value])
                    let made = await fixture.post("/v1/applications", body)
                    #expect(made.status == 422, "\(member) \(value?.text ?? "absent")")
                    #expect(made.paths == ["/\(member)"], "\(member) \(value?.text ?? "absent")")
                    guard let value, !value.isNull else { continue }
                    let changed = await fixture.patch("/v1/applications/\(id)", .object([.init(member, value)]))
                    #expect(changed.paths == ["/\(member)"], "\(member) \(value.text)")
                }
            }
            for body in [.null, [], 5, "shop"] as [JSON] {
                #expect(await fixture.post("/v1/applications", body).paths == [""])
            }
            #expect(await fixture.ask("POST", "/v1/applications", body: Array("{".utf8)).code == "invalid_json")
            #expect(await fixture.get("/v1/applications").json["applications"]?.array?.count == 1)
        }
    }

    @Test func thereAreNoMoreThanAThousand() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.make("/v1/applications", ["name": "shop"])
            try await fixture.system.pool.execute(
                """
                INSERT INTO applications (account_id, public_id, name, enabled, attempt_limit, allows_reuse, time_to_live,
                                          check_limit, application_send_limit, recipient_send_limit)
                SELECT account_id, n::text, name, enabled, attempt_limit, allows_reuse, time_to_live, check_limit,
                       application_send_limit, recipient_send_limit
                FROM applications, generate_series(2, 1000) n WHERE public_id = \(id)
                """)
            let refused = await fixture.post("/v1/applications", ["name": "shop"])
            #expect(refused.status == 409)
            #expect(refused.code == "too_many")
            #expect(await fixture.get("/v1/applications").json["applications"]?.array?.count == 1000)
            // One that moved here keeps the id that it had.
            try await fixture.system.pool.execute("UPDATE applications SET public_id = 'a b/ä' WHERE public_id = '2'")
            #expect(await fixture.get("/v1/applications/a%20b%2F%C3%A4").json["id"] == "a b/ä")
        }
    }

    @Test(arguments: ["0933F3BC087D2A617AC6DCB2EF5B8A61", "%00", "%zz", "%FF", ""])
    func whatIsNotThereIsNotFound(id: String) async throws {
        try await IntakeFixture.run { fixture async throws in
            for resource in ["applications", "templates"] {
                #expect(await fixture.get("/v1/\(resource)/\(id)").code == "not_found")
                #expect(await fixture.patch("/v1/\(resource)/\(id)", [:]).code == "not_found")
            }
        }
    }
}
