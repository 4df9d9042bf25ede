import Messaging
import Testing
import Timestamps

@testable import Carrier

struct ReceiptScheduleTests {
    let start = ContinuousClock.now
    var schedule = ReceiptSchedule(limit: 5000, batchLimit: 3, gatheringTime: .milliseconds(20))

    private func post(_ provider: Provider, _ id: String, attempt: Int = 0, url: String = "u") -> ReceiptPost {
        let message = TakenMessage(
            provider: provider, to: "+41791234567", from: "A", content: .text(TextContent("x")), ids: [id], segments: 1,
            receiptURL: url,
            takenAt: .test
        )
        return ReceiptPost(
            provider: provider, url: url,
            receipts: [CarrierReceipt(message: message, id: id, outcome: .delivered, wait: .zero)],
            attempt: attempt
        )
    }

    private mutating func take(after milliseconds: Int) -> [[String]] {
        self.schedule.take(at: self.start.advanced(by: .milliseconds(milliseconds))).map { $0.receipts.map(\.id) }
    }

    private mutating func add(_ post: ReceiptPost, after milliseconds: Int) -> Bool {
        self.schedule.add(post, due: self.start.advanced(by: .milliseconds(milliseconds)))
    }

    @Test mutating func receiptsComeInTheOrderOfTheirTimes() {
        for (id, time) in [("c", 30), ("a", 10), ("d", 30), ("b", 20)] {
            _ = self.add(self.post(.vonage, id), after: time)
        }
        #expect(self.take(after: 9) == [])
        #expect(self.take(after: 20) == [["a"], ["b"]])
        #expect(self.take(after: 30) == [["c"], ["d"]])
        #expect(self.schedule.isEmpty)
    }

    @Test mutating func aThousandTimesInAnyOrderComeOutInOrder() {
        var random = CarrierRandom(seed: 3)
        let times = (0..<1000).map { _ in Int.random(in: 0..<500, using: &random) }
        for (index, time) in times.enumerated() { _ = self.add(self.post(.vonage, "\(index)"), after: time) }
        let expected = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }.map { ["\($0)"] }
        #expect(self.take(after: 500) == expected)
    }

    @Test mutating func theOtherProvidersGatherUntilThereAreEnough() {
        for id in ["a", "b", "c", "d"] { _ = self.add(self.post(.infobip, id), after: 0) }
        #expect(self.take(after: 0) == [["a", "b", "c"]])
        #expect(self.schedule.count == 1)
        #expect(self.take(after: 19) == [])
        #expect(self.take(after: 20) == [["d"]])
        #expect(self.schedule.isEmpty)
    }

    @Test mutating func eachAddressGathersForItself() {
        _ = self.add(self.post(.infobip, "a", url: "x"), after: 0)
        _ = self.add(self.post(.infobip, "b", url: "y"), after: 0)
        #expect(self.take(after: 0) == [])
        #expect(self.take(after: 20) == [["a"], ["b"]])
    }

    @Test mutating func anotherTryIsNotGatheredAgain() {
        _ = self.add(self.post(.infobip, "a", attempt: 1), after: 0)
        #expect(self.take(after: 0) == [["a"]])
    }

    @Test func beyondTheLimitThereIsNoRoom() {
        var schedule = ReceiptSchedule(limit: 1, batchLimit: 3, gatheringTime: .zero)
        var isAdded = ["a", "b"].map { schedule.add(self.post(.vonage, $0), due: self.start) }
        _ = schedule.take(at: self.start)
        isAdded.append(schedule.add(self.post(.vonage, "b"), due: self.start))
        #expect(isAdded == [true, false, true])
    }
}
