import HTTP
import JSON
import Postgres
import Store
import TestDatabase
import TestSystem
import Testing

@Suite(.timeLimit(.minutes(3))) struct VerificationAvailabilityTests {
    /// Its statement waits for a lock, and its connection is cut.
    private static func losingAnswer(
        in fixture: IntakeFixture, _ ask: @escaping @Sendable () async -> HTTPResponse
    ) async throws -> HTTPResponse {
        try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
            try await fixture.system.locking("verifications") {
                group.addTask { await ask() }
                try await fixture.waitForLockWaits(1)
                try await fixture.system.killLockWaits()
            }
            return try #require(try await group.next())
        }
    }

    @Test func aCodeWhoseAnswerIsLostIsCalledUnknownAndFoundByItsKey() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            _ = try await codes.start()
            let lost = try await Self.losingAnswer(in: fixture) { await codes.send(idempotencyKey: "k") }
            #expect(lost.status == 503)
            #expect(lost.code == "outcome_unknown")
            #expect(lost.fields["Retry-After"] == "1")
            #expect(await codes.send(idempotencyKey: "k").status == 202)
            #expect(try await fixture.stored == 2)
        }
    }

    /// There is no key to ask again with, and none is spoken of.
    @Test func aGuessWhoseAnswerIsLostIsCalledUnknown() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let id = try await codes.start()
            let code = try await codes.code(of: id)
            let lost = try await Self.losingAnswer(in: fixture) { await codes.check(id, code) }
            #expect(lost.status == 503)
            #expect(lost.code == "outcome_unknown")
            #expect(!lost.text.contains("Idempotency-Key"))
            #expect(await codes.check(id, code).json["valid"] == true)
        }
    }

    @Test func withoutTheDatabaseNothingIsPromised() async throws {
        try await IntakeFixture.run { fixture async throws in
            var configuration = ConnectionPool.Configuration(url: fixture.system.url, limit: 8)
            configuration.statementTimeout = .milliseconds(300)
            let hasty = TestSystem(
                url: fixture.system.url, pool: ConnectionPool(configuration, poller: TestDatabase.poller))
            try await IntakeFixture.run(on: hasty) { hasty async throws in
                let codes = try await Codes(hasty)
                let id = try await codes.start()
                let to: JSON = ["to": .string(IntakeFixture.number)]
                try await fixture.system.locking("applications, templates, verifications, recipient_failures") {
                    for (method, path, body) in [
                        ("GET", "/v1/applications", .null), ("GET", "/v1/applications/x", .null),
                        ("PATCH", "/v1/applications/x", [:]), ("POST", "/v1/applications", ["name": "shop"]),
                        ("GET", "/v1/templates?application=x", .null), ("GET", "/v1/templates/x", .null),
                        ("PATCH", "/v1/templates/x", [:]),
                        ("POST", "/v1/templates", ["application": "x", "text": "{{pin}}"]),
                        ("POST", "/v1/verifications", codes.request(["template": "x"])),
                        ("GET", "/v1/verifications/\(id)", .null), ("POST", "/v1/verifications/\(id)/resend", [:]),
                        ("POST", "/v1/verifications/search", to), ("POST", "/v1/recipients/unlock", to),
                    ] as [(String, String, JSON)] {
                        let answer = await hasty.ask(method, path, body: body.isNull ? [] : body.serialized())
                        #expect(answer.status == 503, "\(method) \(path)")
                        let mayBeMade = method == "POST" && !path.contains("verif") && !path.contains("recip")
                        #expect(answer.code == (mayBeMade ? "outcome_unknown" : "unavailable"), "\(method) \(path)")
                    }
                    #expect(await codes.check(id, "1").code == "outcome_unknown")
                }
            }
        }
    }
}
