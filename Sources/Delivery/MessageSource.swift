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
    private let walks = Mutex(Walks())
    private let horizons = Mutex<[Lane: ClaimHorizon]>([:])

    init(store: Store, outlets: Outlets, metrics: DeliveryMetrics) {
        self.store = store
        self.outlets = outlets
        self.metrics = metrics
    }

    func claim(lane: Lane, worker: WorkerID) async throws(PostgresError) -> (claims: [Claim], more: Bool)? {
        let from = self.horizons.withLock { $0[lane]?.from(at: .now) }
        let walk = from == nil ? \Walks.all : \Walks.narrowed
        let requests = self.walks.withLock { walks in
            self.outlets.roomy().map { provider, room in
                walks[keyPath: walk].request(provider, limit: Int32(room), lane: lane)
            }
        }
        guard !requests.isEmpty else { return nil }
        let claims = try await self.claim(lane, worker, requests, from: from)
        return (
            claims, self.walks.withLock { $0[keyPath: walk].advance(lane: lane, requests: requests, claims: claims) }
        )
    }

    /// Of looks at all of the queue, and of those that begin later: what these do not come to keeps its turn in the others.
    private struct Walks {
        var all = AccountWalk()
        var narrowed = AccountWalk()
    }

    private func claim(
        _ lane: Lane, _ worker: WorkerID, _ requests: [ClaimRequest], from: MessageID?
    ) async throws(PostgresError) -> [Claim] {
        let started = ContinuousClock.now
        let claims = try await self.store.claim(lane: lane, worker: worker, requests: requests, from: from)
        if from != nil {
            if let oldest = claims.first?.oldestReady { self.horizons.withLock { $0[lane]?.advance(to: oldest) } }
        } else if ClaimHorizon.isSlow(.now - started, claims: claims.count) {
            await self.narrow(lane, since: started)
        }
        return claims
    }

    /// A look for the first row that is ready takes no time, unless dead ones stand before it: that tells them from a busy machine.
    private func narrow(_ lane: Lane, since started: ContinuousClock.Instant) async {
        let asked = ContinuousClock.now
        do {
            let oldest = try await self.store.oldestReady(lane: lane)
            guard .now - asked > ClaimHorizon.slowLook else { return }
            self.horizons.withLock {
                $0[lane, default: ClaimHorizon()].narrow(to: oldest, after: .now - started, now: .now)
            }
        } catch {
            // What was claimed is claimed, whatever comes of this; the next look at all asks again.
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
