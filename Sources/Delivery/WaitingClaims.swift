import Messaging
import Store

/// Claims that wait for a provider: codes before transactional before bulk, and each priority in the order of its
/// coming. The claim has seen to it that bulk is among them.
///
/// A message that the provider refused before (its series is above 1) goes in a request of its own. One bad message may
/// have a whole request refused, and it is the likeliest to be bad; those behind it that were never refused do not wait
/// for it longer than for its turn.
struct WaitingClaims {
    private(set) var count = 0
    private var lines = [Line](repeating: Line(), count: Priority.allCases.count)
    private var arrivals = 0

    mutating func append(_ claims: [HeldClaim]) {
        for held in claims { self.append(held) }
    }

    /// What the messages of the next request cost, at most `limit` of them: segments, or one each.
    func batchCosts(limit: Int, countsSegments: Bool) -> [Int] {
        guard let first = self.lines.firstIndex(where: { !$0.isEmpty }) else { return [] }
        let cost = { (held: HeldClaim) in countsSegments ? max(1, Int(held.claim.parts)) : 1 }
        if self.lines[first].beginsWithRefused { return self.lines[first].refused.first(1).map(cost) }
        var costs: [Int] = []
        for line in self.linesTogether(with: first) {
            costs += self.lines[line].fresh.first(limit - costs.count).lazy.map(cost)
        }
        return costs
    }

    /// Takes out what the next request is to carry; `limit` is not above the count of ``batchCosts(limit:countsSegments:)``.
    mutating func takeBatch(limit: Int) -> [HeldClaim] {
        var batch: [HeldClaim] = []
        batch.reserveCapacity(limit)
        guard let first = self.lines.firstIndex(where: { !$0.isEmpty }) else { return [] }
        if self.lines[first].beginsWithRefused {
            self.lines[first].refused.move(upTo: 1, to: &batch)
        } else {
            for line in self.linesTogether(with: first) {
                self.lines[line].fresh.move(upTo: limit - batch.count, to: &batch)
            }
        }
        self.count -= batch.count
        return batch
    }

    /// Takes out what `isMeant`; what stays keeps its order.
    mutating func remove(where isMeant: (HeldClaim) -> Bool) -> [HeldClaim] {
        let removed = self.lines.indices.flatMap { line in
            self.lines[line].fresh.remove(where: isMeant) + self.lines[line].refused.remove(where: isMeant)
        }
        self.count -= removed.count
        return removed
    }

    /// Codes that wait.
    var codeCount: Int { self.lines[0].fresh.count + self.lines[0].refused.count }

    /// Since when the first of the codes waits; nil when there is none.
    var oldestCode: ContinuousClock.Instant? {
        [self.lines[0].fresh.first(1).first, self.lines[0].refused.first(1).first].compactMap { $0?.waitingSince }.min()
    }

    /// Codes go in requests of their own: they do not wait for an answer as long as others may, and whatever is in a request that
    /// is given up shares its fate.
    private func linesTogether(with first: Int) -> Range<Int> { first == 0 ? 0..<1 : first..<self.lines.count }

    mutating func removeAll() -> [HeldClaim] {
        var claims: [HeldClaim] = []
        claims.reserveCapacity(self.count)
        for line in self.lines.indices {
            self.lines[line].fresh.move(upTo: .max, to: &claims)
            self.lines[line].refused.move(upTo: .max, to: &claims)
        }
        self.count = 0
        return claims
    }

    // MARK: - Private

    private mutating func append(_ held: HeldClaim) {
        self.arrivals += 1
        self.count += 1
        let line = Int(held.claim.priority.rawValue)
        if held.claim.series > 1 {
            self.lines[line].refused.append(held, arrival: self.arrivals)
        } else {
            self.lines[line].fresh.append(held, arrival: self.arrivals)
        }
    }

    /// What waits at one priority.
    private struct Line {
        var fresh = Queue()
        /// Refused before, and so sent one by one.
        var refused = Queue()

        var isEmpty: Bool { self.fresh.count == 0 && self.refused.count == 0 }

        var beginsWithRefused: Bool {
            guard let refused = self.refused.firstArrival else { return false }
            return self.fresh.firstArrival.map { refused < $0 } ?? true
        }
    }

    /// First in, first out, without moving what stays.
    private struct Queue {
        private var claims: [(held: HeldClaim, arrival: Int)] = []
        private var first = 0

        var count: Int { self.claims.count - self.first }
        var firstArrival: Int? { self.first < self.claims.count ? self.claims[self.first].arrival : nil }

        func first(_ count: Int) -> [HeldClaim] {
            self.claims[self.first..<min(self.claims.count, self.first + max(0, count))].map(\.held)
        }

        mutating func remove(where isMeant: (HeldClaim) -> Bool) -> [HeldClaim] {
            var removed: [HeldClaim] = []
            guard self.count > 0 else { return removed }
            self.claims.removeSubrange(..<self.first)
            self.first = 0
            self.claims.removeAll { entry in
                guard isMeant(entry.held) else { return false }
                removed.append(entry.held)
                return true
            }
            return removed
        }

        mutating func append(_ held: HeldClaim, arrival: Int) { self.claims.append((held, arrival)) }

        mutating func move(upTo limit: Int, to taken: inout [HeldClaim]) {
            let end = self.first + min(limit, self.count)
            taken += self.claims[self.first..<end].lazy.map(\.held)
            self.first = end
            if self.first == self.claims.count {
                self.claims.removeAll(keepingCapacity: true)
                self.first = 0
            } else if self.first > 512 {
                self.claims.removeSubrange(..<self.first)
                self.first = 0
            }
        }
    }
}
