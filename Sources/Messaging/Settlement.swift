/// What becomes of a message after an attempt to hand it over.
public enum Settlement: Sendable, Hashable {
    /// A provider has it; `parts` as in ``Outcome/accepted(parts:)``.
    case accepted(parts: [String])

    /// It is due again.
    ///
    /// After an ``Outcome/unanswered(_:)`` the message is `unknown` meanwhile, for a receipt may settle it; after all
    /// others it is `queued`.
    /// - Parameters:
    ///   - after: how long to wait, from now.
    ///   - consumesAttempt: false when the attempt counted at the claim has to be given back.
    ///   - newSeries: true when the provider has surely not sent it, so that the next attempt needs a new reference.
    ///   - halt: true when nothing more should go to this provider's account until somebody has looked at it.
    case retry(after: Duration, consumesAttempt: Bool, newSeries: Bool, halt: Bool)

    /// It goes to another provider of its route, at once.
    /// - Parameters:
    ///   - way: to whom.
    ///   - consumesAttempt, newSeries, halt: as for a retry.
    case moveOn(Way, consumesAttempt: Bool, newSeries: Bool, halt: Bool)

    /// Where a message goes on to.
    public enum Way: Sendable, Hashable {
        /// Its own channel, or where there is none left, another.
        case any
        case otherChannel
    }

    /// Nothing more will be tried. `code` is the provider's own word, or ours when none came.
    case failed(Verdict.Reason, code: String)

    /// It may have been sent, and will not be sent again; a receipt may still tell.
    case unknown(Verdict.Reason)

    /// Its time passed, or would pass before the next attempt.
    case expired
}
