import Lifecycle
import Messaging
import Store
import Synchronization

/// What stands in front of one provider in this process: claims by priority, a number of requests at once, a pace.
///
/// A value: every rule can be tried without a clock, a task or a provider. ``ProviderQueue`` puts a lock around it.
struct ProviderQueueState {
    /// Requests at once.
    var inFlightLimit: Int
    /// Messages a request.
    var batchLimit: Int
    /// Whether the pace is of segments; otherwise of messages.
    let countsSegments: Bool
    var pace: Pace
    private(set) var inFlight = 0
    /// Messages that the provider has answered and that are being written back.
    private var settling = 0
    private(set) var isClosed = false
    /// When the right to the pace ends; nil: never.
    private var rateLapses: ContinuousClock.Instant?
    /// The claimer found no room here and wants to be told.
    private var isAwaited = false
    private var waiting = WaitingClaims()

    init(inFlightLimit: Int, batchLimit: Int, countsSegments: Bool = false, pace: Pace) {
        self.countsSegments = countsSegments
        self.inFlightLimit = inFlightLimit
        self.batchLimit = batchLimit
        self.pace = pace
    }

    enum Step {
        /// `opensRoom`: tell the claimer, who has been waiting for room.
        case send([HeldClaim], opensRoom: Bool)
        /// Nothing may go before then.
        case waitUntil(ContinuousClock.Instant)
        /// Nothing is there, or as much is under way as may be.
        case wait
        /// Closed, and all is done.
        case end
    }

    var count: Int { self.waiting.count }

    /// How many claims this queue has use for: twice what can be under way, or half a second's worth when the provider
    /// is slower than that. More would only wait here while another worker stands idle.
    private var capacity: Int {
        guard self.pace.rate > 0 else { return 0 }
        return max(1, min(2 * self.inFlightLimit * self.batchLimit, Int(self.pace.rate / 2), Self.claimLimit))
    }

    /// Claims that one queue may hold, whatever its provider can take.
    static let claimLimit = 1000

    /// Messages that wait to be written back beyond which nothing is claimed: the database is behind, not the provider. Twice what is
    /// claimed at once, so that claims and settlements of a provider that takes all at once go on side by side.
    static let settlingLimit = 2 * Self.claimLimit

    /// How many claims to ask for: nothing until a quarter of the queue is free, because a claim costs the same for few.
    /// After a nothing, ``next(now:)`` or ``settled(_:)`` tells when there is room.
    mutating func askForRoom() -> Int {
        self.isAwaited = !self.hasRoom
        return self.isAwaited ? 0 : self.capacity - self.count
    }

    private var hasRoom: Bool {
        !self.isClosed && self.settling < Self.settlingLimit && self.capacity - self.count >= self.worthwhileRoom
    }

    private var worthwhileRoom: Int { max(1, self.capacity / 4) }

    /// Returns what was not taken, which is everything when the queue is closed: nobody may be left who would look at it.
    mutating func append(_ claims: [HeldClaim]) -> [HeldClaim] {
        guard !self.isClosed else { return claims }
        self.waiting.append(claims)
        return []
    }

    /// What to do next; a batch that is given out counts as under way until ``answered(_:)``.
    mutating func next(now: ContinuousClock.Instant) -> Step {
        guard self.count > 0 else { return self.isClosed && self.inFlight == 0 ? .end : .wait }
        // The last quarter of the slots is for codes: what is in no hurry may hold a slow provider's for long.
        let slots = self.waiting.codeCount > 0 ? self.inFlightLimit : self.inFlightLimit - self.inFlightLimit / 4
        guard self.inFlight < slots else { return .wait }
        guard self.pace.rate > 0, self.rateLapses.map({ now < $0 }) ?? true else { return .wait }
        let costs = self.waiting.batchCosts(limit: self.batchLimit, countsSegments: self.countsSegments)
        let granted = self.pace.grant(costs, now: now)
        guard granted > 0 else { return .waitUntil(self.pace.next(now: now)) }
        self.inFlight += 1
        let batch = self.waiting.takeBatch(limit: granted)
        return .send(batch, opensRoom: self.opensRoom())
    }

    /// The provider has done with a batch: the next may go while this one is written back.
    mutating func answered(_ count: Int) {
        self.inFlight -= 1
        self.settling += count
    }

    /// True when there is room for claims that there was none for.
    mutating func settled(_ count: Int) -> Bool {
        self.settling -= count
        return self.opensRoom()
    }

    private mutating func opensRoom() -> Bool {
        guard self.isAwaited, self.hasRoom else { return false }
        self.isAwaited = false
        return true
    }

    /// Takes everything out that has not been given to the provider.
    mutating func removeAll() -> [HeldClaim] { self.waiting.removeAll() }

    /// Takes out of what waits what `isMeant`.
    mutating func remove(where isMeant: (HeldClaim) -> Bool) -> [HeldClaim] { self.waiting.remove(where: isMeant) }

    var oldestCode: ContinuousClock.Instant? { self.waiting.oldestCode }

    mutating func close() { self.isClosed = true }

    /// True when there is room for claims that there was none for.
    mutating func setRate(_ rate: Double, until: ContinuousClock.Instant) -> Bool {
        let former = self.capacity
        // Whoever had this part before may have used it up a moment ago.
        if self.pace.rate == 0, rate > 0 { self.pace.pause(until: .now + .seconds(1 / rate)) }
        self.pace.setRate(rate)
        self.rateLapses = until
        return self.capacity > former
    }
}

/// The queue in front of one provider, with the task that empties it.
final class ProviderQueue: Sendable {
    let provider: ProviderID
    private let state: Mutex<ProviderQueueState>
    private let changed = Signal()
    /// Rung when there is room for claims again.
    private let hasRoom: Signal

    init(provider: ProviderID, state: ProviderQueueState, hasRoom: Signal) {
        self.provider = provider
        self.state = Mutex(state)
        self.hasRoom = hasRoom
    }

    /// See ``ProviderQueueState/askForRoom()``.
    func askForRoom() -> Int { self.state.withLock { $0.askForRoom() } }

    var load: (waiting: Int, inFlight: Int) { self.state.withLock { ($0.count, $0.inFlight) } }

    /// Returns what was not taken; see ``ProviderQueueState/append(_:)``.
    func append(_ claims: [HeldClaim]) -> [HeldClaim] {
        let left = self.state.withLock { $0.append(claims) }
        self.changed.ring()
        return left
    }

    /// Takes out of what waits what `isMeant`.
    func remove(where isMeant: (HeldClaim) -> Bool) -> [HeldClaim] {
        let removed = self.state.withLock { $0.remove(where: isMeant) }
        // There is room again.
        if !removed.isEmpty { self.hasRoom.ring() }
        return removed
    }

    /// Since when the first of the codes waits.
    var oldestCode: ContinuousClock.Instant? { self.state.withLock { $0.oldestCode } }

    /// Takes on another number of slots, when the configuration or the number of workers changed.
    func setSlots(_ slots: Int) {
        self.state.withLock { $0.inFlightLimit = slots }
        self.changed.ring()
    }

    /// Takes on another rate, until then; afterwards nothing goes.
    func setRate(_ rate: Double, until: ContinuousClock.Instant) {
        let hasMore = self.state.withLock { $0.setRate(rate, until: until) }
        self.changed.ring()
        if hasMore { self.hasRoom.ring() }
    }

    /// Sends nothing for a while, because the provider said so.
    func pause(for duration: Duration) {
        self.state.withLock { $0.pace.pause(until: .now + duration) }
    }

    /// Takes out what is not under way: for handing back, or because the lease is gone.
    func removeAll() -> [HeldClaim] { self.state.withLock { $0.removeAll() } }

    /// Takes nothing more; `run` returns when what is under way is done.
    func close() {
        self.state.withLock { $0.close() }
        self.changed.ring()
    }

    /// What is left to do of a batch when its provider has answered.
    typealias Settling = @Sendable () async -> Void

    /// Hands out batches to `send`, a child task each, as slots and pace allow, until closed or cancelled. Returns when all of them
    /// are settled.
    func run(_ send: @escaping @Sendable ([HeldClaim]) async -> Settling) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                switch self.state.withLock({ $0.next(now: .now) }) {
                case .send(let batch, let opensRoom):
                    group.addTask {
                        let settle = await send(batch)
                        self.answered(batch.count)
                        await settle()
                        self.settled(batch.count)
                    }
                    if opensRoom { self.hasRoom.ring() }
                case .waitUntil(let moment): await self.changed.wait(upTo: moment - .now)
                case .wait: await self.changed.wait()
                case .end: return
                }
            }
        }
    }

    private func answered(_ count: Int) {
        self.state.withLock { $0.answered(count) }
        self.changed.ring()
    }

    private func settled(_ count: Int) {
        if self.state.withLock({ $0.settled(count) }) { self.hasRoom.ring() }
    }
}
