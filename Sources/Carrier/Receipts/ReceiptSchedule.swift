/// Receipts that wait for their time, and those whose time has come but which gather for a common post.
struct ReceiptSchedule {
    typealias Instant = ContinuousClock.Instant

    private struct Entry {
        var due: Instant
        /// Of two that are due together, the one added first goes first.
        var number: UInt64
        var post: ReceiptPost

        static func precedes(_ left: Entry, _ right: Entry) -> Bool {
            (left.due, left.number) < (right.due, right.number)
        }
    }

    private struct Gathering {
        var since: Instant
        var receipts: [CarrierReceipt]
    }

    private let limit: Int
    private let batchLimit: Int
    private let gatheringTime: Duration
    /// A binary heap: the parent of `i` is `(i - 1) / 2`, and none comes before its parent.
    private var heap: [Entry] = []
    private var added: UInt64 = 0
    /// By URL.
    private var gatherings: [String: Gathering] = [:]

    init(limit: Int, batchLimit: Int, gatheringTime: Duration) {
        self.limit = limit
        self.batchLimit = batchLimit
        self.gatheringTime = gatheringTime
    }

    var count: Int { self.heap.count + self.gatherings.values.reduce(0) { $0 + $1.receipts.count } }
    var isEmpty: Bool { self.heap.isEmpty && self.gatherings.isEmpty }

    /// False when there is no room.
    mutating func add(_ post: ReceiptPost, due: Instant) -> Bool {
        guard self.heap.count < self.limit else { return false }
        self.heap.append(Entry(due: due, number: self.added, post: post))
        self.added += 1
        self.rise(from: self.heap.count - 1)
        return true
    }

    /// What is to be posted now, in the order in which it became due.
    mutating func take(at now: Instant) -> [ReceiptPost] {
        var posts: [ReceiptPost] = []
        while let first = self.heap.first, first.due <= now {
            self.removeFirst()
            if first.post.provider == .infobip && first.post.attempt == 0 {
                if let full = self.gather(first.post, at: now) { posts.append(full) }
            } else {
                posts.append(first.post)
            }
        }
        return posts + self.takeGathered(at: now)
    }

    // MARK: - Gathering

    private mutating func gather(_ post: ReceiptPost, at now: Instant) -> ReceiptPost? {
        self.gatherings[post.url, default: Gathering(since: now, receipts: [])].receipts += post.receipts
        guard let receipts = self.gatherings[post.url]?.receipts, receipts.count >= self.batchLimit else { return nil }
        self.gatherings[post.url] = nil
        return ReceiptPost(provider: .infobip, url: post.url, receipts: receipts)
    }

    private mutating func takeGathered(at now: Instant) -> [ReceiptPost] {
        let ripe = self.gatherings.filter { $0.value.since.advanced(by: self.gatheringTime) <= now }
        for url in ripe.keys { self.gatherings[url] = nil }
        return ripe.sorted { $0.key < $1.key }.map {
            ReceiptPost(provider: .infobip, url: $0.key, receipts: $0.value.receipts)
        }
    }

    // MARK: - The heap

    private mutating func rise(from index: Int) {
        var index = index
        while index > 0, Entry.precedes(self.heap[index], self.heap[(index - 1) / 2]) {
            self.heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func removeFirst() {
        self.heap.swapAt(0, self.heap.count - 1)
        self.heap.removeLast()
        var index = 0
        while true {
            let children = (2 * index + 1)..<min(2 * index + 3, max(self.heap.count, 2 * index + 1))
            let least = children.min { Entry.precedes(self.heap[$0], self.heap[$1]) }
            guard let least, Entry.precedes(self.heap[least], self.heap[index]) else { return }
            self.heap.swapAt(index, least)
            index = least
        }
    }
}
