import Messaging
import Store
import Synchronization
import Timestamps

/// How far back the claims of one lane look.
///
/// While a transaction is left open somewhere, dead rows cannot be cleared up, and each claim that looks at all of the queue reads
/// those of all messages that have passed since. A slow ``Outlook`` tells: it has read them on its way to the oldest message that is
/// ready, and from then on claims look no further back than to that, and for the ``KnownFlows``. Retries, promotions and what is handed
/// back by this process lower it again. What others put back, what goes on because of a receipt, and what is committed later than
/// ``outlookMargin`` after its id was made, wait for the next outlook on all of the queue, and so does an account that stands behind
/// `Store.aheadLimit` of others and is unknown. A value: tried without a clock or a database.
struct ClaimHorizon {
    /// Where a claim begins, and how often that had been lowered by then.
    struct Start {
        let from: MessageID
        fileprivate let lowered: Int
    }

    /// Finding the oldest message that is ready is slow when it took longer than this: otherwise it is one probe of an index.
    static let slow = Duration.milliseconds(30)
    /// And so it is when it took longer than this twice in a row: once, the server may have had no processor for it.
    static let suspicious = Duration.milliseconds(10)
    /// Ids are made before they are committed, by clocks that differ. So once in this time a claim looks back by as much, from where
    /// the last began that did so; each time it would read again what was claimed meanwhile.
    static let margin = Duration.milliseconds(200)
    /// And looks at what there is to do, of which there is one a second: more than the clocks of two hosts differ.
    static let outlookMargin = Duration.seconds(3)
    /// And when nothing is ready, where there is no other clock to go by than this process's.
    static let wideMargin = Duration.seconds(10)

    /// Nothing older was seen to be ready; nil: look at all.
    private var oldest: MessageID?
    /// What ``oldest`` was when a claim last looked back, and when the next one does.
    private var formerOldest: MessageID?
    private var looksBack = ContinuousClock.now
    /// The oldest that has come back since the last outlook on all of the queue, which may not have seen it.
    private var returned: MessageID?
    private var lowered = 0
    private var wasSuspicious = false

    /// Takes note of an outlook on all of the queue. `oldest`: the first that is ready; nil when none is. `took`: to find that.
    mutating func judge(oldest: MessageID?, took: Duration, now: ContinuousClock.Instant) {
        let returned = self.returned
        self.returned = nil
        let isSlow = took > Self.slow || took > Self.suspicious && (self.wasSuspicious || self.oldest != nil)
        self.wasSuspicious = took > Self.suspicious
        if !isSlow {
            self.oldest = nil
        } else if self.oldest == nil {
            // A claim may be under way that began when it was narrow before.
            self.lowered += 1
            self.oldest = Self.least(oldest ?? Self.first(at: .now - took - Self.wideMargin), returned)
            self.formerOldest = nil
            self.looksBack = now
        } else if let oldest {
            self.include(oldest)
        }
    }

    /// Where the next claim is to begin; nil: look at all.
    mutating func start(at now: ContinuousClock.Instant) -> Start? {
        guard let oldest = self.oldest else { return nil }
        guard now >= self.looksBack else { return Start(from: oldest, lowered: self.lowered) }
        let from = Self.begin(Self.margin, before: Self.least(oldest, self.formerOldest))
        self.looksBack = now + Self.margin
        self.formerOldest = oldest
        return Start(from: from, lowered: self.lowered)
    }

    /// Before all that claims look for, and what they may have missed; nil: they look at all.
    var reach: MessageID? {
        self.oldest.map { Self.begin(Self.outlookMargin, before: Self.least($0, self.formerOldest)) }
    }

    /// Of what is behind `start`, `left` was the first that was left; but for what came back meanwhile.
    mutating func advance(to left: MessageID, since start: Start) {
        guard let oldest = self.oldest else { return }
        self.oldest = start.lowered == self.lowered ? left : min(oldest, left)
    }

    /// This one has come back into the queue.
    mutating func lower(to id: MessageID) {
        self.returned = Self.least(id, self.returned)
        self.include(id)
    }

    /// This one is in the queue, too.
    mutating func include(_ id: MessageID) {
        guard let oldest = self.oldest else { return }
        self.lowered += 1
        self.oldest = min(oldest, id)
    }

    private static func least(_ id: MessageID, _ other: MessageID?) -> MessageID { other.map { min(id, $0) } ?? id }

    private static func begin(_ margin: Duration, before id: MessageID) -> MessageID {
        self.first(at: Timestamp(microseconds: id.milliseconds * 1000) - margin)
    }

    /// The smallest id of a moment.
    private static func first(at moment: Timestamp) -> MessageID {
        MessageID(high: UInt64(max(0, moment.milliseconds)) << 16, low: 0)
    }
}

/// The ``ClaimHorizon`` of each lane, once there has been an outlook, with those whom claims look for.
final class ClaimHorizons: Sendable {
    private struct Entry {
        var horizon = ClaimHorizon()
        var known = KnownFlows()
        /// Something came back of which nobody knows how old it is.
        var looksAtAll = false
    }

    private let lanes = Mutex<[Lane: Entry]>([:])

    /// False until the first outlook: a claim in a queue full of dead rows would keep all others waiting.
    func isKnown(_ lane: Lane) -> Bool { self.lanes.withLock { $0[lane] != nil } }

    func judge(_ lane: Lane, oldest: MessageID?, took: Duration) {
        self.lanes.withLock { $0[lane, default: Entry()].horizon.judge(oldest: oldest, took: took, now: .now) }
    }

    /// Where a claim for these is to begin; nil: look at all.
    func start(
        _ lane: Lane, _ requests: [ClaimRequest]
    ) -> (start: ClaimHorizon.Start, known: [ClaimFlow])? {
        self.lanes.withLock { lanes in
            guard let start = lanes[lane]?.horizon.start(at: .now) else { return nil }
            return (start, lanes[lane]?.known.flows(of: requests) ?? [])
        }
    }

    func reach(_ lane: Lane) -> MessageID? { self.lanes.withLock { $0[lane]?.horizon.reach } }

    func advance(_ lane: Lane, to oldest: MessageID, since start: ClaimHorizon.Start) {
        self.lanes.withLock { $0[lane]?.horizon.advance(to: oldest, since: start) }
    }

    func note(_ lane: Lane, _ flows: some Sequence<ClaimFlow>) {
        self.lanes.withLock { $0[lane]?.known.note(flows) }
    }

    /// These have come back into the queue.
    func lower(_ lane: Lane, to oldest: MessageID?) {
        guard let oldest else { return }
        self.lanes.withLock { $0[lane]?.horizon.lower(to: oldest) }
    }

    /// This one is in the queue, too.
    func include(_ lane: Lane, _ id: MessageID) { self.lanes.withLock { $0[lane]?.horizon.include(id) } }

    /// Has the next outlook be one on all of the queue: something has come back.
    func askForLookAtAll(_ lane: Lane) { self.lanes.withLock { $0[lane]?.looksAtAll = true } }

    /// Whether ``askForLookAtAll(_:)`` was called since this was asked last.
    func takeLookAtAll(_ lane: Lane) -> Bool {
        self.lanes.withLock { lanes in
            defer { lanes[lane]?.looksAtAll = false }
            return lanes[lane]?.looksAtAll ?? false
        }
    }
}
