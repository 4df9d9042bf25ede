/// What a batcher holds under its lock: batches that wait, batches being written, and writers with nothing to do.
struct BatcherState<Item: Sendable, Answer: Sendable> {
    typealias Writer = CheckedContinuation<Void, Never>

    /// What a writer does next.
    enum Step {
        case write(Batch<Item, Answer>)
        /// Wait for more until then.
        case gather(until: ContinuousClock.Instant)
        case wait
        case end
    }

    /// Items that no writer has taken.
    private(set) var waiting = 0
    private(set) var isClosed = false
    /// At most one a writer.
    private(set) var writing: [Batch<Item, Answer>] = []
    /// Oldest first, each full but the last, so they are few.
    private var batches: [Batch<Item, Answer>] = []
    private var idleWriters: [Writer] = []
    private var lastSubmission: UInt64 = 0
    private var hasBegun = false
    /// True while one writer waits for more; the others leave the items to it unless they make a full batch.
    private var isGathering = false
    /// When the last batch was begun, and how long the last that was finished had taken: what the next one's pace goes by.
    private var lastStart: ContinuousClock.Instant?
    private var lastDuration = Duration.zero

    mutating func begin(name: String) {
        precondition(!self.hasBegun, "\(name): run() was called twice")
        self.hasBegun = true
    }

    // MARK: - Callers

    /// Puts the item into the last batch if it fits. Returns the submission's number, from 1.
    mutating func append(_ item: Item, weight: Int, waiter: Waiter<Answer>, batchLimit: Int) -> UInt64 {
        let index = self.batch(for: weight, batchLimit: batchLimit)
        self.batches[index].append(item, weight: weight, waiter: waiter)
        self.waiting += 1
        return self.lastSubmission
    }

    mutating func append(
        contentsOf items: [Item], weight: Int, waiter: Waiter<Answer>, batchLimit: Int
    ) -> UInt64 {
        let index = self.batch(for: weight, batchLimit: batchLimit)
        self.batches[index].append(contentsOf: items, weight: weight, waiter: waiter)
        self.waiting += items.count
        return self.lastSubmission
    }

    /// Counts the submission and finds, or makes, the batch that it goes into.
    private mutating func batch(for weight: Int, batchLimit: Int) -> Int {
        precondition(weight > 0, "an item without weight would let a batch grow without limit")
        self.lastSubmission += 1
        if let last = self.batches.last, last.weight + weight <= batchLimit { return self.batches.count - 1 }
        self.batches.append(Batch(first: self.lastSubmission))
        return self.batches.count - 1
    }

    /// A writer that should look at what just came, if one is idle and needed.
    mutating func writerToWake(batchLimit: Int) -> Writer? {
        let isFull = self.batches.count > 1 || self.batches[0].weight >= batchLimit
        return self.isGathering && !isFull ? nil : self.idleWriters.popLast()
    }

    /// The caller waits no longer. Nil when it was answered already or was never taken.
    mutating func abandon(_ submission: UInt64) -> Waiter<Answer>? {
        if let index = self.writing.firstIndex(where: { $0.holds(submission) }) {
            return self.writing[index].abandon(submission)
        }
        guard let index = self.batches.firstIndex(where: { $0.holds(submission) }) else { return nil }
        return self.batches[index].abandon(submission)
    }

    // MARK: - Writers

    mutating func next(pace: BatchPace, batchLimit: Int, now: ContinuousClock.Instant) -> Step {
        guard let first = self.batches.first else { return self.isClosed ? .end : .wait }
        let isFull = self.batches.count > 1 || first.weight >= batchLimit
        if !isFull, !self.isClosed, let lastStart {
            let start = lastStart + pace.interval(after: self.lastDuration)
            if self.isGathering, now < start { return .wait }
            if now < start {
                self.isGathering = true
                return .gather(until: start)
            }
        }
        self.lastStart = now
        self.batches.removeFirst()
        self.waiting -= first.items.count
        self.writing.append(first)
        return .write(first)
    }

    mutating func endGathering() { self.isGathering = false }

    /// Lets the writer sleep; false when it should look again.
    mutating func idle(_ writer: Writer) -> Bool {
        if !self.batches.isEmpty && !self.isGathering || self.isClosed { return false }
        self.idleWriters.append(writer)
        return true
    }

    /// The batch as it is now: callers may have left since the writer took it.
    mutating func finish(_ first: UInt64, after duration: Duration) -> Batch<Item, Answer> {
        self.lastDuration = duration
        guard let index = self.writing.firstIndex(where: { $0.first == first }) else {
            preconditionFailure("a batch was finished twice")
        }
        return self.writing.remove(at: index)
    }

    /// Refuses new items; returns the idle writers, who have to look again.
    mutating func close() -> [Writer] {
        self.isClosed = true
        defer { self.idleWriters = [] }
        return self.idleWriters
    }

    mutating func takeWaiting() -> [Batch<Item, Answer>] {
        self.waiting = 0
        defer { self.batches = [] }
        return self.batches
    }
}
