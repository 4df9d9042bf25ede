import Messaging
import Postgres
import Store
import TestSystem
import Testing

@Suite(.bothWays) struct SettleTests {
    @Test func aTakenMessageIsAcceptedAndItsBodyGone() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver(parts: ["a1", "a2"], expected: 2)
            let timeline = try #require(try await fixture.store.timeline(of: id, account: fixture.account))
            #expect(timeline.message.state == .accepted)
            #expect(timeline.message.parts == 2)
            #expect(timeline.attempts.map(\.outcome) == ["accepted"])
            #expect(try await fixture.count("SELECT count(*) FROM outbox") == 0)
            #expect(try await fixture.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 0)
            #expect(try await fixture.count("SELECT count(*) FROM parts") == 2)
        }
    }

    /// Until the message is over; a provider may ask for it when a call is answered.
    @Test func aBodyThatIsAskedForLaterStays() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage()])
            var settled = fixture.settled(try #require(try await fixture.claim(worker).first))
            settled.keepsBody = true
            _ = try await fixture.store.settle([settled], lane: fixture.lane, worker: worker)
            let content = try #require(try await fixture.store.content(of: ids[0], through: fixture.provider))
            #expect(content.body == [1, 2, 3])
            #expect(content.state == .accepted)
            #expect(content.account == fixture.account)
            let stranger = ProviderID(rawValue: fixture.provider.rawValue + 1000)
            #expect(try await fixture.store.content(of: ids[0], through: stranger) == nil)
            _ = try await fixture.store.apply([fixture.receipt(ids[0])])
            #expect(try await fixture.store.content(of: ids[0], through: fixture.provider)?.body == nil)
        }
    }

    @Test func aRetryWaitsOutsideTheReadyQueueAndKeepsItsBody() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage()])
            let claim = try #require(try await fixture.claim(worker).first)
            let retry = Settled.Retry(after: .microseconds(1), attempt: 1, series: 2)
            let (mine, _) = try await fixture.store.settle(
                [fixture.settled(claim, state: nil, retry: retry)], lane: fixture.lane, worker: worker)
            #expect(mine == ids)
            #expect(try await fixture.state(of: ids[0]) == .queued)
            #expect(try await fixture.claim(worker).isEmpty)
            #expect(try await fixture.store.promote(lane: fixture.lane, limit: 10).moved == 1)
            let again = try #require(try await fixture.claim(worker).first)
            #expect(again.attempt == 2)
            #expect(again.series == 2)
            #expect(again.body == [1, 2, 3])
        }
    }

    @Test func aWorkerThatWasPausedChangesNothingThatItsSuccessorSettled() async throws {
        try await StoreFixture.run { fixture async throws in
            let paused = try await fixture.store.registerWorker(name: "paused", lease: .seconds(15))
            let heir = try await fixture.store.registerWorker(name: "heir", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage(), fixture.newMessage()])
            let old = try await fixture.claim(paused)
            try await fixture.store.unregisterWorker(paused)
            #expect(try await fixture.store.reap(lane: fixture.lane) == 2)
            let new = try await fixture.claim(heir)
            _ = try await fixture.store.settle([fixture.settled(new[0])], lane: fixture.lane, worker: heir)

            let failures = old.map { fixture.settled($0, state: .failed) }
            #expect(try await fixture.store.settle(failures, lane: fixture.lane, worker: paused).mine.isEmpty)
            #expect(try await fixture.state(of: new[0].id) == .accepted)
            #expect(try await fixture.state(of: new[1].id) == .sending)
            #expect(try await fixture.count("SELECT count(*) FROM attempts") == 1)
            #expect(Set(new.map(\.id)) == Set(ids))
        }
    }

    @Test func theSameWorkerIsFencedByTheAttempt() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            try await fixture.accept([fixture.newMessage()])
            let old = try #require(try await fixture.claim(worker).first)
            #expect(try await fixture.store.disown(lane: fixture.lane, worker: worker, holding: []) == 1)
            let new = try #require(try await fixture.claim(worker).first)
            #expect(new.attempt == 2)
            #expect(
                try await fixture.store.settle([fixture.settled(old)], lane: fixture.lane, worker: worker).mine.isEmpty)
            #expect(
                try await fixture.store.settle([fixture.settled(new)], lane: fixture.lane, worker: worker).mine.count
                    == 1)
        }
    }

    @Test func waitsAndSeriesTravelWithARetry() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            try await fixture.accept([fixture.newMessage()])
            let claim = try #require(try await fixture.claim(worker).first)
            let retry = Settled.Retry(after: .zero, attempt: 0, series: 3, waits: 4)
            _ = try await fixture.store.settle(
                [fixture.settled(claim, state: nil, retry: retry)], lane: fixture.lane, worker: worker)
            _ = try await fixture.store.promote(lane: fixture.lane, limit: 10)
            let again = try #require(try await fixture.claim(worker).first)
            #expect(again.attempt == 1)
            #expect(again.series == 3)
            #expect(again.waits == 4)
        }
    }

    /// A provider's answer of a megabyte must not take the worker down.
    @Test func aMessageHasNoMorePartsThanCanBeJoined() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver(parts: (0..<40_000).map { "p\($0)" })
            #expect(try await fixture.count("SELECT count(*) FROM parts") == 255)
            #expect(try await fixture.store.timeline(of: id, account: fixture.account)?.message.parts == 255)
        }
    }

    @Test func settlingLowersNoState() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage()])
            let claim = try #require(try await fixture.claim(worker).first)
            _ = try await fixture.store.apply([fixture.receipt(ids[0])])
            #expect(try await fixture.state(of: ids[0]) == .delivered)
            _ = try await fixture.store.settle([fixture.settled(claim)], lane: fixture.lane, worker: worker)
            #expect(try await fixture.state(of: ids[0]) == .delivered)
        }
    }

    @Test func anUnansweredAttemptIsUnknownUntilTheNextIsTaken() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage()])
            let claim = try #require(try await fixture.claim(worker).first)
            let retry = Settled.Retry(after: .zero, attempt: 1, series: 1)
            _ = try await fixture.store.settle(
                [fixture.settled(claim, state: .unknown, retry: retry)], lane: fixture.lane, worker: worker)
            #expect(try await fixture.state(of: ids[0]) == .unknown)
            _ = try await fixture.store.promote(lane: fixture.lane, limit: 10)
            let again = try #require(try await fixture.claim(worker).first)
            #expect(again.state == .unknown)
            _ = try await fixture.store.settle([fixture.settled(again)], lane: fixture.lane, worker: worker)
            #expect(try await fixture.state(of: ids[0]) == .accepted)
        }
    }
}
