/// What came of one attempt to hand a message to a provider.
public enum Outcome: Sendable, Hashable {
    /// The provider took it. `parts` are the provider's own ids, one a segment where it names segments;
    /// empty when the provider goes by the id that we chose.
    case accepted(parts: [String])

    /// The provider refused it or could not take it, and said so.
    /// `code` is the provider's own word for it; `retryAfter` what it asked us to wait, unclamped.
    case refused(Verdict, code: String, retryAfter: Duration?)

    /// Nothing of the request left us, so trying again cannot double it.
    case notSent(Verdict.Reason)

    /// The request left us and no usable answer came. It may have been sent.
    case unanswered(Verdict.Reason)
}
