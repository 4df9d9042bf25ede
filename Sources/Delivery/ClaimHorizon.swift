import Messaging
import Synchronization
import Timestamps

/// How far back the claims of one lane look.
///
/// While a transaction is left open somewhere, dead rows cannot be cleared up, and each claim that looks at all of the queue reads
/// those of all messages that have passed since. A slow ``Outlook`` tells: it has read them on its way to the oldest message that is
/// ready, and from then on claims look no further back than to that. What comes back into the queue through this process lowers it,
/// and so does what the next outlook finds below it, such as another process's retry. An account that is not among the
/// ``KnownFlows``, and whose messages stand behind `Store.aheadLimit` of others and are not among the latest, waits for the next
/// claim that looks at all. A value: tried without a clock or a database.
struct ClaimHorizon {
    /// Where a claim begins, and how often that had been lowered by then.
    struct Start {
        let from: MessageID
        fileprivate let lowered: Int
    }

    /// An outlook is slow when it took longer than this: a few times what it takes on a busy machine.
    static let slow = Duration.milliseconds(30)
    /// As long after an outlook, times what it took, and ``longest`` at most, a claim looks at all: it takes three times as long, so
    /// that a twentieth of the time goes to such.
    static let factor = 60
    static let longest = Duration.seconds(60)
    /// Ids are made before they are committed, by clocks that differ. So once in this time a claim looks back so far; each time it
    /// would read again what was claimed within it.
    static let margin = Duration.milliseconds(200)
    /// And when nothing is ready, where there is no other clock to go by than this process's.
    static let wideMargin = Duration.seconds(10)

    /// Nothing older was seen to be ready; nil: look at all.
    private var oldest: MessageID?
    /// What the outlook took by which this was set.
    private var took = Duration.zero
    /// When a claim looks at all again.
    private var looksAtAll = ContinuousClock.now
    /// When a claim looks back by ``margin`` again.
    private var looksBack = ContinuousClock.now
    private var lowered = 0

    /// Takes note of an outlook on all of the queue. `oldest`: the first that is ready; nil when none is.
    mutating func judge(oldest: MessageID?, took: Duration, now: ContinuousClock.Instant) {
        let wasNarrow = self.oldest != nil
        self.took = took
        if took <= Self.slow {
            self.oldest = nil
        } else if !wasNarrow {
            self.oldest = oldest ?? Self.first(at: .now - Self.wideMargin)
            self.looksAtAll = now + self.pause
            self.looksBack = now
        } else if let oldest {
            self.lower(to: oldest)
        }
    }

    /// Where the next claim is to begin; nil: look at all.
    mutating func start(at now: ContinuousClock.Instant) -> Start? {
        guard let oldest = self.oldest else { return nil }
        if now >= self.looksAtAll {
            self.looksAtAll = now + self.pause
            return nil
        }
        guard now >= self.looksBack else { return Start(from: oldest, lowered: self.lowered) }
        self.looksBack = now + Self.margin
        return Start(from: Self.begin(before: oldest), lowered: self.lowered)
    }

    /// What ``start(at:)`` is when a claim looks back; nil: look at all.
    var reach: MessageID? { self.oldest.map { Self.begin(before: $0) } }

    /// Of what is behind `start`, `oldest` was the first that was ready; unless something came back meanwhile.
    mutating func advance(to oldest: MessageID, since start: Start) {
        guard self.oldest != nil, start.lowered == self.lowered else { return }
        self.oldest = oldest
    }

    /// This one is in the queue, too.
    mutating func lower(to id: MessageID) {
        guard let oldest = self.oldest else { return }
        self.lowered += 1
        self.oldest = min(oldest, id)
    }

    private var pause: Duration { min(self.took * Self.factor, Self.longest) }

    private static func begin(before id: MessageID) -> MessageID {
        self.first(at: Timestamp(microseconds: id.milliseconds * 1000) - self.margin)
    }

    /// The smallest id of a moment.
    private static func first(at moment: Timestamp) -> MessageID {
        MessageID(high: UInt64(max(0, moment.milliseconds)) << 16, low: 0)
    }
}

/// The ``ClaimHorizon`` of each lane, once there has been an outlook.
final class ClaimHorizons: Sendable {
    private let horizons = Mutex<[Lane: ClaimHorizon]>([:])

    /// False until the first outlook: a claim in a queue full of dead rows would keep all others waiting.
    func isKnown(_ lane: Lane) -> Bool { self.horizons.withLock { $0[lane] != nil } }

    func judge(_ lane: Lane, oldest: MessageID?, took: Duration) {
        self.horizons.withLock { $0[lane, default: ClaimHorizon()].judge(oldest: oldest, took: took, now: .now) }
    }

    func start(_ lane: Lane) -> ClaimHorizon.Start? { self.horizons.withLock { $0[lane]?.start(at: .now) } }

    func reach(_ lane: Lane) -> MessageID? { self.horizons.withLock { $0[lane]?.reach } }

    func advance(_ lane: Lane, to oldest: MessageID, since start: ClaimHorizon.Start) {
        self.horizons.withLock { $0[lane]?.advance(to: oldest, since: start) }
    }

    /// These are in the queue, too.
    func lower(_ lane: Lane, to oldest: MessageID?) {
        guard let oldest else { return }
        self.horizons.withLock { $0[lane]?.lower(to: oldest) }
    }
}
