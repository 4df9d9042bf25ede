import Messaging
import Postgres
import Store
import Synchronization

/// What of the events' slots is taken. A value: every rule can be tried without a clock, a task or an endpoint.
struct EventSlots {
    /// Requests at once, over all endpoints. None of them is a provider's: whatever customers' endpoints do, codes go out as before.
    static let limit = 256

    private(set) var inFlight: [EndpointID: Int32] = [:]
    private var after = EndpointID(rawValue: 0)
    private var count = 0
    private(set) var isClosed = false

    /// What to claim; nil when every slot is taken.
    func request() -> EventClaimRequest? {
        guard !self.isClosed, self.count < Self.limit else { return nil }
        return EventClaimRequest(
            limit: Int32(Self.limit - self.count), after: self.after, inFlight: self.inFlight)
    }

    /// Takes note of what a claim brought; true when another would find more: it was full, or the walk goes on behind the last
    /// endpoint that it came to.
    mutating func advance(_ claims: [EventClaim], limit: Int32) -> Bool {
        let endpoints = Set(claims.map(\.key.endpoint))
        let goesOn = endpoints.count >= Int(Store.claimedEndpointLimit)
        let wasBehind = self.after.rawValue > 0
        self.after = (goesOn ? endpoints.max { $0.rawValue < $1.rawValue } : nil) ?? EndpointID(rawValue: 0)
        return goesOn || wasBehind || claims.count >= Int(limit)
    }

    /// Takes the claims' slots; false when nothing is begun any more.
    mutating func begin(_ keys: [EventKey]) -> Bool {
        guard !self.isClosed else { return false }
        for key in keys { self.inFlight[key.endpoint, default: 0] += 1 }
        self.count += keys.count
        return true
    }

    mutating func finish(_ key: EventKey) {
        self.count -= 1
        guard let left = self.inFlight[key.endpoint], left > 1 else { return self.inFlight[key.endpoint] = nil }
        self.inFlight[key.endpoint] = left - 1
    }

    mutating func close() { self.isClosed = true }
}

/// Events, each of which begins as soon as it is claimed: no more are claimed than there are slots.
final class EventSource: ClaimSource {
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
        guard let request = self.slots.withLock({ $0.request() }) else { return nil }
        let claims = try await self.store.claimEvents(lane: lane, worker: worker, request: request)
        return (claims, self.slots.withLock { $0.advance(claims, limit: request.limit) })
    }

    func pass(_ held: [HeldEvent]) -> [HeldEvent] {
        guard self.slots.withLock({ $0.begin(held.map(\.claim.key)) }) else { return held }
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
    func run(onFree: @escaping @Sendable () -> Void, _ tell: @escaping @Sendable (HeldEvent) async -> Void) async {
        await withDiscardingTaskGroup { group in
            for await held in self.begun {
                group.addTask {
                    await tell(held)
                    self.slots.withLock { $0.finish(held.claim.key) }
                    onFree()
                }
            }
        }
    }

    func close() {
        self.slots.withLock { $0.close() }
        self.beginning.finish()
    }
}
