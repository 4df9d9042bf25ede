import Messaging
import Postgres
import Store
import TestSystem
import Testing

@Suite(.bothWays) struct ReceiptTests {
    @Test func aReceiptForTheWholeMessageDeliversIt() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver()
            let counts = try await fixture.store.apply([fixture.receipt(id)])
            #expect(counts.stored == 1)
            #expect(counts.finished.count == 1)
            #expect(try await fixture.state(of: id) == .delivered)
        }
    }

    /// providers.md section 9.2, exception b: whether the bounce comes after the delivery, with it or before.
    @Test(arguments: [
        [[Verdict.ProviderState.delivered], [.undelivered]], [[.delivered, .undelivered]],
        [[.undelivered], [.delivered]],
        [[.delivered], [.undelivered], [.delivered]],
    ])
    func aBounceIsTheLastWordOfAMail(_ batches: [[Verdict.ProviderState]]) async throws {
        try await StoreFixture.run { fixture async throws in
            for channel in [Channel.email, .sms] {
                let id = try await fixture.handedOver(on: channel)
                for batch in batches {
                    _ = try await fixture.store.apply(batch.map { fixture.receipt(id, $0) })
                }
                let timeline = try #require(try await fixture.store.timeline(of: id, account: fixture.account))
                #expect(timeline.message.state == (channel == .email ? .undelivered : .delivered))
                #expect(timeline.message.reason == (channel == .email ? "carrier_error" : "ok"))
            }
        }
    }

    @Test func duplicatesChangeNothing() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver(parts: ["p1", "p2"])
            let receipt = fixture.receipt(id, part: "p1", covers: false)
            _ = try await fixture.store.apply([receipt, receipt])
            _ = try await fixture.store.apply([receipt])
            #expect(try await fixture.state(of: id) == .accepted)
            #expect(try await fixture.count("SELECT count(*) FROM receipts") == 1)
            #expect(try await fixture.count("SELECT parts_delivered::bigint FROM messages") == 1)
        }
    }

    @Test func aMessageIsDeliveredWhenItsLastPartIs() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver(parts: ["p1", "p2"])
            _ = try await fixture.store.apply([fixture.receipt(id, part: "p2", covers: false)])
            #expect(try await fixture.state(of: id) == .accepted)
            _ = try await fixture.store.apply([fixture.receipt(id, part: "p1", covers: false)])
            #expect(try await fixture.state(of: id) == .delivered)
        }
    }

    @Test func partsThatArriveAtTheSameMomentAreAllCounted() async throws {
        try await StoreFixture.run(limit: 8) { fixture async throws in
            for round in 0..<10 {
                let parts = (0..<6).map { "r\(round)p\($0)" }
                let id = try await fixture.handedOver(parts: parts)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for part in parts {
                        group.addTask {
                            _ = try await fixture.store.apply([fixture.receipt(id, part: part, covers: false)])
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await fixture.state(of: id) == .delivered)
            }
        }
    }

    @Test func oneLostPartLosesTheMessageAndItsLateArrivalCorrectsIt() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver(parts: ["p1", "p2"])
            _ = try await fixture.store.apply([
                fixture.receipt(id, part: "p1", covers: false),
                fixture.receipt(id, part: "p2", .undelivered, covers: false),
            ])
            #expect(try await fixture.state(of: id) == .undelivered)
            _ = try await fixture.store.apply([fixture.receipt(id, part: "p2", covers: false)])
            let message = try #require(try await fixture.store.timeline(of: id, account: fixture.account)).message
            #expect(message.state == .delivered)
            #expect(message.corrected)
        }
    }

    @Test(arguments: [
        [Verdict.ProviderState.sent, .delivered], [.delivered, .sent], [.delivered, .undelivered],
        [.undelivered, .delivered, .undelivered], [.sent, .undelivered, .sent, .delivered],
    ])
    func everyOrderEndsDeliveredOnceItWasDelivered(states: [Verdict.ProviderState]) async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver()
            for (index, state) in states.enumerated() {
                _ = try await fixture.store.apply([fixture.receipt(id, state, status: "\(state) \(index)")])
            }
            #expect(try await fixture.state(of: id) == .delivered)
        }
    }

    @Test func aReceiptBeforeTheSettlementOfAllPartsWaitsForThem() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            // We counted one part more than the provider.
            let ids = try await fixture.accept([fixture.newMessage(parts: 3)])
            let claim = try #require(try await fixture.claim(worker).first)
            for part in ["p1", "p2"] {
                _ = try await fixture.store.apply([fixture.receipt(ids[0], part: part, covers: false)])
            }
            _ = try await fixture.store.settle(
                [fixture.settled(claim, parts: ["p1", "p2"])], lane: fixture.lane, worker: worker)
            let message = try #require(try await fixture.store.timeline(of: ids[0], account: fixture.account)).message
            #expect(message.state == .delivered)
            #expect(message.reason == "ok")
            #expect(!message.corrected)
        }
    }

    @Test func aReceiptWithoutOurReferenceIsJoinedByItsPart() async throws {
        try await StoreFixture.run { fixture async throws in
            let counts = try await fixture.store.apply([fixture.receipt(nil, part: "early", covers: false)])
            #expect(counts.unmatched == 1)
            #expect(
                try await fixture.store.joinUnmatched(lane: fixture.lane, age: .seconds(300), limit: 10).stored == 0)
            let id = try await fixture.handedOver(parts: ["early"])
            #expect(
                try await fixture.store.joinUnmatched(lane: fixture.lane, age: .seconds(300), limit: 10).stored == 1)
            #expect(try await fixture.state(of: id) == .delivered)
            #expect(try await fixture.count("SELECT count(*) FROM unmatched_receipts") == 0)
        }
    }

    @Test func aReportOfFailureInAnEarlierSeriesStopsNoLaterAttempt() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage()])
            let claim = try #require(try await fixture.claim(worker).first)
            let retry = Settled.Retry(after: .zero, attempt: 1, series: 2)
            _ = try await fixture.store.settle(
                [fixture.settled(claim, state: nil, retry: retry)], lane: fixture.lane, worker: worker)
            _ = try await fixture.store.apply([fixture.receipt(ids[0], .undelivered)])
            #expect(try await fixture.state(of: ids[0]) == .queued)
            _ = try await fixture.store.apply([fixture.receipt(ids[0], .undelivered, status: "second", series: 2)])
            #expect(try await fixture.state(of: ids[0]) == .undelivered)
            _ = try await fixture.store.apply([fixture.receipt(ids[0], .delivered)])
            #expect(try await fixture.state(of: ids[0]) == .delivered)
        }
    }

    @Test func keptReceiptsWithoutPartsAreKeptApart() async throws {
        try await StoreFixture.run { fixture async throws in
            var generator = SystemRandomNumberGenerator()
            let strangers = (0..<3).map { _ in MessageID(lane: fixture.lane, milliseconds: 1, using: &generator) }
            let last = MessageID(high: .max, low: ~0xFF)
            let counts = try await fixture.store.apply((strangers + [last]).map { fixture.receipt($0) })
            #expect(counts.unmatched == 4)
        }
    }

    @Test func aReceiptOfAnotherProviderTouchesNothing() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver(parts: ["p1"])
            let counts = try await fixture.store.apply([
                fixture.receipt(id, part: "p1", covers: false, provider: ProviderID(rawValue: 9))
            ])
            #expect(counts.unmatched == 1)
            #expect(try await fixture.state(of: id) == .accepted)
        }
    }

    @Test func whatTheCustomerCancelledStaysCancelled() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept([fixture.newMessage()])
            #expect(try await fixture.store.cancel(ids[0], account: fixture.account) == .cancelled)
            _ = try await fixture.store.apply([fixture.receipt(ids[0])])
            #expect(try await fixture.state(of: ids[0]) == .cancelled)
        }
    }
}
