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

    /// How many the next request would carry, at most `limit`.
    func batchSize(limit: Int) -> Int {
        guard let first = self.lines.first(where: { !$0.isEmpty }) else { return 0 }
        return first.beginsWithRefused ? 1 : min(limit, self.lines.reduce(0) { $0 + $1.fresh.count })
    }

    /// Takes out what the next request is to carry; `limit` is not above ``batchSize(limit:)``.
    mutating func takeBatch(limit: Int) -> [HeldClaim] {
        var batch: [HeldClaim] = []
        batch.reserveCapacity(limit)
        if let line = self.lines.firstIndex(where: { !$0.isEmpty }), self.lines[line].beginsWithRefused {
            self.lines[line].refused.move(upTo: 1, to: &batch)
        } else {
            for line in self.lines.indices { self.lines[line].fresh.move(upTo: limit - batch.count, to: &batch) }
        }
        self.count -= batch.count
        return batch
    }

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
