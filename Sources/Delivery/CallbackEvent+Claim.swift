import Callbacks
import Messaging
import Store
import Telling

extension CallbackEvent {
    /// What a claimed event tells; nil when there is nothing left to tell.
    init?(_ claim: EventClaim) {
        guard let facts = claim.facts else { return nil }
        self.init(claim.event, subject: claim.key.subject, facts)
    }
}
