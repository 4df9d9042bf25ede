import Testing

@testable import Bench

struct WatchTests {
    private let start = MonotonicTime(nanoseconds: 0)

    @Test func theDrainIsTimedFromTheFirstClaimSeenToTheLastSettlement() throws {
        var watch = DrainWatch(target: 1000, limit: 60)
        #expect(try watch.look(claimed: 0, settled: 0, at: self.start) == nil)
        #expect(try watch.look(claimed: 300, settled: 100, at: self.start + 1) == nil)
        #expect(try watch.look(claimed: 1000, settled: 900, at: self.start + 2) == nil)
        #expect(try watch.look(claimed: 1000, settled: 1000, at: self.start + 4) == 300)
    }

    @Test func aLongDrainIsCutShort() throws {
        var watch = DrainWatch(target: 1000, limit: 10)
        #expect(try watch.look(claimed: 1, settled: 0, at: self.start) == nil)
        #expect(try watch.look(claimed: 500, settled: 550, at: self.start + 11) == 50)
    }

    @Test func aDrainThatStandsStillIsAnError() throws {
        var watch = DrainWatch(target: 1000, limit: 60)
        #expect(try watch.look(claimed: 1, settled: 5, at: self.start) == nil)
        #expect(throws: BenchError.self) {
            try watch.look(claimed: 1, settled: 5, at: self.start + DrainWatch.patience + 1)
        }
    }

    @Test func theDeliveryEndsWhenAllThatWasAcceptedIsThere() throws {
        let gate = Gate(limit: 0)
        let watch = DeliveryWatch(gate: gate, before: 10)
        var counts = [10.0, 12, 12, 15].makeIterator()
        watch.expect(5)
        _ = try watch.run {
            let count = counts.next()
            return try #require(count)
        } check: {
        }
        #expect(counts.next() == nil)
        #expect(gate.admits(2 + DeliveryWatch.leastBacklog))
        #expect(!gate.admits(5 + 1_000_000))
    }
}
