import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct AcceptTests {
    @Test func acceptedMessagesAreReadyAndQueued() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept((0..<3).map { _ in fixture.newMessage() })
            #expect(try await fixture.count("SELECT count(*) FROM outbox") == 3)
            for id in ids { #expect(try await fixture.state(of: id) == .queued) }
        }
    }

    @Test func aLaterMessageWaitsOutsideTheReadyQueue() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.accept([fixture.newMessage(sendAt: .now + .seconds(3600))])
            #expect(try await fixture.count("SELECT count(*) FROM outbox") == 0)
            #expect(try await fixture.count("SELECT count(*) FROM scheduled") == 1)
            let (moved, next, oldest) = try await fixture.store.promote(lane: fixture.lane, limit: 10)
            #expect(moved == 0)
            #expect(oldest == nil)
            #expect(next.map { $0 > .seconds(3500) && $0 <= .seconds(3600) } == true)
        }
    }

    @Test func aDueMessageIsPromotedOnce() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept([fixture.newMessage(sendAt: .now + .seconds(3600))])
            _ = try await fixture.pool.execute("UPDATE scheduled SET due_at = now()")
            async let one = fixture.store.promote(lane: fixture.lane, limit: 10)
            async let other = fixture.store.promote(lane: fixture.lane, limit: 10)
            #expect(try await one.moved + other.moved == 1)
            #expect(try await [one.oldest, other.oldest].compactMap(\.self) == ids)
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            #expect(try await fixture.claim(worker).map(\.id) == ids)
        }
    }

    @Test func manyRequestsShareACommitAndEachIsAnswered() async throws {
        try await StoreFixture.run { fixture async throws in
            let requests = (0..<50).map { _ in
                Acceptance(account: fixture.account, messages: [fixture.newMessage()], idempotency: nil)
            }
            let results = try await fixture.store.accept(requests)
            #expect(results == Array(repeating: .accepted(balance: nil), count: 50))
            #expect(try await fixture.count("SELECT count(DISTINCT xmin::text) FROM messages") == 1)
        }
    }

    @Test func aKeyUsedAgainStoresNothingAndReturnsWhatItStored() async throws {
        try await StoreFixture.run { fixture async throws in
            let key = IdempotencyKey(lane: fixture.lane, key: "k", fingerprint: [7])
            let first = Acceptance(
                account: fixture.account, messages: [fixture.newMessage(), fixture.newMessage()], idempotency: key)
            let again = Acceptance(account: fixture.account, messages: [fixture.newMessage()], idempotency: key)
            let unkeyed = Acceptance(account: fixture.account, messages: [fixture.newMessage()], idempotency: nil)
            #expect(try await fixture.store.accept([first]) == [.accepted(balance: nil)])
            let expected = AcceptanceResult.repeated(
                EarlierAcceptance(ids: first.messages.map(\.id), fingerprint: [7]))
            #expect(try await fixture.store.accept([again, unkeyed]) == [expected, .accepted(balance: nil)])
            #expect(try await fixture.count("SELECT count(*) FROM messages") == 3)
        }
    }

    /// A request that was given up while it waited, and its successor in the same batch.
    @Test func aKeyThatStandsTwiceInOneBatchStoresOnce() async throws {
        try await StoreFixture.run { fixture async throws in
            let requests = [7, 7, 8].map { fingerprint in
                Acceptance(
                    account: fixture.account, messages: [fixture.newMessage()],
                    idempotency: IdempotencyKey(lane: fixture.lane, key: "k", fingerprint: [fingerprint]))
            }
            let earlier = EarlierAcceptance(ids: requests[0].messages.map(\.id), fingerprint: [7])
            let expected: [AcceptanceResult] = [
                .accepted(balance: nil), .repeated(earlier), .repeated(earlier),
            ]
            #expect(try await fixture.store.accept(requests) == expected)
            #expect(try await fixture.count("SELECT count(*) FROM messages") == 1)
            let found = try await fixture.store.accepted(under: "k", lane: fixture.lane, account: fixture.account)
            #expect(found == earlier)
        }
    }

    @Test func theSameKeyOfAnotherAccountIsAnotherKey() async throws {
        try await StoreFixture.run { fixture async throws in
            let key = IdempotencyKey(lane: fixture.lane, key: "k", fingerprint: [7])
            for account in [1, 2] as [Int32] {
                let request = Acceptance(
                    account: AccountID(rawValue: account), messages: [fixture.newMessage()], idempotency: key)
                #expect(try await fixture.store.accept([request]) == [.accepted(balance: nil)])
            }
        }
    }

    @Test func aRaceForOneKeyIsWonOnce() async throws {
        try await StoreFixture.run(limit: 8) { fixture async throws in
            for round in 0..<20 {
                let key = IdempotencyKey(lane: fixture.lane, key: "race \(round)", fingerprint: [7])
                let results = try await withThrowingTaskGroup(of: AcceptanceResult.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            try await fixture.store.accept([
                                Acceptance(account: fixture.account, messages: [fixture.newMessage()], idempotency: key)
                            ])[0]
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(results.count { $0 == .accepted(balance: nil) } == 1)
            }
            #expect(try await fixture.count("SELECT count(*) FROM messages") == 20)
        }
    }
}
