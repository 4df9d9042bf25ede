import Synchronization

/// Lets many callers share one round trip.
///
/// Each caller submits an item and is suspended until the batch that holds it is written. Batching is natural: a writer
/// takes what is there, as soon as its ``BatchPace`` lets it, and while all writers are busy items gather for the next. So a lone
/// item waits for nobody, and under load a batch grows until it keeps up.
///
/// - Order: batches are taken in the order of arrival, and the items in a batch stand in that order. With several
///   writers, two batches may be written at the same time.
/// - A batch that fails fails all its callers with the same error. Whether its items were written is the error's to say.
/// - A caller whose task is cancelled stops waiting with `CancellationError`; its item may still be written.
/// - Nothing is written unless `run()` runs.
public final class Batcher<Item: Sendable, Answer: Sendable>: Sendable {
    /// Writes the items of one batch and answers each of them, in their order.
    public typealias Write = @Sendable (_ items: [Item]) async throws -> [Answer]

    public let name: String
    private let batchLimit: Int
    private let queueLimit: Int
    private let writers: Int
    private let pace: BatchPace
    private let weight: @Sendable (Item) -> Int
    private let write: Write
    private let state = Mutex(BatcherState<Item, Answer>())

    /// - `batchLimit`: the weight that a batch may have. A heavier item, or heavier items submitted together, go alone.
    /// - `weight`: what an item weighs, at least 1. By default each weighs 1, and `batchLimit` counts items.
    /// - `queueLimit`: how many items may wait for a writer; beyond it `submit` fails at once.
    /// - `writers`: how many batches may be in flight.
    /// - `pace`: how far apart batches begin that are not full.
    public init(
        name: String, batchLimit: Int, queueLimit: Int, writers: Int, pace: BatchPace = .none,
        weight: @escaping @Sendable (Item) -> Int = { _ in 1 }, write: @escaping Write
    ) {
        precondition(batchLimit > 0 && queueLimit > 0 && writers > 0, "\(name): a limit below 1 lets nothing through")
        self.name = name
        self.batchLimit = batchLimit
        self.queueLimit = queueLimit
        self.writers = writers
        self.pace = pace
        self.weight = weight
        self.write = write
    }

    /// Hosts the writers. Returns when the batcher was drained, or when the task is cancelled; then items that no writer
    /// had taken fail with ``BatcherError/closed(batcher:)``, and writes in flight end as they heed the cancellation.
    public func run() async {
        self.state.withLock { $0.begin(name: self.name) }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<self.writers { group.addTask { await self.runWriter() } }
            }
        } onCancel: {
            self.abort()
        }
    }

    /// Refuses new items from here on. `run()` returns once those already taken are written.
    public func drain() {
        for writer in self.state.withLock({ $0.close() }) { writer.resume() }
    }

    /// Waits until the batch with `item` is written. Throws ``BatcherError``, the batch's error, or `CancellationError`.
    public func submit(_ item: Item) async throws -> Answer {
        let weight = self.weight(item)
        return try await self.wait { continuation, state in
            state.append(item, weight: weight, waiter: .one(continuation), batchLimit: self.batchLimit)
        }
    }

    /// As ``submit(_:)``, with items that share one batch and so succeed or fail together. No items, no batch.
    public func submit(contentsOf items: [Item]) async throws -> [Answer] {
        if items.isEmpty { return [] }
        let weight = items.reduce(0) { $0 + self.weight($1) }
        return try await self.wait(count: items.count) { continuation, state in
            let waiter = Waiter<Answer>.several(count: items.count, continuation)
            return state.append(contentsOf: items, weight: weight, waiter: waiter, batchLimit: self.batchLimit)
        }
    }

    /// How many items wait for a writer, and how many batches are being written. For metrics.
    public var load: (waiting: Int, writing: Int) { self.state.withLock { ($0.waiting, $0.writing.count) } }

    // MARK: - Callers

    /// Suspends the caller with its items in the queue. `append` runs under the lock and returns the submission's number.
    private func wait<Value: Sendable>(
        count: Int = 1,
        _ append: (CheckedContinuation<Value, any Error>, inout BatcherState<Item, Answer>) -> UInt64
    ) async throws -> Value {
        // 0 until the items are in the queue; only looked at under the lock.
        let submission = Atomic<UInt64>(0)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = self.state.withLock { state -> Result<CheckedContinuation<Void, Never>?, any Error> in
                    // `onCancel` takes the same lock, so a cancellation is seen either here or there.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if let refusal = self.refusal(of: count, in: state) { return .failure(refusal) }
                    submission.store(append(continuation, &state), ordering: .relaxed)
                    return .success(state.writerToWake(batchLimit: self.batchLimit))
                }
                switch outcome {
                case .success(let writer): writer?.resume()
                case .failure(let error): continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            let waiter = self.state.withLock { $0.abandon(submission.load(ordering: .relaxed)) }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func refusal(of count: Int, in state: borrowing BatcherState<Item, Answer>) -> BatcherError? {
        if state.isClosed { return .closed(batcher: self.name) }
        return count > self.queueLimit - state.waiting ? .full(batcher: self.name) : nil
    }

    // MARK: - Writers

    private func runWriter() async {
        while let batch = await self.nextBatch() {
            let started = ContinuousClock.now
            let result: Result<[Answer], any Error>
            do {
                let answers = try await self.write(batch.items)
                precondition(
                    answers.count == batch.items.count,
                    "\(self.name): \(answers.count) answers to \(batch.items.count) items"
                )
                result = .success(answers)
            } catch {
                result = .failure(error)
            }
            let written = self.state.withLock { $0.finish(batch.first, after: .now - started) }
            switch result {
            case .success(let answers): written.resume(returning: answers)
            case .failure(let error): written.resume(throwing: error)
            }
        }
    }

    /// The next batch, as soon as there is one; nil when the batcher is closed and empty.
    private func nextBatch() async -> Batch<Item, Answer>? {
        while true {
            let step = self.state.withLock { $0.next(pace: self.pace, batchLimit: self.batchLimit, now: .now) }
            switch step {
            case .write(let batch): return batch
            case .end: return nil
            case .gather(let end): await self.gather(until: end)
            case .wait: await self.waitForItems()
            }
        }
    }

    private func gather(until end: ContinuousClock.Instant) async {
        // Cancelled, it looks again at once, until it is time; `run()` has closed the batcher by then.
        try? await Task.sleep(until: end)
        self.state.withLock { $0.endGathering() }
    }

    private func waitForItems() async {
        await withCheckedContinuation { continuation in
            let waits = self.state.withLock { $0.idle(continuation) }
            if !waits { continuation.resume() }
        }
    }

    private func abort() {
        let (writers, batches) = self.state.withLock { state in (state.close(), state.takeWaiting()) }
        for batch in batches { batch.resume(throwing: BatcherError.closed(batcher: self.name)) }
        for writer in writers { writer.resume() }
    }
}
