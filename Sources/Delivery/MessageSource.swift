import Messaging
import Postgres
import Store
import Synchronization
import Telemetry

/// Messages, for the queues of their providers.
final class MessageSource: ClaimSource {
    static let noun = "messages"
    static func id(of claim: Claim) -> MessageID { claim.id }

    private let store: Store
    private let outlets: Outlets
    private let metrics: DeliveryMetrics
    private let horizons: ClaimHorizons
    private let walks = Mutex(Walks())

    init(store: Store, outlets: Outlets, horizons: ClaimHorizons, metrics: DeliveryMetrics) {
        self.store = store
        self.outlets = outlets
        self.horizons = horizons
        self.metrics = metrics
    }

    func claim(lane: Lane, worker: WorkerID) async throws(PostgresError) -> (claims: [Claim], more: Bool)? {
        let roomy = self.outlets.roomy()
        guard self.horizons.isKnown(lane), !roomy.isEmpty else { return nil }
        let start = self.horizons.start(lane)
        let walk = start == nil ? \Walks.all : \Walks.narrowed
        let (requests, known) = self.walks.withLock { walks in
            let requests = roomy.map { walks[keyPath: walk].request($0.provider, limit: Int32($0.room), lane: lane) }
            return (requests, start == nil ? [] : walks.known[lane]?.flows(of: requests) ?? [])
        }
        let claims = try await self.store.claim(
            lane: lane, worker: worker, requests: requests,
            start: start.map { ClaimStart(from: $0.from, served: self.served, known: known) })
        if let start, let oldest = claims.first?.oldestReady { self.horizons.advance(lane, to: oldest, since: start) }
        return (claims, self.walks.withLock { $0.advance(walk, lane: lane, requests: requests, claims: claims) })
    }

    private var served: [ProviderID] { self.outlets.all.map(\.provider.id) }

    /// Of looks at all of the queue, and of those that begin later: what these do not come to keeps its turn in the others.
    private struct Walks {
        var all = AccountWalk()
        var narrowed = AccountWalk()
        var known: [Lane: KnownFlows] = [:]

        mutating func advance(
            _ walk: WritableKeyPath<Walks, AccountWalk>, lane: Lane, requests: [ClaimRequest], claims: [Claim]
        ) -> Bool {
            self.known[lane, default: KnownFlows()].note(claims.lazy.map(\.flow))
            return self[keyPath: walk].advance(lane: lane, requests: requests, claims: claims)
        }
    }

    func pass(_ held: [HeldClaim]) -> [HeldClaim] {
        // How long a retry has waited is its schedule's doing.
        for held in held where held.claim.attempt == 1 { self.metrics.pickup.observe(held.claim.age) }
        return self.outlets.append(held)
    }

    func removeAll() -> [HeldClaim] { self.outlets.removeAll() }

    func handBack(_ claims: [Claim], worker: WorkerID) async throws(PostgresError) -> Int {
        try await self.store.handBack(claims, worker: worker)
    }

    func disown(lane: Lane, worker: WorkerID, holding: [MessageID]) async throws(PostgresError) -> Int {
        try await self.store.disown(lane: lane, worker: worker, holding: holding)
    }
}
