import Crypto
import HTTP
import JSON
import Messaging
import TestSystem
import Testing
import Timestamps

@testable import Intake
@testable import Store

@Suite struct ListTests {
    @Test(arguments: [1, 3])
    func aWalkOverThePagesShowsEachMessageOnceNewestFirst(lanes: UInt8) async throws {
        try await IntakeFixture.run(lanes: (0..<lanes).map { Lane(rawValue: $0) }) { fixture async throws in
            var ids: [String] = []
            for _ in 0..<47 { ids.append(try await fixture.accept()) }
            for limit in [1, 7, 46, 47, 48, 200] {
                let pages = try await fixture.walk("limit=\(limit)")
                #expect(pages.flatMap(\.self) == ids.sorted(by: >), "\(limit) a page")
                #expect(pages.dropLast().allSatisfy { !$0.isEmpty })
            }
            #expect(await fixture.get("/v1/messages").ids.count == 47)
        }
    }

    @Test func filtersByRecipientReferenceStatusAndTime() async throws {
        try await IntakeFixture.run { fixture async throws in
            let other = try await fixture.accept(["to": "+41790000088"])
            let marked = try await fixture.accept(["reference": "ä & b"])
            let cancelled = try await fixture.accept(["send_at": .string("\(Timestamp.now + .seconds(60))")])
            #expect(await fixture.ask("POST", "/v1/messages/\(cancelled)/cancel").status == 200)
            let past = Timestamp.now - .seconds(3600)
            let future = Timestamp.now + .seconds(3600)
            let all: Set = [other, marked, cancelled]
            let table: [(query: String, ids: Set<String>)] = [
                ("", all), ("to=%2B41790000088", [other]), ("to=+41790000088", [other]), ("to=%2B41790000099", []),
                ("reference=%C3%A4+%26+b", [marked]), ("reference=none", []), ("reference=", []),
                ("status=cancelled", [cancelled]), ("status=queued", [other, marked]), ("status=delivered", []),
                ("since=\(past)", all), ("since=\(future)", []), ("until=\(future)", all), ("until=\(past)", []),
                ("since=\(past)&until=\(future)", all), ("status=queued&to=%2B41790000088", [other]),
                ("since=\(past)&status=cancelled&to=%2B41790000077", [cancelled]), ("since=1970-01-01T00:00:00Z", all),
                ("until=1969-12-31T00:00:00Z", []), ("until=9999-12-31T23:59:59Z", all),
            ]
            for (query, ids) in table {
                let response = await fixture.get("/v1/messages?\(query)")
                #expect(response.status == 200, "\(query)")
                #expect(Set(response.ids) == ids, "\(query)")
            }
        }
    }

    @Test func badParametersAreNamed() async throws {
        try await IntakeFixture.run { fixture async throws in
            let table: [(query: String, path: String)] = [
                ("to=0790000077", "to"), ("to=", "to"), ("to=%2B41%2079", "to"), ("status=lost", "status"),
                ("status=", "status"), ("status=Queued", "status"), ("since=yesterday", "since"),
                ("until=2026-11-21", "until"), ("limit=0", "limit"), ("limit=201", "limit"), ("limit=-1", "limit"),
                ("limit=ten", "limit"), ("limit=", "limit"), ("limit=99999999999", "limit"), ("cursor=x", "cursor"),
                ("cursor=", "cursor"), ("cursor=MDE5MmQxZTQ", "cursor"), ("reference=a%00b", "reference"),
                ("page=2", "page"), ("To=%2B41790000088", "To"),
            ]
            for (query, path) in table {
                let response = await fixture.get("/v1/messages?\(query)")
                #expect(response.status == 422, "\(query)")
                #expect(response.paths == [path], "\(query)")
            }
            for query in ["to=%", "to=%zz", "reference=%FF", "%FF=1"] {
                let response = await fixture.get("/v1/messages?\(query)")
                #expect(response.status == 400, "\(query)")
                #expect(response.code == "invalid_query")
            }
            let several = await fixture.get("/v1/messages?limit=0&status=x&colour=red")
            #expect(several.paths == ["limit", "status", "colour"])
        }
    }

    @Test func aFilterGivenTwiceIsRefused() async throws {
        try await IntakeFixture.run { fixture async throws in
            for query in ["limit=1&limit=2", "status=queued&status=queued", "to=%2B41790000077&to=%2B41790000088"] {
                let response = await fixture.get("/v1/messages?\(query)")
                #expect(response.status == 422, "\(query)")
            }
        }
    }

    @Test func anotherAccountsCursorShowsNothingOfIt() async throws {
        try await IntakeFixture.run { fixture async throws in
            for _ in 0..<5 { _ = try await fixture.accept() }
            let theirs = try await fixture.accept(key: IntakeFixture.strangersKey)
            let cursor = try #require(await fixture.get("/v1/messages?limit=2").json["next"]?.string)
            let page = await fixture.get("/v1/messages?cursor=\(cursor)", key: IntakeFixture.strangersKey)
            #expect(page.status == 200)
            // Theirs is newer than where the cursor stands.
            #expect(page.ids == [])
            #expect(await fixture.get("/v1/messages", key: IntakeFixture.strangersKey).ids == [theirs])
            for query in ["to=%2B41790000077", "status=queued", "limit=200"] {
                let ids = await fixture.get("/v1/messages?\(query)", key: IntakeFixture.strangersKey).ids
                #expect(ids == [theirs], "\(query)")
            }
        }
    }

    /// Lanes that ended on this page hide nothing; beyond the first that has more, others may be missing.
    @Test(
        arguments: [
            ([[9, 7], [8, 6]], [nil, nil], 10, [9, 8, 7, 6], nil),
            ([[9, 7], [8, 6]], [7, 6], 10, [9, 8, 7], 7),
            ([[9, 7], [8, 6]], [nil, 6], 10, [9, 8, 7, 6], 6),
            ([[9, 8], [3, 2]], [8, nil], 10, [9, 8], 8),
            ([[9, 7], [8, 6]], [nil, nil], 3, [9, 8, 7], 7),
            ([[], [8, 6]], [nil, 6], 2, [8, 6], 6),
            ([[], []], [4, 9], 2, [], 9),
            ([[], []], [nil, nil], 2, [], nil),
        ] as [([[UInt64]], [UInt64?], Int, [UInt64], UInt64?)])
    func pagesOfLanesMerge(
        lanes: [[UInt64]], nexts: [UInt64?], limit: Int, shown: [UInt64], next: UInt64?
    ) {
        let pages = zip(lanes, nexts).map { ids, next in
            MessagePage(messages: ids.map { .numbered($0) }, next: next.map { MessageID(high: $0, low: 0) })
        }
        let page = MessagePage.merging(pages, limit: limit)
        #expect(page.messages.map(\.id.high) == shown)
        #expect(page.next?.high == next)
    }
}

extension StoredMessage {
    fileprivate static func numbered(_ number: UInt64) -> StoredMessage {
        StoredMessage(
            id: MessageID(high: number, low: 0), channel: .sms, priority: .otp, state: .queued, corrected: false,
            parts: 1, recipient: "", acceptedAt: .now, expiresAt: .now, changedAt: .now)
    }
}

extension IntakeFixture {
    /// The ids of all pages of a list.
    fileprivate func walk(_ query: String) async throws -> [[String]] {
        var pages: [[String]] = []
        var cursor: String?
        repeat {
            let response = await self.get("/v1/messages?\(query)\(cursor.map { "&cursor=\($0)" } ?? "")")
            #expect(response.status == 200)
            pages.append(response.ids)
            cursor = response.json["next"]?.string
            if pages.count > 100 { break }
        } while cursor != nil
        return pages
    }
}
