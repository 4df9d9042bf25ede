import HTTP
import JSON
import Postgres
import Store
import Telemetry
import TestSystem
import Testing

@testable import Intake

@Suite(.timeLimit(.minutes(3))) struct IdempotencyTests {
    @Test func aRepeatedRequestIsAnsweredWithTheSameBytes() async throws {
        try await IntakeFixture.run { fixture async throws in
            for (key, body) in [
                ("single", IntakeFixture.message),
                ("array", .array(Array(repeating: IntakeFixture.message, count: 20))),
            ] as [(String, JSON)] {
                let first = await fixture.post(body, idempotencyKey: key)
                #expect(first.status == 202)
                for _ in 0..<3 {
                    #expect(await fixture.post(body, idempotencyKey: key).whole == first.whole)
                }
            }
            #expect(try await fixture.stored == 21)
            #expect(try await fixture.system.count("SELECT count(*) FROM outbox") == 21)
            #expect(fixture.metrics.render().contains("pinpost_accepted_total 21"))
        }
    }

    @Test func anotherProcessRepeatsTheSameBytes() async throws {
        try await IntakeFixture.run { one async throws in
            let first = await one.post(IntakeFixture.message, idempotencyKey: "k")
            try await IntakeFixture.run(on: one.system) { other async throws in
                #expect(await other.post(IntakeFixture.message, idempotencyKey: "k").whole == first.whole)
            }
            #expect(try await one.stored == 1)
        }
    }

    @Test func theKeyWithAnotherBodyIsRefused() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = await fixture.post(IntakeFixture.message, idempotencyKey: "k")
            for other in [
                IntakeFixture.message.with(["ttl": 60]), IntakeFixture.message.with(["body": "x"]),
                [IntakeFixture.message],
            ] {
                let response = await fixture.post(other, idempotencyKey: "k")
                #expect(response.status == 422)
                #expect(response.code == "idempotency_key_reused")
            }
            #expect(try await fixture.stored == 1)
        }
    }

    @Test func theSameKeyOfAnotherAccountIsAnotherKey() async throws {
        try await IntakeFixture.run { fixture async throws in
            let mine = await fixture.post(IntakeFixture.message, idempotencyKey: "k")
            let theirs = await fixture.post(
                IntakeFixture.message, key: IntakeFixture.strangersKey, idempotencyKey: "k")
            #expect(theirs.status == 202)
            #expect(mine.json["id"] != theirs.json["id"])
        }
    }

    @Test func aRequestInFlightIsNotAnsweredTwice() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                try await fixture.system.locking("messages") {
                    group.addTask { await fixture.post(IntakeFixture.message, idempotencyKey: "k") }
                    try await fixture.waitForLockWaits(1)
                    for body in [IntakeFixture.message, IntakeFixture.message.with(["ttl": 60])] {
                        let second = await fixture.post(body, idempotencyKey: "k")
                        #expect(second.status == 409)
                        #expect(second.code == "request_in_flight")
                    }
                }
                let first = try #require(try await group.next())
                #expect(first.status == 202)
                #expect(await fixture.post(IntakeFixture.message, idempotencyKey: "k").whole == first.whole)
            }
            #expect(try await fixture.stored == 1)
        }
    }

    @Test func keysHaveLimits() async throws {
        try await IntakeFixture.run { fixture async throws in
            let good = ["k", "0192d1e4-7000-7000-8000-000000000001", String(repeating: "k", count: 255), "\"q\"", "~!"]
            for key in good {
                #expect(await fixture.post(IntakeFixture.message, idempotencyKey: key).status == 202, "\(key)")
            }
            let bad = ["", String(repeating: "k", count: 256), "a b", "ä", "a\tb", "a\u{7F}", "a\u{0}"]
            for key in bad {
                let response = await fixture.post(IntakeFixture.message, idempotencyKey: key)
                #expect(response.status == 422, "\(key)")
                #expect(response.paths == ["Idempotency-Key"])
            }
            var fields: HTTPFields = ["Idempotency-Key": "k1"]
            fields.append("idempotency-key", "k2")
            let twice = await fixture.ask(
                "POST", "/v1/messages", fields: fields, body: IntakeFixture.message.serialized())
            #expect(twice.status == 422)
            #expect(try await fixture.stored == good.count)
        }
    }

    @Test func aRefusedRequestLeavesItsKeyFree() async throws {
        try await IntakeFixture.run { fixture async throws in
            #expect(await fixture.post(["to": "0790000077"], idempotencyKey: "k").status == 422)
            #expect(await fixture.post(IntakeFixture.message, idempotencyKey: "k").status == 202)
        }
    }

    @Test func whatWasAcceptedIsRepeatedEvenIfItWouldBeRefusedToday() async throws {
        try await IntakeFixture.run { fixture async throws in
            let unrouted = await fixture.post([IntakeFixture.message], idempotencyKey: "unrouted")
            try await fixture.system.apply(["routes": [["prefix": "+41", "remove": true]]])
            #expect(try await fixture.access.refresh())
            #expect(await fixture.post([IntakeFixture.message], idempotencyKey: "unrouted").whole == unrouted.whole)
            #expect(await fixture.post([IntakeFixture.message], idempotencyKey: "new").status == 422)
            #expect(await fixture.post([IntakeFixture.message]).status == 422)
            #expect(try await fixture.stored == 1)
        }
    }

    @Test func manyTriesUnderOneKeyStoreOnce() async throws {
        try await IntakeFixture.run { one async throws in
            try await IntakeFixture.run(on: one.system) { other async throws in
                let answers = await withTaskGroup(of: HTTPResponse.self) { group in
                    for index in 0..<40 {
                        group.addTask {
                            await (index % 2 == 0 ? one : other).post(IntakeFixture.message, idempotencyKey: "k")
                        }
                    }
                    return await group.reduce(into: [HTTPResponse]()) { $0.append($1) }
                }
                #expect(answers.allSatisfy { [202, 409].contains($0.status) })
                #expect(Set(answers.filter { $0.status == 202 }.map(\.whole)).count == 1)
            }
            #expect(try await one.stored == 1)
        }
    }
}
