import Messaging
import Routing
import Store

/// A claim and the lease under which it was made.
struct Held<Item: Sendable>: Sendable {
    var claim: Item
    var worker: WorkerID
    /// When it was asked for: what the claim says of the time left was true then.
    var since: ContinuousClock.Instant
}

typealias HeldClaim = Held<Claim>
typealias HeldEvent = Held<EventClaim>

extension HeldClaim {
    /// Since when it has waited for this provider: from when it was ready if it has been nowhere before, however late it was claimed.
    var waitingSince: ContinuousClock.Instant {
        self.claim.attempt == 1 && self.claim.tried.rawValue == 0 ? self.since - self.claim.age : self.since
    }

    /// The claim with the time that is left now, after it has waited for its turn.
    func current(now: ContinuousClock.Instant) -> Claim {
        var claim = self.claim
        claim.remaining -= now - self.since
        return claim
    }
}
