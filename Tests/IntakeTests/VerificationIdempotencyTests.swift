import HTTP
import JSON
import Postgres
import Store
import TestSystem
import Testing

@testable import Intake

@Suite(.timeLimit(.minutes(3))) struct VerificationIdempotencyTests {
    @Test func aRepeatedRequestSendsOnce() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let first = await codes.send(idempotencyKey: "k")
            #expect(first.status == 202)
            for _ in 0..<3 { #expect(await codes.send(idempotencyKey: "k").whole == first.whole) }
            try await IntakeFixture.run(on: fixture.system) { other async throws in
                let again = await other.post("/v1/verifications", codes.request(), idempotencyKey: "k")
                #expect(again.whole == first.whole)
            }
            #expect(try await fixture.stored == 1)
            #expect(try await fixture.system.count("SELECT sends::bigint FROM recipient_limits") == 1)
        }
    }

    @Test func theKeyOfAnotherRequestIsRefused() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            #expect(await codes.send(idempotencyKey: "k").status == 202)
            let other = await codes.send(["reference": "r"], idempotencyKey: "k")
            #expect(other.status == 422)
            #expect(other.code == "idempotency_key_reused")
            #expect(await fixture.post(IntakeFixture.message, idempotencyKey: "k").code == "idempotency_key_reused")
            #expect(await fixture.post(IntakeFixture.message, idempotencyKey: "m").status == 202)
            #expect(await codes.send(idempotencyKey: "m").code == "idempotency_key_reused")
            let foreign = try await Codes(fixture, key: IntakeFixture.strangersKey)
            #expect(await foreign.send(idempotencyKey: "k").status == 202)
            #expect(await codes.send(idempotencyKey: "a b").paths == ["Idempotency-Key"])
        }
    }

    @Test func manyTriesUnderOneKeySendOnce() async throws {
        try await IntakeFixture.run { one async throws in
            try await IntakeFixture.run(on: one.system) { other async throws in
                let request = try await Codes(one).request()
                let answers = await withTaskGroup(of: HTTPResponse.self) { group in
                    for index in 0..<40 {
                        group.addTask {
                            await (index % 2 == 0 ? one : other)
                                .post("/v1/verifications", request, idempotencyKey: "k")
                        }
                    }
                    return await group.reduce(into: [HTTPResponse]()) { $0.append($1) }
                }
                #expect(answers.allSatisfy { [202, 409].contains($0.status) })
                #expect(Set(answers.filter { $0.status == 202 }.map(\.whole)).count == 1)
                #expect(try await one.stored == 1)
            }
        }
    }

    @Test func aRequestInFlightIsNotAnsweredTwice() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                try await fixture.system.locking("messages") {
                    group.addTask { await codes.send(idempotencyKey: "k") }
                    try await fixture.waitForLockWaits(1)
                    let second = await codes.send(idempotencyKey: "k")
                    #expect(second.status == 409)
                    #expect(second.code == "request_in_flight")
                }
                let first = try #require(try await group.next())
                #expect(first.status == 202)
                #expect(await codes.send(idempotencyKey: "k").whole == first.whole)
            }
        }
    }

    /// Limits reached, a route gone, an application disabled: what was sent stays sent.
    @Test func whatWasSentIsRepeatedEvenIfItWouldBeRefusedToday() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture, ["application_send_limit": "2/1d", "recipient_send_limit": "1/1d"])
            let first = await codes.send(idempotencyKey: "k")
            #expect(first.status == 202)
            func repeats(_ refusal: String, _ path: String?) async {
                let fresh = await codes.send()
                #expect(fresh.code == refusal)
                #expect(fresh.paths.first == path)
                #expect(await codes.send(idempotencyKey: "k").whole == first.whole)
            }
            await repeats("recipient_limit", nil)
            #expect(await codes.send(["to": "+41790000078"]).status == 202)
            await repeats("application_limit", nil)
            try await fixture.system.apply(["routes": [["prefix": "+41", "remove": true]]])
            #expect(try await fixture.access.refresh())
            await repeats("invalid_request", "/channel")
            _ = await fixture.patch("/v1/applications/\(codes.application)", ["enabled": false])
            try await IntakeFixture.run(on: fixture.system) { other async throws in
                #expect(await other.post("/v1/verifications", codes.request()).paths == ["/application"])
                let again = await other.post("/v1/verifications", codes.request(), idempotencyKey: "k")
                #expect(again.whole == first.whole)
            }
        }
    }

    @Test func aRefusedRequestLeavesItsKeyFree() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            #expect(await codes.send(["to": "0790000077"], idempotencyKey: "k").status == 422)
            #expect(await codes.send(["template": "x"], idempotencyKey: "k").status == 422)
            #expect(await codes.send(idempotencyKey: "k").status == 202)
        }
    }
}
