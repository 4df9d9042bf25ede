import Messaging
import Store

/// Accounts whose messages were claimed lately, for claims that do not look at all of the queue; see ``ClaimHorizon``.
struct KnownFlows {
    /// Looked for in one claim: each is one probe of an index.
    static let limit = 200

    /// With the number of the claim that each was last in.
    private var seen: [ClaimFlow: Int] = [:]
    private var number = 0

    mutating func note(_ flows: some Sequence<ClaimFlow>) {
        self.number += 1
        for flow in flows { self.seen[flow] = self.number }
        if self.seen.count > 2 * Self.limit { self.forgetOldest() }
    }

    /// Those of the providers that are asked for.
    func flows(of requests: [ClaimRequest]) -> [ClaimFlow] {
        let providers = Set(requests.lazy.map(\.provider))
        return self.latest.lazy.filter { providers.contains($0.provider) }
    }

    private mutating func forgetOldest() {
        let kept = Set(self.latest)
        self.seen = self.seen.filter { kept.contains($0.key) }
    }

    /// Codes before the rest, and what was claimed last before what was claimed first.
    private var latest: ArraySlice<ClaimFlow> {
        self.seen.sorted { ($0.key.priority, -$0.value) < ($1.key.priority, -$1.value) }.map(\.key).prefix(Self.limit)
    }
}
