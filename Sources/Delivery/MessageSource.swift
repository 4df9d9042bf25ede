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
    private let walk = Mutex(AccountWalk())

    init(store: Store, outlets: Outlets, horizons: ClaimHorizons, metrics: DeliveryMetrics) {
        self.store = store
        self.outlets = outlets
        self.horizons = horizons
        self.metrics = metrics
    }

    func isOpen(_ lane: Lane) -> Bool { self.horizons.isKnown(lane) }

    func claim(lane: Lane, worker: WorkerID) async throws(PostgresError) -> (claims: [Claim], more: Bool)? {
        let requests = self.walk.withLock { walk in
            self.outlets.roomy().map { walk.request($0.provider, limit: Int32($0.room), lane: lane) }
        }
        guard !requests.isEmpty else { return nil }
        let from = self.horizons.start(lane, requests)
        let claims = try await self.store.claim(
            lane: lane, worker: worker, requests: requests,
            start: from.map { ClaimStart(from: $0.start.from, served: self.served, known: $0.known) })
        self.horizons.note(lane, claims.lazy.map(\.flow))
        if let from, let oldest = claims.first?.oldestLeft {
            self.horizons.advance(lane, to: oldest, since: from.start)
        }
        return (claims, self.walk.withLock { $0.advance(lane: lane, requests: requests, claims: claims) })
    }

    private var served: [ProviderID] { self.outlets.all.map(\.provider.id) }

    func pass(_ held: [HeldClaim]) -> [HeldClaim] {
        // How long a retry has waited is its schedule's doing.
        for held in held where held.claim.attempt == 1 { self.metrics.pickup.observe(held.claim.age) }
        return self.outlets.append(held)
    }

    func removeAll() -> [HeldClaim] { self.outlets.removeAll() }

    func handBack(_ claims: [Claim], worker: WorkerID) async throws(PostgresError) -> Int {
        defer {
            for (lane, claims) in Dictionary(grouping: claims, by: \.id.lane) {
                self.horizons.lower(lane, to: claims.lazy.map(\.id).min())
            }
        }
        return try await self.store.handBack(claims, worker: worker)
    }

    func disown(lane: Lane, worker: WorkerID, holding: [MessageID]) async throws(PostgresError) -> Int {
        let count = try await self.store.disown(lane: lane, worker: worker, holding: holding)
        if count > 0 { self.horizons.askForLookAtAll(lane) }
        return count
    }
}
