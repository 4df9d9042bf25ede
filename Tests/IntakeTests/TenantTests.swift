import HTTP
import JSON
import Messaging
import Testing

/// Who may do what with codes, and that nobody reaches into another account.
@Suite(.timeLimit(.minutes(3))) struct TenantTests {
    private static let id = "0192d1e4-7000-7000-8000-000000000001"

    /// Each operation with the keys that may do it.
    private static let operations: [(method: String, path: String, keys: Set<String>)] = [
        ("GET", "/v1/applications", [IntakeFixture.readingKey, IntakeFixture.managingKey]),
        ("POST", "/v1/applications", [IntakeFixture.managingKey]),
        ("GET", "/v1/applications/x", [IntakeFixture.readingKey, IntakeFixture.managingKey]),
        ("PATCH", "/v1/applications/x", [IntakeFixture.managingKey]),
        ("GET", "/v1/templates", [IntakeFixture.readingKey, IntakeFixture.managingKey]),
        ("POST", "/v1/templates", [IntakeFixture.managingKey]),
        ("GET", "/v1/templates/x", [IntakeFixture.readingKey, IntakeFixture.managingKey]),
        ("PATCH", "/v1/templates/x", [IntakeFixture.managingKey]),
        ("POST", "/v1/verifications", [IntakeFixture.verifyingKey]),
        ("GET", "/v1/verifications/\(id)", [IntakeFixture.readingKey, IntakeFixture.verifyingKey]),
        ("POST", "/v1/verifications/\(id)/check", [IntakeFixture.verifyingKey]),
        ("POST", "/v1/verifications/\(id)/resend", [IntakeFixture.verifyingKey]),
        ("POST", "/v1/verifications/search", [IntakeFixture.readingKey, IntakeFixture.verifyingKey]),
        ("POST", "/v1/recipients/unlock", [IntakeFixture.managingKey]),
        ("POST", "/v1/recipients/erase", [IntakeFixture.managingKey]),
        ("GET", "/v1/webhooks", [IntakeFixture.readingKey, IntakeFixture.managingKey]),
        ("POST", "/v1/webhooks", [IntakeFixture.managingKey]),
        ("GET", "/v1/webhooks/x", [IntakeFixture.readingKey, IntakeFixture.managingKey]),
        ("PATCH", "/v1/webhooks/x", [IntakeFixture.managingKey]),
        ("DELETE", "/v1/webhooks/x", [IntakeFixture.managingKey]),
        ("POST", "/v1/webhooks/x/rotate", [IntakeFixture.managingKey]),
        ("POST", "/v1/webhooks/x/replay", [IntakeFixture.managingKey]),
        ("GET", "/v1/events", [IntakeFixture.readingKey]),
        ("GET", "/v1/events/x", [IntakeFixture.readingKey]),
        ("POST", "/v1/events/x/replay", [IntakeFixture.managingKey]),
        ("GET", "/v1/guard/blocks", [IntakeFixture.guardKey]), ("POST", "/v1/guard/blocks", [IntakeFixture.guardKey]),
        ("DELETE", "/v1/guard/blocks/1", [IntakeFixture.guardKey]),
        ("GET", "/v1/guard/refusals", [IntakeFixture.guardKey]),
    ]

    @Test func eachOperationNeedsItsScope() async throws {
        let keys = [
            IntakeFixture.readingKey, IntakeFixture.sendingKey, IntakeFixture.verifyingKey, IntakeFixture.managingKey,
            IntakeFixture.guardKey,
        ]
        try await IntakeFixture.run { fixture async throws in
            for (method, path, allowed) in Self.operations {
                for key in keys {
                    let answer = await fixture.ask(method, path, key: key, body: Array("5".utf8))
                    #expect((answer.code == "missing_scope") == !allowed.contains(key), "\(method) \(path) \(key)")
                }
                #expect(await fixture.ask(method, path, key: nil).status == 401, "\(method) \(path)")
            }
        }
    }

    @Test func anotherMethodIsToldWhichAreAllowed() async throws {
        try await IntakeFixture.run { fixture async throws in
            for (path, operations) in Dictionary(grouping: Self.operations, by: \.path) {
                for method in ["PUT", "DELETE", "OPTIONS"] where !operations.map(\.method).contains(method) {
                    let answer = await fixture.ask(method, path)
                    #expect(answer.status == 405, "\(method) \(path)")
                    let allowed = answer.fields["Allow"]?.split(separator: ", ").map(String.init) ?? []
                    #expect(allowed.sorted() == operations.map(\.method).sorted())
                }
            }
        }
    }

    @Test func nobodyReachesIntoAnotherAccount() async throws {
        try await IntakeFixture.run { fixture async throws in
            let mine = try await Codes(fixture)
            let theirs = try await Codes(fixture, key: IntakeFixture.strangersKey)
            let id = try await mine.start()
            let message = try #require(await mine.show(id)["message"]?.string)
            let key = theirs.key
            for path in [
                "/v1/applications/\(mine.application)", "/v1/templates/\(mine.text)", "/v1/verifications/\(id)",
                "/v1/messages/\(message)",
            ] {
                #expect(await fixture.get(path, key: key).code == "not_found", "\(path)")
            }
            for path in ["/v1/applications/\(mine.application)", "/v1/templates/\(mine.text)"] {
                #expect(await fixture.patch(path, [:], key: key).code == "not_found", "\(path)")
            }
            let list = await fixture.get("/v1/templates?application=\(mine.application)", key: key)
            #expect(list.paths == ["application"])
            #expect(await fixture.get("/v1/applications", key: key).json["applications"]?.array?.count == 1)
            let template: JSON = ["application": .string(mine.application), "text": "{{pin}}"]
            #expect(await fixture.post("/v1/templates", template, key: key).paths == ["/application"])
            #expect(await theirs.send(["application": .string(mine.application)]).paths == ["/application"])
            #expect(await theirs.send(["template": .string(mine.text)]).paths == ["/template"])
            #expect(await theirs.check(id, try await mine.code(of: id)).code == "verification_ended")
            #expect(await theirs.resend(id).code == "verification_ended")
            let body: JSON = ["to": .string(IntakeFixture.number)]
            let found = await fixture.post("/v1/verifications/search", body, key: key)
            #expect(found.json["verifications"] == [])
            _ = await mine.check(id, try await mine.wrong(id))
            #expect(await fixture.post("/v1/recipients/unlock", body, key: key).json == ["unlocked": false])
            #expect(await mine.show(id)["attempts"] == 1)
            #expect(await mine.show(id)["sends"] == 1)
        }
    }
}
