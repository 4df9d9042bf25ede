import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

/// `GET /v1/messages/{id}` and `POST /v1/messages/{id}/cancel`.
@Suite struct MessageResourceTests {
    @Test func foreignMessagesLookLikeNoneAtAll() async throws {
        try await IntakeFixture.run { fixture async throws in
            let foreign = try await fixture.accept(key: IntakeFixture.strangersKey)
            let unknown = "0192d1e4-7000-7000-8000-000000000001"
            for (method, suffix) in [("GET", ""), ("HEAD", ""), ("POST", "/cancel")] {
                let answers = [foreign, foreign.uppercased(), unknown, "nonsense", String(foreign.dropLast()), "%00"]
                var wholes: Set<String> = []
                for id in answers {
                    wholes.insert(await fixture.ask(method, "/v1/messages/\(id)\(suffix)").whole)
                }
                #expect(wholes.count == 1, "\(method)")
                #expect(wholes.first?.hasPrefix("404") == true)
            }
            #expect(await fixture.get("/v1/messages/\(foreign)", key: IntakeFixture.strangersKey).status == 200)
            #expect(try await fixture.system.states() == ["queued"])
        }
    }

    @Test func whatWaitsCanBeCancelledAndAgain() async throws {
        try await IntakeFixture.run { fixture async throws in
            let waiting = try await fixture.accept()
            let later = try await fixture.accept(["send_at": .string("\(Timestamp.now + .seconds(600))")])
            for id in [waiting, later] {
                let first = await fixture.ask("POST", "/v1/messages/\(id)/cancel")
                #expect(first.status == 200)
                #expect(first.json == ["id": .string(id), "status": "cancelled"])
                #expect(await fixture.ask("POST", "/v1/messages/\(id)/cancel").whole == first.whole)
                #expect(await fixture.get("/v1/messages/\(id)").json["status"]?.string == "cancelled")
            }
            #expect(try await fixture.system.count("SELECT count(*) FROM outbox") == 0)
            #expect(try await fixture.system.count("SELECT count(*) FROM scheduled") == 0)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 0)
        }
    }

    @Test func whatIsUnderWayCannot() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.accept()
            let worker = try await fixture.system.store.registerWorker(name: "test", lease: .seconds(15))
            let provider = try await fixture.system.count("SELECT id::bigint FROM providers")
            _ = try await fixture.system.store.claim(
                lane: Lane(rawValue: 0), worker: worker,
                requests: [ClaimRequest(provider: ProviderID(rawValue: Int32(provider)), limit: 10, after: [:])])
            let response = await fixture.ask("POST", "/v1/messages/\(id)/cancel")
            #expect(response.status == 409)
            #expect(response.code == "too_late")
            #expect(await fixture.get("/v1/messages/\(id)").json["status"]?.string == "sending")
            #expect(await fixture.get("/v1/messages?status=sending").ids == [id])
            #expect(await fixture.get("/v1/messages?status=queued").ids == [])
        }
    }

    @Test func whatHasGoneCannot() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.accept()
            _ = try await fixture.system.pool.execute("DELETE FROM outbox")
            for state in MessageState.allCases where ![.queued, .sending, .cancelled].contains(state) {
                _ = try await fixture.system.pool.execute("UPDATE messages SET state = \(state.rawValue)")
                let response = await fixture.ask("POST", "/v1/messages/\(id)/cancel")
                #expect(response.status == 409, "\(state)")
                #expect(response.code == "too_late")
                #expect(response.json["detail"]?.string?.contains(state.rawValue) == true)
                #expect(try await fixture.system.states() == [state.rawValue])
            }
        }
    }

    @Test func theTimelineTellsEverythingInItsOrder() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.accept()
            let message = try #require(MessageID(id))
            let provider = ProviderID(
                rawValue: Int32(try await fixture.system.count("SELECT id::bigint FROM providers")))
            let store = fixture.system.store
            let worker = try await store.registerWorker(name: "test", lease: .seconds(15))
            let claims = try await store.claim(
                lane: message.lane, worker: worker,
                requests: [ClaimRequest(provider: provider, limit: 10, after: [:])])
            let claim = try #require(claims.first)
            _ = try await store.settle(
                [
                    Settled(
                        id: message, provider: provider, attempt: claim.attempt, series: 1, outcome: "accepted",
                        reason: .accepted, code: "", duration: .milliseconds(12), state: .accepted, retry: nil,
                        parts: ["p1"])
                ], lane: message.lane, worker: worker)
            let receipt = Receipt(
                message: MessageReference(id: message, series: 1), part: "p1", coversMessage: false,
                verdict: Verdict(.delivered, .none, .none, .ok), status: "delivered", code: "0",
                occurredAt: Timestamp(seconds: 1_795_252_500))
            _ = try await store.apply([IncomingReceipt(provider: provider, receipt: receipt)])
            let shown = await fixture.get("/v1/messages/\(id)").json
            #expect(shown["status"]?.string == "delivered")
            let timeline = try #require(shown["timeline"]?.array)
            #expect(timeline.map { $0["event"]?.string } == ["accepted", "attempt", "receipt"])
            #expect(timeline[1]["provider"]?.string == "nowhere")
            #expect(timeline[1]["outcome"]?.string == "accepted")
            #expect(timeline[1]["milliseconds"]?.integer == 12)
            #expect(timeline[2]["state"]?.string == "delivered")
            #expect(timeline[2]["part"]?.string == "p1")
            #expect(timeline[2]["occurred_at"]?.string == "2026-11-21T09:15:00.000Z")
        }
    }
}
