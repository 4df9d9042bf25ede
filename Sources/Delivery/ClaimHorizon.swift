import Messaging
import Timestamps

/// How far back the claims of one lane look.
///
/// While a transaction is left open somewhere, dead rows cannot be cleared up, and each claim that looks at all of the queue reads
/// those of all messages that have passed since. When such a claim has become slow, those after it look no further back than to the
/// oldest message that is ready, for ``factor`` times as long as it took. What comes in below that meanwhile, such as a retry, or a
/// message whose commit took longer than ``margin``, waits so long; and so does an account whose messages stand behind
/// `Store.aheadLimit` of others and are not among the latest. A value: tried without a clock or a database.
struct ClaimHorizon {
    /// A claim is slow when it took longer than this, and than ``slowEach`` for each message that it brought: twice what they take
    /// on a busy machine. One that was slow for another reason costs next to nothing.
    static let slow = Duration.milliseconds(30)
    static let slowEach = Duration.microseconds(60)
    /// And a look for the oldest message that is ready took longer than this.
    static let slowLook = Duration.milliseconds(10)
    /// Of the time, what looking at all takes at most: a twentieth.
    static let factor = 20
    /// Messages that nobody looks back to wait this long at most.
    static let longest = Duration.seconds(10)
    /// Ids are made before they are committed, by clocks that differ; but what was claimed within this is read each time.
    static let margin = Duration.milliseconds(200)
    /// And when nothing is ready, where there is no other clock to go by than this process's.
    static let wideMargin = Duration.seconds(10)

    private var from: MessageID?
    private var until = ContinuousClock.now

    /// Where to begin; nil: look at all.
    func from(at now: ContinuousClock.Instant) -> MessageID? { now < self.until ? self.from : nil }

    static func isSlow(_ duration: Duration, claims: Int) -> Bool {
        duration > max(self.slow, self.slowEach * claims)
    }

    /// A look at all was slow. `oldest`: the first that is ready; nil when none is.
    mutating func narrow(to oldest: MessageID?, after duration: Duration, now: ContinuousClock.Instant) {
        self.from =
            oldest.map { Self.begin(before: $0) }
            ?? Self.first(at: .now - Self.wideMargin)
        self.until = now + min(duration * Self.factor, Self.longest)
    }

    /// Of what is behind it, `oldest` was the first that was ready.
    mutating func advance(to oldest: MessageID) {
        if let from = self.from { self.from = max(from, Self.begin(before: oldest)) }
    }

    private static func begin(before id: MessageID) -> MessageID {
        self.first(at: Timestamp(microseconds: id.milliseconds * 1000) - self.margin)
    }

    /// The smallest id of a moment.
    private static func first(at moment: Timestamp) -> MessageID {
        MessageID(high: UInt64(max(0, moment.milliseconds)) << 16, low: 0)
    }
}
