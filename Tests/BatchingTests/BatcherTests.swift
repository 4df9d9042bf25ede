import Synchronization
import Testing

@testable import Batching

private struct DiskFull: Error {}

@Suite(.timeLimit(.minutes(1))) struct BatcherTests {
    let writer = HeldWriter()

    private func batcher(
        batchLimit: Int = 4, queueLimit: Int = 100, writers: Int = 1, pace: BatchPace = .none,
        weight: @escaping @Sendable (Int) -> Int = { _ in 1 }
    ) -> Batcher<Int, String> {
        Batcher(
            name: "test", batchLimit: batchLimit, queueLimit: queueLimit, writers: writers, pace: pace,
            weight: weight, write: self.writer.write
        )
    }

    @Test func aLoneItemIsWrittenAtOnce() async throws {
        let batcher = self.batcher()
        async let running: Void = batcher.run()
        async let answer = batcher.submit(7)
        let write = await self.writer.next()
        #expect(write.items == [7])
        write.succeed()
        #expect(try await answer == "7")
        batcher.drain()
        await running
    }

    @Test func itemsGatherWhileTheWriterIsBusyAndKeepTheirOrder() async throws {
        let batcher = self.batcher()
        async let running: Void = batcher.run()
        async let first = batcher.submit(0)
        let busy = await self.writer.next()
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for item in 1...6 {
                group.addTask { try await batcher.submit(item) }
                await waitUntil { batcher.load.waiting == item }
            }
            busy.succeed()
            let second = await self.writer.next()
            #expect(second.items == [1, 2, 3, 4])
            second.succeed()
            let third = await self.writer.next()
            #expect(third.items == [5, 6])
            third.succeed()
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(answers == ["1", "2", "3", "4", "5", "6"])
        #expect(try await first == "0")
        batcher.drain()
        await running
    }

    @Test func aFailedBatchFailsItsCallersAndNoOthers() async throws {
        let batcher = self.batcher()
        async let running: Void = batcher.run()
        let first = Task { try await batcher.submit(1) }
        await self.writer.next().fail(DiskFull())
        await #expect(throws: DiskFull.self) { try await first.value }
        async let second = batcher.submit(2)
        await self.writer.next().succeed()
        #expect(try await second == "2")
        batcher.drain()
        await running
    }

    @Test func beyondTheQueueLimitSubmittingFailsAtOnce() async throws {
        let batcher = self.batcher(queueLimit: 2)
        async let first = batcher.submit(1)
        async let second = batcher.submit(2)
        await waitUntil { batcher.load.waiting == 2 }
        await #expect(throws: BatcherError.full(batcher: "test")) { try await batcher.submit(3) }
        async let running: Void = batcher.run()
        await self.writer.next().succeed()
        #expect(try await [first, second] == ["1", "2"])
        batcher.drain()
        await running
    }

    @Test func itemsSubmittedTogetherShareABatch() async throws {
        let batcher = self.batcher(batchLimit: 3)
        async let alone = batcher.submit(1)
        await waitUntil { batcher.load.waiting == 1 }
        async let together = batcher.submit(contentsOf: [2, 3, 4])
        await waitUntil { batcher.load.waiting == 4 }
        async let tooMany = batcher.submit(contentsOf: [5, 6, 7, 8, 9])
        await waitUntil { batcher.load.waiting == 9 }
        async let running: Void = batcher.run()
        for expected in [[1], [2, 3, 4], [5, 6, 7, 8, 9]] {
            let write = await self.writer.next()
            #expect(write.items == expected)
            write.succeed()
        }
        #expect(try await alone == "1")
        #expect(try await together == ["2", "3", "4"])
        #expect(try await tooMany == ["5", "6", "7", "8", "9"])
        #expect(try await batcher.submit(contentsOf: []) == [])
        batcher.drain()
        await running
    }

    @Test func aBatchIsLimitedByWeight() async throws {
        let batcher = self.batcher(batchLimit: 10, weight: { $0 })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, item) in [4, 6, 1, 25, 10].enumerated() {
                group.addTask { _ = try await batcher.submit(item) }
                await waitUntil { batcher.load.waiting == index + 1 }
            }
            group.addTask { await batcher.run() }
            for expected in [[4, 6], [1], [25], [10]] {
                let write = await self.writer.next()
                #expect(write.items == expected)
                write.succeed()
            }
            batcher.drain()
            try await group.waitForAll()
        }
    }

    @Test func asManyBatchesAreInFlightAsThereAreWriters() async throws {
        let batcher = self.batcher(batchLimit: 1, writers: 2)
        async let running: Void = batcher.run()
        async let first = batcher.submit(1)
        let one = await self.writer.next()
        async let second = batcher.submit(2)
        let two = await self.writer.next()
        async let third = batcher.submit(3)
        await waitUntil { batcher.load == (waiting: 1, writing: 2) }
        two.succeed()
        let three = await self.writer.next()
        #expect(three.items == [3])
        three.succeed()
        one.succeed()
        #expect(try await [first, second, third] == ["1", "2", "3"])
        batcher.drain()
        await running
    }

    @Test func drainingWritesWhatIsThereAndRefusesMore() async throws {
        let batcher = self.batcher()
        async let running: Void = batcher.run()
        async let first = batcher.submit(1)
        let busy = await self.writer.next()
        async let second = batcher.submit(2)
        await waitUntil { batcher.load.waiting == 1 }
        batcher.drain()
        await #expect(throws: BatcherError.closed(batcher: "test")) { try await batcher.submit(3) }
        busy.succeed()
        await self.writer.next().succeed()
        #expect(try await [first, second] == ["1", "2"])
        await running
    }

    @Test func anIdleBatcherDrains() async {
        let batcher = self.batcher(writers: 3)
        async let running: Void = batcher.run()
        batcher.drain()
        await running
    }

    @Test func aCancelledCallerLeavesAndTheOthersAreAnswered() async throws {
        let batcher = self.batcher()
        async let running: Void = batcher.run()
        let inFlight = Task { try await batcher.submit(1) }
        let busy = await self.writer.next()
        let waiting = Task { try await batcher.submit(2) }
        await waitUntil { batcher.load.waiting == 1 }
        async let patient = batcher.submit(3)
        await waitUntil { batcher.load.waiting == 2 }
        inFlight.cancel()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await inFlight.value }
        await #expect(throws: CancellationError.self) { try await waiting.value }
        busy.succeed()
        let next = await self.writer.next()
        #expect(next.items == [2, 3])
        next.succeed()
        #expect(try await patient == "3")
        batcher.drain()
        await running
    }

    @Test func aCallerThatIsCancelledAlreadySubmitsNothing() async {
        let batcher = self.batcher()
        let caller = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await batcher.submit(1)
        }
        await #expect(throws: CancellationError.self) { try await caller.value }
        #expect(batcher.load.waiting == 0)
    }

    @Test func cancellingTheRunFailsWhatNoWriterHasTaken() async throws {
        let batcher = self.batcher()
        let running = Task { await batcher.run() }
        async let first = batcher.submit(1)
        let busy = await self.writer.next()
        let second = Task { try await batcher.submit(2) }
        await waitUntil { batcher.load.waiting == 1 }
        running.cancel()
        await #expect(throws: BatcherError.closed(batcher: "test")) { try await second.value }
        busy.succeed()
        #expect(try await first == "1")
        await running.value
    }

    @Test func untilItIsTimeAWriterGathersUnlessABatchIsFull() async throws {
        let batcher = self.batcher(
            batchLimit: 3, writers: 3, pace: BatchPace(least: .seconds(3600), most: .seconds(3600)))
        let running = Task { await batcher.run() }
        async let first = batcher.submit(1)
        let busy = await self.writer.next()
        async let second = batcher.submit(2)
        await waitUntil { batcher.load.waiting == 1 }
        async let more = batcher.submit(contentsOf: [3, 4])
        let full = await self.writer.next()
        #expect(full.items == [2, 3, 4])
        full.succeed()
        busy.succeed()
        #expect(try await [first, second] == ["1", "2"])
        #expect(try await more == ["3", "4"])
        // One writer still gathers; it would for an hour.
        running.cancel()
        await running.value
    }

    @Test func aWriterThatHasGatheredWritesWhatCame() async throws {
        let batcher = self.batcher(
            batchLimit: 100, writers: 2, pace: BatchPace(least: .milliseconds(1), most: .milliseconds(1)))
        async let running: Void = batcher.run()
        async let first = batcher.submit(1)
        let busy = await self.writer.next()
        async let second = batcher.submit(2)
        let gathered = await self.writer.next()
        #expect(gathered.items == [2])
        gathered.succeed()
        busy.succeed()
        #expect(try await [first, second] == ["1", "2"])
        batcher.drain()
        await running
    }

    @Test func batchesBeginFurtherApartTheLongerOneTakes() {
        let pace = BatchPace(least: .milliseconds(5), most: .milliseconds(25))
        let cases: [(took: Double, apart: Double)] = [(0, 5), (1, 5), (2.5, 5), (4, 8), (12.5, 25), (1000, 25)]
        for (took, apart) in cases {
            #expect(pace.interval(after: .milliseconds(took)) == .milliseconds(apart))
        }
        let close = BatchPace(least: .zero, most: .milliseconds(2), factor: 1)
        #expect([0, 1.5, 9].map { close.interval(after: .milliseconds($0)) / .milliseconds(1) } == [0, 1.5, 2])
    }

    @Test func afterAPauseNobodyWaits() {
        var state = BatcherState<Int, Void>()
        let pace = BatchPace(least: .milliseconds(5), most: .milliseconds(25))
        let start = ContinuousClock.now
        func offer() { _ = state.append(1, weight: 1, waiter: Waiter<Void>.gone(count: 1), batchLimit: 10) }
        func next(at milliseconds: Int) -> String {
            switch state.next(pace: pace, batchLimit: 10, now: start + Duration.milliseconds(milliseconds)) {
            case .write(let batch):
                _ = state.finish(batch.first, after: .milliseconds(4))
                return "write \(batch.items.count)"
            case .gather(let end): return "gather until \((end - start) / .milliseconds(1))"
            case .wait: return "wait"
            case .end: return "end"
            }
        }
        offer()
        #expect(next(at: 0) == "write 1")
        offer()
        #expect(next(at: 2) == "gather until 8.0")
        offer()
        #expect(next(at: 3) == "wait")
        state.endGathering()
        #expect(next(at: 8) == "write 2")
        offer()
        #expect(next(at: 16) == "write 1")
    }

    @Test(arguments: [1, 4]) func everyOneOfManyCallersGetsItsOwnAnswer(writers: Int) async throws {
        let batcher = Batcher<Int, Int>(name: "test", batchLimit: 16, queueLimit: 5000, writers: writers) { items in
            await Task.yield()
            return items.map { $0 * 2 }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await batcher.run() }
            try await withThrowingTaskGroup(of: Bool.self) { callers in
                for item in 0..<2000 { callers.addTask { try await batcher.submit(item) == item * 2 } }
                for try await isRight in callers { #expect(isRight) }
            }
            batcher.drain()
            try await group.waitForAll()
        }
    }
}
