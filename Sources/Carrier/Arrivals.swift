/// How often each reference arrived: the ground truth for "exactly once".
struct Arrivals {
    private let limit: Int
    private(set) var counts: [String: Int] = [:]
    /// Arrivals of references that no longer fit. As long as this is 0, the counts are complete.
    private(set) var uncounted = 0

    init(limit: Int) { self.limit = limit }

    mutating func add(_ reference: String) {
        if self.limit == 0 { return }
        if let count = self.counts[reference] {
            self.counts[reference] = count + 1
        } else if self.counts.count < self.limit {
            self.counts[reference] = 1
        } else {
            self.uncounted += 1
        }
    }
}

/// The ids that callers chose, as many of the newest as fit.
struct KnownIDs {
    private let limit: Int
    private var ids: Set<String> = []
    private var ring: [String] = []
    private var next = 0

    init(limit: Int) { self.limit = limit }

    /// False when the id is known already.
    mutating func insert(_ id: String) -> Bool {
        guard self.limit > 0 else { return true }
        guard self.ids.insert(id).inserted else { return false }
        if self.ring.count < self.limit {
            self.ring.append(id)
        } else {
            self.ids.remove(self.ring[self.next])
            self.ring[self.next] = id
            self.next = (self.next + 1) % self.limit
        }
        return true
    }
}
