import Lifecycle
import Synchronization

/// What this process holds: claimed, and neither written back nor given back.
///
/// The database knows it too, and the two can differ when an answer of the database is lost: a claim whose answer never
/// came was made all the same, and a settlement that was given up left its message claimed. As long as this process
/// lives nobody else would take such messages over, so it gives up itself what it does not know to hold; see
/// `Store.disown(lane:worker:holding:)`. So with events.
final class Holdings<ID: Hashable & Sendable>: Sendable {
    private struct State {
        /// How many claims of each message. Two, for a moment, when one was settled, or lost with its lease, and the
        /// message claimed again before whoever had sent it came to say so.
        var claims: [ID: Int] = [:]
        /// When the two are compared next; earlier while an answer that was lost may still show its effect.
        var nextLook = ContinuousClock.now + HoldingsTiming.lookInterval
        /// And no earlier than this: it reads all of the queue, and nothing is claimed meanwhile.
        var rested = ContinuousClock.now
        var doubtfulUntil: ContinuousClock.Instant?
        var hasDoubted = false
    }

    private let state = Mutex(State())
    /// Rung when an answer was lost: whoever compares may be asleep.
    let doubted: Signal

    init(doubted: Signal = Signal()) { self.doubted = doubted }

    func insert(_ ids: [ID]) {
        self.state.withLock { state in
            for id in ids { state.claims[id, default: 0] += 1 }
        }
    }

    func remove(_ ids: some Sequence<ID>) {
        self.state.withLock { state in
            for id in ids {
                guard let count = state.claims[id] else { continue }
                state.claims[id] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// An answer of the database was lost: what is held there is not known for a while.
    func doubt() {
        self.state.withLock { state in
            state.nextLook = .now
            state.doubtfulUntil = .now + HoldingsTiming.doubt
            state.hasDoubted = true
        }
        self.doubted.ring()
    }

    /// Whether what is held is to be compared every second, or as often as it may be.
    var isDoubtful: Bool { self.state.withLock { $0.doubtfulUntil.map { .now < $0 } ?? false } }

    /// Nothing is held, here or in the database, and never was there a doubt of it.
    var isEmpty: Bool { self.state.withLock { $0.claims.isEmpty && !$0.hasDoubted } }

    /// What is held, when it is time to compare it with what the database thinks; nil most of the time.
    func toCompare(now: ContinuousClock.Instant = .now) -> [ID]? {
        self.state.withLock { state in
            guard now >= state.nextLook, now >= state.rested else { return nil }
            let isDoubtful = state.doubtfulUntil.map { now < $0 } ?? false
            state.nextLook = now + (isDoubtful ? HoldingsTiming.doubtfulInterval : HoldingsTiming.lookInterval)
            return Array(state.claims.keys)
        }
    }

    /// The two were compared, or could not be, which took so long.
    func compared(took: Duration, now: ContinuousClock.Instant = .now) {
        let rest = Upkeep.pause(after: took, most: Upkeep.longestScanPause)
        self.state.withLock { $0.rested = now + rest }
    }
}

enum HoldingsTiming {
    /// After a lost answer, how long the two are compared every second: as long as such a statement usually takes to end
    /// on the server, one way or the other.
    static let doubt = Duration.seconds(20)
    static let doubtfulInterval = Duration.seconds(1)
    /// And at all times, since some take longer.
    static let lookInterval = Duration.seconds(60)
}
