import Messaging
import Store

/// Accounts whose messages were claimed lately or wait to be, for claims that do not look at all of the queue; see ``ClaimHorizon``.
struct KnownFlows {
    /// Looked for in one claim, of each provider and priority: a probe of an index each, and what has passed of the account since the
    /// claim's start.
    static let limit = 100
    /// Kept of all.
    static let mostKept = 8 * limit

    /// With the number of the claim that each was last in.
    private var seen: [ClaimFlow: Int] = [:]
    private var number = 0

    mutating func note(_ flows: some Sequence<ClaimFlow>) {
        self.number += 1
        for flow in flows { self.seen[flow] = self.number }
        if self.seen.count > 2 * Self.mostKept { self.forgetOldest() }
    }

    /// Of each provider that is asked for, and each priority, those that were seen last.
    func flows(of requests: [ClaimRequest]) -> [ClaimFlow] {
        let providers = Set(requests.lazy.map(\.provider))
        let asked = self.seen.filter { providers.contains($0.key.provider) }
        return Dictionary(grouping: asked) { Kind(provider: $0.key.provider, priority: $0.key.priority) }.values
            .flatMap { $0.sorted { $0.value > $1.value }.prefix(Self.limit).map(\.key) }
    }

    private struct Kind: Hashable {
        var provider: ProviderID
        var priority: Priority
    }

    private mutating func forgetOldest() {
        let kept = self.seen.sorted { $0.value > $1.value }.prefix(Self.mostKept)
        self.seen = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}
