import Testing

@testable import Lifecycle

private struct Broken: Error {}

struct ShutdownTests {
    var shutdown = Shutdown(names: ["store", "worker", "server"])

    @Test mutating func servicesAreDrainedInReverseEachAfterTheOther() {
        #expect(self.shutdown.handle(.stopRequested) == [.startDeadline, .drain(service: 2)])
        #expect(self.shutdown.handle(.ended(service: 2, failure: nil)) == [.drain(service: 1)])
        #expect(self.shutdown.handle(.ended(service: 1, failure: nil)) == [.drain(service: 0)])
        #expect(self.shutdown.handle(.ended(service: 0, failure: nil)) == [.finish])
        #expect(self.shutdown.problem == nil)
    }

    @Test mutating func aSecondRequestChangesNothing() {
        _ = self.shutdown.handle(.stopRequested)
        #expect(self.shutdown.handle(.stopRequested) == [])
    }

    @Test mutating func aServiceThatEndedMeanwhileIsNotDrained() {
        _ = self.shutdown.handle(.stopRequested)
        #expect(self.shutdown.handle(.ended(service: 1, failure: nil)) == [])
        #expect(self.shutdown.handle(.ended(service: 2, failure: nil)) == [.drain(service: 0)])
        #expect(self.shutdown.problem == nil)
    }

    @Test mutating func aServiceThatThrowsDrainsTheOthersAndIsReported() {
        #expect(self.shutdown.handle(.ended(service: 2, failure: Broken())) == [.startDeadline, .drain(service: 1)])
        _ = self.shutdown.handle(.ended(service: 1, failure: nil))
        #expect(self.shutdown.handle(.ended(service: 0, failure: nil)) == [.finish])
        #expect(self.shutdown.problem?.description == "server failed: Broken()")
    }

    @Test mutating func aServiceThatReturnsUnaskedDrainsTheOthersAndIsReported() {
        #expect(self.shutdown.handle(.ended(service: 0, failure: nil)) == [.startDeadline, .drain(service: 2)])
        #expect(self.shutdown.problem?.description == "store ended by itself")
    }

    @Test mutating func theFirstProblemIsTheOneReported() {
        _ = self.shutdown.handle(.ended(service: 0, failure: nil))
        _ = self.shutdown.handle(.ended(service: 1, failure: Broken()))
        #expect(self.shutdown.problem?.description == "store ended by itself")
    }

    @Test mutating func aFailureWhileDrainingIsReported() {
        _ = self.shutdown.handle(.stopRequested)
        #expect(self.shutdown.handle(.ended(service: 2, failure: Broken())) == [.drain(service: 1)])
        #expect(self.shutdown.problem?.description == "server failed: Broken()")
    }

    @Test mutating func pastTheDeadlineWhatIsLeftIsCancelledAndAwaited() {
        _ = self.shutdown.handle(.stopRequested)
        _ = self.shutdown.handle(.ended(service: 2, failure: nil))
        #expect(self.shutdown.handle(.deadlinePassed) == [.cancelAll])
        #expect(self.shutdown.handle(.ended(service: 0, failure: CancellationError())) == [])
        #expect(self.shutdown.handle(.ended(service: 1, failure: CancellationError())) == [.finish])
        #expect(self.shutdown.problem?.description == "not done in time and cancelled: store, worker")
    }

    @Test mutating func aDeadlineWithoutDrainingIsNothing() {
        #expect(self.shutdown.handle(.deadlinePassed) == [])
    }

    @Test func oneServiceIsEnough() {
        var shutdown = Shutdown(names: ["only"])
        #expect(shutdown.handle(.ended(service: 0, failure: Broken())) == [.startDeadline, .finish])
    }
}
