import Messaging
import Postgres
import Store
import Synchronization

/// What of the events' slots is taken. A value: every rule can be tried without a clock, a task or an endpoint.
struct EventSlots {
    /// Requests at once, over all endpoints. None of them is a provider's: whatever customers' endpoints do, codes go out as before.
    static let limit = 256

    /// Taken by endpoints that fail, about: the others are for those that answer.
    static let failingLimit: Int32 = 128

    /// Answered and not written back yet, beyond which none is claimed: while the database is slow, no more than these and those on
    /// their way are told ahead of it, and told again when this process dies then.
    static let settlingLimit = 1000

    /// A lane's walk through the endpoints that have something ready.
    private struct Walk {
        var after = EndpointID(rawValue: 0)
        /// In this round.
        var hasFound = false
    }

    private(set) var inFlight: [EndpointID: Int32] = [:]
    private var failing: Set<EndpointID> = []
    private var walks: [Lane: Walk] = [:]
    private var count = 0
    private var settling = 0
    private(set) var isClosed = false

    /// What to claim; nil when every slot is taken.
    func request(lane: Lane) -> EventClaimRequest? {
        guard !self.isClosed, self.count < Self.limit, self.settling < Self.settlingLimit else { return nil }
        return EventClaimRequest(
            limit: Int32(Self.limit - self.count), after: self.walks[lane]?.after ?? EndpointID(rawValue: 0),
            inFlight: self.inFlight,
            takesFailing: self.failing.reduce(0) { $0 + (self.inFlight[$1] ?? 0) } < Self.failingLimit)
    }

    /// Takes note of what a claim brought; true when another may find more: it was full, or the walk goes on behind the last
    /// endpoint that it came to, or has come round and found something on the way. A round that found nothing ends it, or
    /// endpoints that may have no more on their way would be walked through without a pause.
    mutating func advance(_ claimed: ClaimedEvents, lane: Lane, limit: Int32) -> Bool {
        var walk = self.walks[lane] ?? Walk()
        let found = !claimed.claims.isEmpty
        let wasBehind = walk.after.rawValue > 0
        let hasComeRound = claimed.last.map { $0.rawValue <= walk.after.rawValue } ?? true
        let hasFound = walk.hasFound || found
        walk.after = claimed.last ?? EndpointID(rawValue: 0)
        // Come round, it may have gone on with the next.
        walk.hasFound = hasComeRound ? claimed.last != nil && found : hasFound
        self.walks[lane] = walk
        return !hasComeRound || wasBehind && hasFound || claimed.claims.count >= Int(limit)
    }

    /// Takes the claims' slots; false when nothing is begun any more.
    mutating func begin(_ claims: [EventClaim]) -> Bool {
        guard !self.isClosed else { return false }
        for claim in claims {
            self.inFlight[claim.key.endpoint, default: 0] += 1
            if claim.endpoint.isFailing { self.failing.insert(claim.key.endpoint) }
        }
        self.count += claims.count
        return true
    }

    /// The endpoint has answered: the next may be told while this one is written back.
    mutating func answered(_ key: EventKey) {
        self.count -= 1
        self.settling += 1
        if let left = self.inFlight[key.endpoint], left > 1 {
            self.inFlight[key.endpoint] = left - 1
        } else {
            self.inFlight[key.endpoint] = nil
            self.failing.remove(key.endpoint)
        }
    }

    /// True when there is room for claims that there was none for.
    mutating func settled() -> Bool {
        self.settling -= 1
        return self.settling == Self.settlingLimit - 1
    }

    mutating func close() { self.isClosed = true }
}

/// Events, each of which begins as soon as it is claimed: no more are claimed than there are slots.
final class EventSource: ClaimSource {
    /// Between claims that left nothing behind. The bell rings for every batch of messages that makes events, and while an endpoint
    /// hangs most claims bring nothing: without this they would take the processor from the codes.
    static let claimInterval = Duration.milliseconds(10)

    static let noun = "events"
    static func id(of claim: EventClaim) -> EventKey { claim.key }

    private let store: Store
    private let slots = Mutex(EventSlots())
    private let begun: AsyncStream<HeldEvent>
    private let beginning: AsyncStream<HeldEvent>.Continuation

    init(store: Store) {
        self.store = store
        (self.begun, self.beginning) = AsyncStream.makeStream()
    }

    func claim(lane: Lane, worker: WorkerID) async throws(PostgresError) -> (claims: [EventClaim], more: Bool)? {
        guard let request = self.slots.withLock({ $0.request(lane: lane) }) else { return nil }
        let claimed = try await self.store.claimEvents(lane: lane, worker: worker, request: request)
        return (claimed.claims, self.slots.withLock { $0.advance(claimed, lane: lane, limit: request.limit) })
    }

    func pass(_ held: [HeldEvent]) -> [HeldEvent] {
        guard self.slots.withLock({ $0.begin(held.map(\.claim)) }) else { return held }
        for held in held { self.beginning.yield(held) }
        return []
    }

    /// Nothing waits here.
    func removeAll() -> [HeldEvent] { [] }

    func handBack(_ claims: [EventClaim], worker: WorkerID) async throws(PostgresError) -> Int {
        try await self.store.handBackEvents(claims, worker: worker)
    }

    func disown(lane: Lane, worker: WorkerID, holding: [EventKey]) async throws(PostgresError) -> Int {
        try await self.store.disownEvents(lane: lane, worker: worker, holding: holding)
    }

    var inFlight: Int { self.slots.withLock { Int($0.inFlight.values.reduce(0, +)) } }

    /// Hosts a task for each event until closed and done. `onFree` is told when a slot is free again.
    func run(
        onFree: @escaping @Sendable () -> Void, _ tell: @escaping @Sendable (HeldEvent) async -> Teller.Settling
    ) async {
        await withDiscardingTaskGroup { group in
            for await held in self.begun {
                group.addTask {
                    let settle = await tell(held)
                    self.slots.withLock { $0.answered(held.claim.key) }
                    onFree()
                    await settle()
                    if self.slots.withLock({ $0.settled() }) { onFree() }
                }
            }
        }
    }

    func close() {
        self.slots.withLock { $0.close() }
        self.beginning.finish()
    }
}
