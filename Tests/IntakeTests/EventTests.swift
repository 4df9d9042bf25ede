import Callbacks
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Intake

@Suite(.timeLimit(.minutes(3))) struct EventTests {
    private static let since: JSON = ["since": "2026-01-01T00:00:00Z"]

    @Test func anEventIsShownAsItIsTold() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            let id = try await webhooks.make().id
            let event = try await webhooks.event()
            let fresh = await fixture.get("/v1/events/\(event)").json
            #expect(fresh["id"] == .string(event))
            #expect(fresh["type"] == "message.cancelled")
            #expect(fresh["data"]?["to"] == .string(IntakeFixture.number))
            #expect(fresh["data"]?["status"] == "cancelled")
            #expect(
                fresh["deliveries"] == [["webhook": .string(id), "attempts": [], "pending": ["due_at": nil]]])
            try await webhooks.tell(.refused, retryAfter: .seconds(3600))
            let tried = try #require(await fixture.get("/v1/events/\(event)").json["deliveries"]?.array?.first)
            #expect(tried["pending"]?["due_at"]?.string != nil)
            let attempt = try #require(tried["attempts"]?.array?.first)
            #expect(
                attempt.with(["at": nil]) == [
                    "attempt": 1, "outcome": "refused", "status": 500, "duration_ms": 3, "is_last": false,
                ])
        }
    }

    @Test(arguments: [[Lane(rawValue: 0)], [Lane(rawValue: 0), Lane(rawValue: 1)]])
    func theListIsPaged(lanes: [Lane]) async throws {
        try await IntakeFixture.run(lanes: lanes) { fixture async throws in
            let webhooks = Webhooks(fixture)
            _ = try await webhooks.make()
            var all: [String] = []
            for _ in 0..<5 { all.append(try await webhooks.event()) }
            let whole = await fixture.get("/v1/events").json
            #expect(whole["next"] == .some(.null))
            let ids = whole["events"]?.array?.compactMap { $0["id"]?.string } ?? []
            #expect(Set(ids) == Set(all))
            var pages: [String] = []
            var cursor: String?
            repeat {
                let query = cursor.map { "&cursor=\($0)" } ?? ""
                let page = await fixture.get("/v1/events?limit=2\(query)").json
                pages += page["events"]?.array?.compactMap { $0["id"]?.string } ?? []
                cursor = page["next"]?.string
            } while cursor != nil
            #expect(pages == ids)
            let counts = [
                "type=message.cancelled": 5, "type=message.failed": 0, "type=message.failed&type=message.cancelled": 5,
                "since=2026-01-01T00:00:00Z": 5, "until=2026-01-01T00:00:00Z": 0,
            ]
            for (query, count) in counts {
                #expect(await fixture.get("/v1/events?\(query)").json["events"]?.array?.count == count, "\(query)")
            }
            for query in ["type=x", "subject=x", "since=x", "until=x", "limit=0", "limit=201", "cursor=x", "page=2"] {
                let refused = await fixture.get("/v1/events?\(query)")
                #expect(refused.paths == [query.prefix { $0 != "=" }.description], "\(query)")
            }
            #expect(await fixture.get("/v1/events?limit=1&limit=2").paths == ["limit"])
        }
    }

    @Test func oneEventIsToldAgain() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            let id = try await webhooks.make().id
            let event = try await webhooks.event()
            let path = "/v1/events/\(event)/replay"
            let body: JSON = ["webhook": .string(id)]
            #expect(await fixture.post(path, body).code == "already_due")
            #expect(try await webhooks.tell().count == 1)
            let replayed = await fixture.post(path, body)
            #expect(replayed.status == 202)
            #expect(replayed.json == ["id": .string(event), "webhook": .string(id)])
            #expect(try await webhooks.tell().map { "\($0.event)" } == [event])
            let attempts = await fixture.get("/v1/events/\(event)").json["deliveries"]?.array?.first?["attempts"]
            #expect(attempts?.array?.count == 2)
            _ = await fixture.patch("/v1/webhooks/\(id)", ["enabled": false])
            #expect(await fixture.post(path, body).code == "webhook_disabled")
            for wrong in [[:], ["webhook": "nobody"], ["webhook": 5]] as [JSON] {
                #expect(await fixture.post(path, wrong).paths == ["/webhook"])
            }
            #expect(await fixture.get("/v1/events/x").code == "not_found")
            let gone = "/v1/events/evt_0192d1e470007000800000000000000a"
            #expect(await fixture.get(gone).code == "not_found")
            #expect(await fixture.post("\(gone)/replay", body).code == "not_found")
        }
    }

    @Test func aVendorIsToldOnlyWhatItHasWordsFor() async throws {
        try await IntakeFixture.run { fixture async throws in
            let webhooks = Webhooks(fixture)
            _ = try await webhooks.make()
            try await fixture.system.apply([
                "accounts": [
                    ["name": "acme", "webhooks": [["id": "r", "kind": "infobip", "url": "https://example.com"]]]
                ]
            ])
            let event = try await webhooks.event()
            let replayed = await fixture.post("/v1/events/\(event)/replay", ["webhook": "r"])
            #expect(replayed.status == 202)
            try await fixture.system.pool.execute("UPDATE events SET type = 'message.accepted'")
            let refused = await fixture.post("/v1/events/\(event)/replay", ["webhook": "r"])
            #expect(refused.paths == ["/webhook"])
        }
    }

    @Test func whatWasMissedIsToldAgain() async throws {
        let lanes = [Lane(rawValue: 0), Lane(rawValue: 1)]
        try await IntakeFixture.run(lanes: lanes) { fixture async throws in
            let webhooks = Webhooks(fixture)
            let id = try await webhooks.make().id
            for _ in 0..<3 { try await webhooks.event() }
            try await webhooks.tell(.refused)
            try await webhooks.event()
            try await webhooks.tell()
            _ = await fixture.patch("/v1/webhooks/\(id)", ["enabled": false])
            let path = "/v1/webhooks/\(id)/replay"
            #expect(await fixture.post(path, Self.since).code == "webhook_disabled")
            for _ in 0..<2 { try await webhooks.event() }
            _ = await fixture.patch("/v1/webhooks/\(id)", ["enabled": true])
            let replayed = await fixture.post(path, Self.since)
            #expect(replayed.status == 202)
            #expect(replayed.json == ["events": 5, "continue_from": nil])
            #expect(try await webhooks.tell().count == 5)
            #expect(await fixture.post(path, Self.since).json["events"] == 0)
        }
    }

    @Test func aLongReplayGoesOn() async throws {
        let lanes = [Lane(rawValue: 0), Lane(rawValue: 1)]
        try await IntakeFixture.run(lanes: lanes) { fixture async throws in
            let webhooks = Webhooks(fixture)
            let id = try await webhooks.make().id
            let event = try await webhooks.event()
            try await webhooks.tell()
            // In both lanes, and more together than one request looks at.
            try await fixture.system.pool.execute(
                """
                INSERT INTO events (lane, id, account_id, sequence, subject_id, type, occurred_at)
                SELECT lane, new_id(lane::smallint), account_id, 1, new_id(lane::smallint), type, occurred_at
                FROM (SELECT account_id, type, occurred_at FROM events) e, generate_series(0, 1) lane,
                     generate_series(1, \(Int64(Intake.replayLimit * 3 / 5)))
                """)
            var told: Int64 = 0
            var from: JSON = .null
            var requests = 0
            repeat {
                let body = Self.since.with(["continue_from": from])
                let answer = await fixture.post("/v1/webhooks/\(id)/replay", body)
                #expect(answer.status == 202, "\(answer.text)")
                told += answer.json["events"]?.integer ?? 0
                from = answer.json["continue_from"] ?? .null
                requests += 1
            } while !from.isNull && requests < 100
            #expect(requests > 1)
            #expect(told == Int64(Intake.replayLimit * 6 / 5))
            #expect(try await fixture.system.count("SELECT sum(cardinality(events)) FROM event_outbox") == Int(told))
            let shown = await fixture.get("/v1/events/\(event)").json["deliveries"]?.array?.first
            #expect(shown?["pending"] == .some(.null))
        }
    }
}
