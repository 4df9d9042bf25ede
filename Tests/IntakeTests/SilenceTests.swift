import HTTP
import JSON
import Messaging
import Postgres
import TestSystem
import Testing
import Timestamps

@testable import Intake

/// `GET /v1/reports/silent`.
@Suite(.timeLimit(.minutes(3))) struct SilenceTests {
    @Test func theReportIsOfTheAccountsOwnMessages() async throws {
        try await IntakeFixture.run { fixture async throws in
            let (waiting, ended) = (try await fixture.accept(), try await fixture.accept())
            let stranger = try await fixture.accept(key: IntakeFixture.strangersKey)
            _ = try await fixture.accept()
            for (id, state, reason) in [
                (waiting, "accepted", nil), (ended, "unknown", "no_dlr"), (stranger, "unknown", "no_dlr"),
            ] as [(String, String, String?)] {
                _ = try await fixture.system.pool.execute(
                    "UPDATE messages SET state = \(state), reason = \(reason) WHERE id = \(MessageID(id))")
            }
            _ = try await fixture.system.pool.execute(
                """
                INSERT INTO rates (lane, hour, account_id, provider_id, channel, country, sent, delivered, undelivered,
                                   converted, unconverted, silent)
                VALUES (0, date_trunc('hour', now(), 'UTC'), 1, 1, 'sms', '+41', 10, 5, 2, 0, 0, 1),
                       (0, date_trunc('hour', now(), 'UTC'), 1, 2, 'sms', '+41', 3, 3, 0, 0, 0, 0),
                       (0, date_trunc('hour', now(), 'UTC'), 2, 1, 'sms', '+49', 9, 0, 0, 0, 0, 9)
                """)
            let report = await fixture.get("/v1/reports/silent", key: IntakeFixture.readingKey)
            #expect(report.status == 200)
            #expect(
                report.json["counts"] == [
                    [
                        "provider": "nowhere", "channel": "sms", "country": "+41", "sent": 10, "ended": 1, "waiting": 2,
                    ]
                ])
            #expect(
                report.json["messages"]?.array?.compactMap { $0["id"]?.string }.sorted() == [waiting, ended].sorted())
            #expect(report.json["messages"]?.array?.map { $0["ended"] == true }.count { $0 } == 1)
            #expect(report.json["next"] == .null)
        }
    }

    @Test func itIsReadInPages() async throws {
        try await IntakeFixture.run { fixture async throws in
            var ids: [String] = []
            for _ in 0..<5 { ids.append(try await fixture.accept()) }
            _ = try await fixture.system.pool.execute("UPDATE messages SET state = 'accepted'")
            var (found, cursor) = ([] as [String], "")
            repeat {
                let page = await fixture.get("/v1/reports/silent?limit=2\(cursor)")
                found += page.ids
                cursor = page.json["next"]?.string.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(found == ids.sorted(by: >))
        }
    }

    @Test func whatItDoesNotUnderstandIsRefused() async throws {
        try await IntakeFixture.run { fixture async throws in
            for query in [
                "since=x", "limit=0", "cursor=x", "x=1", "limit=1&limit=2",
                "since=2026-01-02T00:00:00Z&until=2019-01-01T00:00:00Z",
            ] {
                #expect(await fixture.get("/v1/reports/silent?\(query)").status == 422, "\(query)")
            }
            #expect(await fixture.get("/v1/reports/silent", key: IntakeFixture.sendingKey).status == 403)
            #expect(await fixture.ask("POST", "/v1/reports/silent").status == 405)
            #expect(await fixture.get("/v1/reports/loud").status == 404)
        }
    }
}
