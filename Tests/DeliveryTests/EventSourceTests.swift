import JSON
import Lifecycle
import Messaging
import Postgres
import TestSystem
import Testing

@testable import Delivery
@testable import Store

/// Who gets the events' slots when many endpoints do not answer.
@Suite struct EventSourceTests {
    private static let lane = Lane(rawValue: 0)

    /// As many endpoints as one claim serves hang, with more to be told; behind them is one that answers.
    @Test func endpointsThatHangDoNotKeepTheWalkFromThoseBehindThem() async throws {
        try await Self.run { store, system async throws in
            try await Self.enter(system, endpoints: Int(Store.claimedEndpointLimit), failing: true, entries: 2)
            let answering = try await Self.enter(system, endpoints: 1, failing: false, entries: 1)
            let claims = try await Self.claimAll(store)
            #expect(claims.contains { $0.key.endpoint == answering[0] })
            #expect(claims.count == Int(Store.claimedEndpointLimit) + 1, "one at a time of those that fail")
            try await Self.enter(system, into: answering, entries: 1)
            #expect(try await Self.claimAll(store, after: claims).map(\.key.endpoint) == answering)
        }
    }

    @Test func endpointsThatFailLeaveSlotsToThoseThatAnswer() async throws {
        try await Self.run { store, system async throws in
            try await Self.enter(system, endpoints: 400, failing: true, entries: 1)
            let answering = try await Self.enter(system, endpoints: 1, failing: false, entries: 1)
            let claims = try await Self.claimAll(store)
            #expect(claims.contains { $0.key.endpoint == answering[0] })
            #expect(claims.count < EventSlots.limit)
        }
    }

    /// The database may take its time: the endpoint is free.
    @Test(.timeLimit(.minutes(1))) func aSlotIsFreeBeforeWhatCameOfItsEventIsWrittenBack() async throws {
        try await Self.run { store, _ async throws in
            let source = EventSource(store: store)
            let (answer, free, settled) = (Signal(), Signal(), Signal())
            await withTaskGroup { group in
                group.addTask {
                    await source.run(onFree: { free.ring() }) { _ in
                        await answer.wait()
                        return { await settled.wait() }
                    }
                }
                _ = source.pass(Self.claims(1).map { Held(claim: $0, worker: WorkerID(rawValue: 1), since: .now) })
                #expect(source.inFlight == 1)
                answer.ring()
                await free.wait()
                #expect(source.inFlight == 0, "it is not written back yet")
                source.close()
                settled.ring()
            }
        }
    }

    @Test func aSlotIsFreeWhileWhatCameOfItsEventIsWrittenBack() throws {
        let claims = Self.claims(EventSlots.limit)
        var slots = EventSlots()
        _ = slots.begin(claims)
        #expect(slots.request(lane: Self.lane) == nil)
        slots.answered(claims[0].key)
        let request = try #require(slots.request(lane: Self.lane))
        #expect(request.limit == 1)
        #expect(request.inFlight[claims[0].key.endpoint] == nil)
    }

    @Test func noMoreIsToldThanTheDatabaseKeepsUpWith() {
        var slots = EventSlots()
        for claim in Self.claims(EventSlots.settlingLimit) {
            _ = slots.begin([claim])
            slots.answered(claim.key)
        }
        #expect(slots.request(lane: Self.lane) == nil)
        let opensRoom = [slots.settled(), slots.settled()]
        #expect(opensRoom == [true, false])
        #expect(slots.request(lane: Self.lane)?.limit == Int32(EventSlots.limit))
    }

    // MARK: - Private

    /// Each of another endpoint.
    private static func claims(_ count: Int) -> [EventClaim] {
        (1...count).map { number in
            let subject = MessageID(high: 1, low: UInt64(number))
            return EventClaim(
                key: EventKey(subject: subject, endpoint: EndpointID(rawValue: Int32(number))),
                account: AccountID(rawValue: 1), event: EventID(rawValue: subject), attempt: 1,
                endpoint: ClaimedEndpoint(
                    kind: .standard, publicID: "test", url: "https://example.com/", secrets: nil, settings: "{}",
                    isDisabled: false, isFailing: false), facts: nil)
        }
    }

    private static func run(_ body: (Store, TestSystem) async throws -> Void) async throws {
        try await TestSystem.run(limit: 4) { system async throws in
            try await system.apply(["accounts": [["name": "acme"]]])
            try await body(system.store, system)
        }
    }

    /// Claims until nothing more is found, besides `held`, which are all on their way still.
    private static func claimAll(_ store: Store, after held: [EventClaim] = []) async throws -> [EventClaim] {
        let source = EventSource(store: store)
        let worker = try await store.registerWorker(name: "test", lease: .seconds(15))
        _ = source.pass(held.map { Held(claim: $0, worker: worker, since: .now) })
        var all: [EventClaim] = []
        var isWorthIt = true
        for _ in 0..<100 where isWorthIt {
            guard let (claims, more) = try await source.claim(lane: Self.lane, worker: worker) else { break }
            _ = source.pass(claims.map { Held(claim: $0, worker: worker, since: .now) })
            all += claims
            isWorthIt = more
        }
        #expect(!isWorthIt || all.count >= EventSlots.limit / 2, "a walk that finds nothing ends")
        return all
    }

    @discardableResult
    private static func enter(
        _ system: TestSystem, endpoints: Int, failing: Bool, entries: Int
    ) async throws -> [EndpointID] {
        let ids = try await system.pool.query(
            """
            INSERT INTO endpoints (account_id, public_id, kind, url, failing_since)
            SELECT a.id, gen_random_uuid()::text, 'standard', 'https://example.com/', CASE WHEN \(failing) THEN now() END
            FROM accounts a, generate_series(1, \(Int32(endpoints)))
            RETURNING id
            """
        ) { row throws(PostgresError) in EndpointID(rawValue: try row.decode(0)) }
        try await self.enter(system, into: ids, entries: entries)
        return ids
    }

    private static func enter(_ system: TestSystem, into endpoints: [EndpointID], entries: Int) async throws {
        try await system.pool.execute(
            """
            INSERT INTO event_outbox (lane, subject_id, endpoint_id, account_id, events)
            SELECT 0, new_id(0::smallint), e.id, e.account_id, ARRAY[new_id(0::smallint)]
            FROM endpoints e, generate_series(1, \(Int32(entries))) WHERE e.id = ANY(\(endpoints.map(\.rawValue)))
            """)
    }
}
