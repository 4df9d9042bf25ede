import Messaging
import Testing

@testable import Delivery
@testable import Store

@Suite struct ProviderQueueStateTests {
    private let now = ContinuousClock.now

    private func state(slots: Int = 100, batch: Int = 1, rate: Double = 1_000_000) -> ProviderQueueState {
        ProviderQueueState(inFlightLimit: slots, batchLimit: batch, pace: Pace(rate: rate))
    }

    /// The numbers of the next batch; nil when there is none now.
    private func next(_ state: inout ProviderQueueState) -> [UInt64]? {
        guard case .send(let batch, _) = state.next(now: self.now) else { return nil }
        return batch.map(\.claim.number)
    }

    private func batches(_ state: inout ProviderQueueState) -> [[UInt64]] {
        var batches: [[UInt64]] = []
        while let batch = self.next(&state) { batches.append(batch) }
        return batches
    }

    @Test func noMoreRequestsAreUnderWayThanThereAreSlots() {
        var state = self.state(slots: 2)
        _ = state.append((1...5).map { .sample($0) })
        #expect(self.batches(&state) == [[1], [2]])
        #expect(state.inFlight == 2)
        state.answered(1)
        #expect(self.batches(&state) == [[3]])
        state.answered(1)
        state.answered(1)
        #expect(self.batches(&state) == [[4], [5]])
    }

    @Test func aLimitThatWasLoweredHoldsAtOnce() {
        var state = self.state(slots: 4)
        _ = state.append((1...9).map { .sample($0) })
        #expect(self.batches(&state).count == 4)
        state.inFlightLimit = 2
        state.answered(1)
        state.answered(1)
        #expect(self.batches(&state) == [])
        state.answered(1)
        #expect(self.batches(&state).count == 1)
    }

    @Test func codesGoFirstAndEachPriorityInItsOrder() {
        var state = self.state()
        _ = state.append([
            .sample(1, priority: .bulk), .sample(2, priority: .otp), .sample(3, priority: .transactional),
            .sample(4, priority: .otp), .sample(5, priority: .bulk),
        ])
        #expect(self.batches(&state) == [[2], [4], [3], [1], [5]])
    }

    /// But for codes, which wait for an answer less long than the others.
    @Test func batchesAreFilledAcrossPriorities() {
        var state = self.state(batch: 3)
        _ = state.append([.sample(1, priority: .bulk), .sample(2), .sample(3, priority: .transactional), .sample(4)])
        #expect(self.batches(&state) == [[2, 4], [3, 1]])
    }

    @Test func theOrderHoldsOverManyClaims() {
        var state = self.state(slots: 10_000, batch: 7)
        var sent: [UInt64] = []
        for round in 0..<40 as Range<UInt64> {
            _ = state.append((0..<50).map { .sample(round * 50 + $0) })
            for _ in 0..<3 { sent += self.next(&state) ?? [] }
        }
        sent += self.batches(&state).flatMap(\.self)
        #expect(sent == Array(0..<2000))
    }

    /// A provider may refuse a whole request for one bad message in it, so what it refused before goes alone.
    @Test(
        arguments: [
            ([1, 1, 1], [[0, 1, 2]]),
            ([2, 1, 1], [[0], [1, 2]]),
            ([1, 2, 1], [[0, 2], [1]]),
            ([1, 1, 2], [[0, 1], [2]]),
            ([2, 3, 2], [[0], [1], [2]]),
            ([1, 2, 1, 2, 1, 1, 1, 1], [[0, 2, 4, 5], [1], [3], [6, 7]]),
            ([2, 1, 1, 1, 1, 1, 2, 1], [[0], [1, 2, 3, 4], [5, 7], [6]]),
        ] as [([Int16], [[UInt64]])])
    func whatWasRefusedBeforeGoesAlone(series: [Int16], batches: [[UInt64]]) {
        var state = self.state(batch: 4)
        _ = state.append(series.enumerated().map { .sample(UInt64($0.offset), series: $0.element) })
        #expect(self.batches(&state) == batches)
        #expect(state.count == 0)
    }

    @Test func whatWasRefusedBeforeKeepsItsPriority() {
        var state = self.state(batch: 4)
        _ = state.append([
            .sample(1, priority: .bulk), .sample(2, priority: .bulk, series: 2), .sample(3, series: 2), .sample(4),
        ])
        #expect(self.batches(&state) == [[3], [4], [1], [2]])
    }

    @Test func whatWasRefusedBeforeIsRemovedAndCountedLikeTheOthers() {
        var state = self.state(batch: 4)
        _ = state.append([.sample(1, series: 2), .sample(2), .sample(3, priority: .bulk, series: 3)])
        #expect(state.count == 3)
        #expect(state.removeAll().map(\.claim.number).sorted() == [1, 2, 3])
        #expect(state.count == 0)
    }

    @Test func thePaceCutsABatchAndTellsWhenToComeAgain() {
        var state = self.state(batch: 100, rate: 10)
        _ = state.append((1...5).map { .sample($0) })
        #expect(self.next(&state) == [1])
        guard case .waitUntil(let moment) = state.next(now: self.now) else {
            Issue.record("no wait")
            return
        }
        #expect(moment > self.now && moment <= self.now + .milliseconds(110))
        guard case .send(let batch, _) = state.next(now: moment) else {
            Issue.record("nothing at the moment told")
            return
        }
        #expect(batch.map(\.claim.number) == [2])
    }

    @Test(arguments: [
        (slots: 1, batch: 1, rate: 1000.0, room: 2), (slots: 30, batch: 1, rate: 1000.0, room: 60),
        (slots: 4, batch: 100, rate: 10_000.0, room: 800), (slots: 30, batch: 1, rate: 10.0, room: 5),
        (slots: 30, batch: 1, rate: 0.1, room: 1), (slots: 100, batch: 100, rate: 1_000_000.0, room: 1000),
    ])
    func roomFollowsWhatTheProviderTakes(slots: Int, batch: Int, rate: Double, room: Int) {
        var state = self.state(slots: slots, batch: batch, rate: rate)
        #expect(state.askForRoom() == room)
    }

    @Test func thereIsNoRoomUntilAQuarterIsFree() {
        var state = self.state(slots: 4)
        _ = state.append((1...8).map { .sample($0) })
        #expect(state.askForRoom() == 0)
        _ = self.next(&state)
        #expect(state.askForRoom() == 0)
        _ = self.next(&state)
        #expect(state.askForRoom() == 2)
    }

    @Test func theClaimerWhoFoundNoRoomIsToldOnceWhenThereIs() {
        var state = self.state(slots: 8)
        _ = state.append((1...16).map { .sample($0) })
        #expect(state.askForRoom() == 0)
        var told: [Bool] = []
        while case .send(_, let opensRoom) = state.next(now: self.now) { told.append(opensRoom) }
        #expect(told == [false, false, false, true, false, false, false, false])
    }

    @Test func whoeverHasNotAskedIsNotTold() {
        var state = self.state(slots: 8)
        _ = state.append((1...16).map { .sample($0) })
        while case .send(_, let opensRoom) = state.next(now: self.now) { #expect(!opensRoom) }
    }

    /// A database that is behind is no reason to hold more and more.
    @Test func whileTooMuchWaitsToBeWrittenBackNothingIsClaimed() {
        let limit = ProviderQueueState.settlingLimit
        var state = self.state(slots: limit, batch: 2)
        _ = state.append((1...UInt64(limit)).map { .sample($0) })
        for batch in self.batches(&state) { state.answered(batch.count) }
        #expect(state.inFlight == 0 && state.count == 0)
        #expect(state.askForRoom() == 0)
        // Once: there was no room, and then there is.
        let told = [state.settled(2), state.settled(2)]
        #expect(told == [true, false])
        #expect(state.askForRoom() > 0)
    }

    @Test func aClosedQueueEndsWhenAllUnderWayIsDone() {
        var state = self.state(slots: 1)
        _ = state.append([.sample(1)])
        _ = self.next(&state)
        state.close()
        guard case .wait = state.next(now: self.now) else {
            Issue.record("ended with a request under way")
            return
        }
        state.answered(1)
        guard case .end = state.next(now: self.now) else {
            Issue.record("did not end")
            return
        }
        #expect(state.askForRoom() == 0)
    }

    /// Nobody would look at it again, and its worker would hold it for ever.
    @Test func aClosedQueueTakesNothing() {
        var state = self.state()
        state.close()
        #expect(state.append([.sample(1), .sample(2)]).map(\.claim.number) == [1, 2])
        #expect(state.count == 0)
    }
}
