/// What a provider's status or error code means, in the four words that decide what happens next.
///
/// The tables from codes to verdicts are data (see `Channels`); these are the words that they may use.
public struct Verdict: Sendable, Hashable {
    public var state: ProviderState
    public var permanence: Permanence
    public var action: Action
    public var reason: Reason

    public init(_ state: ProviderState, _ permanence: Permanence, _ action: Action, _ reason: Reason) {
        self.state = state
        self.permanence = permanence
        self.action = action
        self.reason = reason
    }

    /// What a provider says of its attempt.
    public enum ProviderState: String, Sendable, Hashable, CaseIterable {
        case submitted, sent, delivered, undelivered, rejected, failed, expired, canceled, unknown
    }

    /// Whose fault it is, and so whether another try can help.
    public enum Permanence: String, Sendable, Hashable, CaseIterable {
        case none, config
        case permanentRecipient = "permanent_recipient"
        case permanentMessage = "permanent_message"
        case transientRecipient = "transient_recipient"
        case transientProvider = "transient_provider"
    }

    /// What to do about it.
    public enum Action: String, Sendable, Hashable, CaseIterable {
        case none, wait, throttle, failover, stop
        case retrySame = "retry_same"
        case failoverOnce = "failover_once"
        case failoverChannel = "failover_channel"
        case stopSuppress = "stop_suppress"
        case haltProvider = "halt_provider"
    }

    public enum Reason: String, Sendable, Hashable, CaseIterable {
        case ok, accepted, landline = "landline_or_unsupported"
        case invalidDestination = "invalid_destination"
        case unknownSubscriber = "unknown_subscriber"
        case deactivatedNumber = "deactivated_number"
        case unreachableTemporary = "unreachable_temporary"
        case handsetBusy = "handset_busy"
        case handsetFull = "handset_full"
        case callBarred = "call_barred"
        case noAnswer = "no_answer"
        case busy
        case machineAnswered = "machine_answered"
        case optedOut = "opted_out"
        case doNotDisturb = "do_not_disturb"
        case blockedByCarrier = "blocked_by_carrier"
        case spamFiltered = "spam_filtered"
        case fraudBlocked = "fraud_blocked"
        case contentRejected = "content_rejected"
        case tooLong = "too_long"
        case encodingError = "encoding_error"
        case senderInvalid = "sender_invalid"
        case senderUnregistered = "sender_unregistered"
        case geoNotPermitted = "geo_not_permitted"
        case noRoute = "no_route"
        case expired
        case throttledProvider = "throttled_provider"
        case throttledCarrier = "throttled_carrier"
        case throttledRecipient = "throttled_recipient"
        case quotaExhausted = "quota_exhausted"
        case insufficientCredit = "insufficient_credit"
        case authFailed = "auth_failed"
        case accountSuspended = "account_suspended"
        case configError = "config_error"
        case providerError = "provider_error"
        case carrierError = "carrier_error"
        case networkTimeout = "network_timeout"
        case attemptsSpent = "attempts_spent"
        case duplicate, canceled, complained
        case hardBounce = "hard_bounce"
        case softBounce = "soft_bounce"
        case noReceipt = "no_dlr"
        case unknown
    }
}

extension Verdict.ProviderState {
    /// The message's state that this one means when it comes in a receipt; nil for an intermediate one,
    /// which is kept in the timeline and changes nothing.
    public var messageState: MessageState? {
        switch self {
        case .submitted, .sent, .unknown: nil
        case .delivered: .delivered
        case .undelivered, .rejected, .failed, .expired, .canceled: .undelivered
        }
    }
}
