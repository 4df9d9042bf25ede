public import Timestamps

/// What a provider reported of a message after taking it.
public struct Receipt: Sendable, Hashable {
    /// The message it names, when the provider echoed our reference.
    public var message: MessageReference?
    /// The provider's id of the message or of the part; empty when it goes by ours.
    public var part: String
    /// True when it speaks of the whole message, false when of the one part named.
    public var coversMessage: Bool
    public var verdict: Verdict
    /// The provider's own words, kept for the timeline.
    public var status: String
    public var code: String
    /// When the provider says that it happened.
    public var occurredAt: Timestamp?

    public init(
        message: MessageReference?, part: String, coversMessage: Bool, verdict: Verdict, status: String, code: String,
        occurredAt: Timestamp?
    ) {
        self.message = message
        self.part = part
        self.coversMessage = coversMessage
        self.verdict = verdict
        self.status = status
        self.code = code
        self.occurredAt = occurredAt
    }
}

/// Our id as it travels in whatever field a provider echoes: the message's id, and its series after a dot from the
/// second on, as in `0192…00.2`.
///
/// Attempts that a provider should take for one and the same share a series: when an answer never came, the next attempt
/// repeats the reference, so that a provider which knows doubled ids can drop it. After a refusal a new series begins.
public struct MessageReference: Sendable, Hashable, CustomStringConvertible {
    public var id: MessageID
    /// From 1.
    public var series: Int16

    public init(id: MessageID, series: Int16) {
        self.id = id
        self.series = series
    }

    /// At most 40 characters, which every provider's field holds.
    public var description: String { self.series == 1 ? "\(self.id)" : "\(self.id).\(self.series)" }

    public init?(_ text: String) {
        let pieces = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let id = MessageID(pieces[0]) else { return nil }
        if pieces.count == 1 {
            self.init(id: id, series: 1)
        } else {
            guard let series = Int16(pieces[1]), series > 1, pieces[1].first != "+" else { return nil }
            self.init(id: id, series: series)
        }
    }
}
