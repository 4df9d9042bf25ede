import Messaging
import Store

/// Accounts whose messages were claimed lately or wait to be, for claims that do not look at all of the queue; see ``ClaimHorizon``.
struct KnownFlows {
    /// Looked for in one claim, of each provider: a probe of an index each, and what has passed of the account since the claim's start.
    static let limit = 200
    /// Kept of all.
    static let mostKept = 4 * limit

    /// With the number of the claim that each was last in.
    private var seen: [ClaimFlow: Int] = [:]
    private var number = 0

    mutating func note(_ flows: some Sequence<ClaimFlow>) {
        self.number += 1
        for flow in flows { self.seen[flow] = self.number }
        if self.seen.count > 2 * Self.mostKept { self.forgetOldest() }
    }

    /// Of each provider that is asked for, codes before the rest, and what was seen last before what was seen first.
    func flows(of requests: [ClaimRequest]) -> [ClaimFlow] {
        requests.flatMap { request in
            self.seen.filter { $0.key.provider == request.provider }
                .sorted { ($0.key.priority, -$0.value) < ($1.key.priority, -$1.value) }
                .prefix(Self.limit).map(\.key)
        }
    }

    private mutating func forgetOldest() {
        let kept = self.seen.sorted { $0.value > $1.value }.prefix(Self.mostKept)
        self.seen = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}
