/// Items that share one write, and who waits for each.
///
/// Submissions are numbered by the batcher in the order of their arrival, and a batch holds a run of them, so that a
/// cancelled caller is found without a search.
struct Batch<Item: Sendable, Answer: Sendable> {
    /// The number of the first submission in here.
    let first: UInt64
    private(set) var items: [Item] = []
    private(set) var weight = 0
    private var waiters: [Waiter<Answer>] = []

    init(first: UInt64) { self.first = first }

    func holds(_ submission: UInt64) -> Bool {
        submission >= self.first && submission - self.first < self.waiters.count
    }

    mutating func append(_ item: Item, weight: Int, waiter: Waiter<Answer>) {
        self.items.append(item)
        self.weight += weight
        self.waiters.append(waiter)
    }

    mutating func append(contentsOf items: [Item], weight: Int, waiter: Waiter<Answer>) {
        self.items.append(contentsOf: items)
        self.weight += weight
        self.waiters.append(waiter)
    }

    /// Takes the waiter of a submission away; its items stay.
    mutating func abandon(_ submission: UInt64) -> Waiter<Answer> {
        let index = Int(submission - self.first)
        let waiter = self.waiters[index]
        self.waiters[index] = .gone(count: waiter.count)
        return waiter
    }

    /// Gives every waiter its own answers.
    func resume(returning answers: [Answer]) {
        var next = 0
        for waiter in self.waiters {
            waiter.resume(returning: answers[next..<next + waiter.count])
            next += waiter.count
        }
    }

    func resume(throwing error: any Error) {
        for waiter in self.waiters { waiter.resume(throwing: error) }
    }
}

/// A caller of `submit`, suspended until its batch is written.
enum Waiter<Answer: Sendable> {
    case one(CheckedContinuation<Answer, any Error>)
    case several(count: Int, CheckedContinuation<[Answer], any Error>)
    /// Its task was cancelled.
    case gone(count: Int)

    /// How many items are this caller's.
    var count: Int {
        switch self {
        case .one: 1
        case .several(let count, _), .gone(let count): count
        }
    }

    func resume(returning answers: ArraySlice<Answer>) {
        switch self {
        case .one(let continuation): continuation.resume(returning: answers[answers.startIndex])
        case .several(_, let continuation): continuation.resume(returning: Array(answers))
        case .gone: break
        }
    }

    func resume(throwing error: any Error) {
        switch self {
        case .one(let continuation): continuation.resume(throwing: error)
        case .several(_, let continuation): continuation.resume(throwing: error)
        case .gone: break
        }
    }
}
