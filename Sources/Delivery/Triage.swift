import Messaging
import Store

/// What is to be done with a claim before any provider is asked.
enum Triage {
    case send
    /// Ends here.
    case settle(Settled)

    /// Decides from the claim alone.
    ///
    /// A message that is final already (a receipt of an earlier attempt came after all, or the customer cancelled it)
    /// only leaves the outbox. One past its time is never handed over: a code that no longer works is worse than none.
    /// One whose attempts are spent had them counted at the claims, so it may have killed its workers.
    init(_ claim: Claim, attemptLimit: Int) {
        if claim.state.isFinal || claim.body == nil {
            self = .settle(Settled(claim, outcome: "needless", reason: .duplicate, state: nil))
        } else if claim.remaining <= .zero {
            let state: MessageState = claim.state == .unknown ? .unknown : .expired
            self = .settle(Settled(claim, outcome: "expired", reason: .expired, state: state))
        } else if claim.attempt > attemptLimit {
            let state: MessageState = claim.state == .unknown ? .unknown : .failed
            self = .settle(Settled(claim, outcome: "spent", reason: .attemptsSpent, state: state))
        } else {
            self = .send
        }
    }
}

extension Settled {
    /// An end without an attempt.
    init(_ claim: Claim, outcome: String, reason: Verdict.Reason, state: MessageState?) {
        self.init(
            id: claim.id, provider: claim.provider, attempt: claim.attempt, series: claim.series, outcome: outcome,
            reason: reason, code: "", duration: .zero, state: state, retry: nil, parts: []
        )
    }
}
