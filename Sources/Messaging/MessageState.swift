/// Where a message is in its life.
///
///     queued ─claim─▶ sending ─accepted─▶ accepted ─receipt─▶ delivered
///       ▲               │ │ │                 └───receipt─▶ undelivered
///       └──try again────┘ │ └─answer never came─▶ unknown ─receipt or grace─▶ …
///                         └─refused, or attempts spent─▶ failed
///     queued ─past its time─▶ expired        queued ─customer─▶ cancelled
///
/// The same names stand in the `CHECK` of `messages.state`; a test compares the two. `sending` is never stored in
/// `messages`: a message is being sent while its `outbox` row names a worker, which saves a write for each attempt.
public enum MessageState: String, Sendable, Hashable, CaseIterable {
    case queued, sending, accepted, unknown, delivered, undelivered, failed, expired, cancelled

    /// A change of state may only raise the rank; see ``canBecome(_:)`` for the one exception.
    public var rank: Int {
        switch self {
        case .queued: 0
        case .sending: 10
        case .unknown: 15
        case .accepted: 20
        case .undelivered, .failed, .expired, .cancelled: 50
        case .delivered: 60
        }
    }

    /// True when nothing more is expected, although a late receipt may still correct it.
    public var isFinal: Bool { self.rank >= 50 }

    /// Whether a receipt or a settlement may move a message from this state to `next`.
    ///
    /// Only `delivered` overturns a final state, and never a cancellation: what the customer withdrew stays withdrawn.
    public func canBecome(_ next: MessageState) -> Bool {
        self != .cancelled && next.rank > self.rank
    }

    /// True when becoming `next` contradicts what was already told as final.
    public func isCorrected(by next: MessageState) -> Bool {
        self.isFinal && self.canBecome(next)
    }
}
