import Lifecycle
import Messaging
import Store
import Synchronization
import Telemetry

/// Claims ready messages for the whole process: one claimer, one statement for all providers that have room.
struct Claimer: Sendable {
    /// Between polls when nothing tells of work. A hint that is lost costs this much.
    static let pollInterval = Duration.seconds(1)
    /// The first pause after a claim that left nothing behind; it doubles up to the poll's. Under a steady trickle this
    /// is how long a message may wait for its claim when no hint came.
    static let firstPause = Duration.milliseconds(4)

    let store: Store
    let lanes: [Lane]
    let lease: Lease
    let outlets: Outlets
    let holdings: Holdings
    /// Rung by a hint that something is ready, and when a provider's queue has room again.
    let signal: Signal
    let metrics: DeliveryMetrics
    let health: Health
    let logger: Logger
    private let stopping = Stop()

    init(
        store: Store, lanes: [Lane], lease: Lease, outlets: Outlets, holdings: Holdings, signal: Signal,
        metrics: DeliveryMetrics,
        health: Health, logger: Logger
    ) {
        self.store = store
        self.lanes = lanes
        self.lease = lease
        self.outlets = outlets
        self.holdings = holdings
        self.signal = signal
        self.metrics = metrics
        self.health = health
        self.logger = logger
    }

    /// Claims nothing more. `run` returns once a claim under way is answered: were it cut off instead, it could commit
    /// all the same, and what it brought would stay with this worker until its lease ends.
    func stop() {
        self.stopping.isSet.store(true, ordering: .releasing)
        self.signal.ring()
    }

    private var isStopping: Bool { self.stopping.isSet.load(ordering: .acquiring) || Task.isCancelled }

    private final class Stop: Sendable {
        let isSet = Atomic(false)
    }

    /// Claims until stopped, or until the task is cancelled.
    func run() async {
        var walk = AccountWalk()
        var pause = Self.firstPause
        while !self.isStopping {
            do {
                switch try await self.round(&walk) {
                case .more: pause = Self.firstPause
                case .some:
                    pause = Self.firstPause
                    await self.signal.wait(upTo: pause)
                case .nothing:
                    await self.signal.wait(upTo: pause)
                    pause = min(pause * 2, Self.pollInterval)
                }
            } catch {
                if self.isStopping { return }
                self.metrics.claimFailures.add(1)
                self.holdings.doubt()
                self.logger.warning("could not claim", ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            }
        }
    }

    private enum Found {
        /// Something, and there is more.
        case more
        case some, nothing
    }

    /// One claim in each lane, in turn.
    private func round(_ walk: inout AccountWalk) async throws -> Found {
        guard let worker = self.lease.held else { return .nothing }
        try await self.settleDoubts(of: worker)
        var found = Found.nothing
        for lane in self.lanes where !self.isStopping {
            let requests = self.outlets.roomy().map { provider, room in
                walk.request(provider, limit: Int32(room), lane: lane)
            }
            guard !requests.isEmpty else {
                // No room, or nobody to send through: with a lease that is renewed this process is as well as can be.
                self.health.succeeded()
                return found
            }
            let started = ContinuousClock.now
            let claims = try await self.store.claim(lane: lane, worker: worker, requests: requests)
            self.metrics.claimTime.observe(ContinuousClock.now - started)
            self.health.succeeded()
            let more = walk.advance(lane: lane, requests: requests, claims: claims)
            try await self.take(claims.map { HeldClaim(claim: $0, worker: worker, since: started) }, worker: worker)
            if more { found = .more } else if !claims.isEmpty, found == .nothing { found = .some }
        }
        return found
    }

    private func take(_ claims: [HeldClaim], worker: WorkerID) async throws {
        guard !claims.isEmpty else { return }
        self.metrics.claimed.add(claims.count)
        self.holdings.insert(claims.map(\.claim))
        // How long a retry has waited is its schedule's doing.
        for held in claims where held.claim.attempt == 1 { self.metrics.pickup.observe(held.claim.age) }
        let stranded = self.outlets.append(claims)
        guard !stranded.isEmpty else { return }
        self.holdings.remove(stranded)
        _ = try await self.store.handBack(stranded.map(\.claim), worker: worker)
    }

    /// Gives up what the database thinks that this process holds and this process does not. Here, because nothing may be
    /// claimed meanwhile.
    private func settleDoubts(of worker: WorkerID) async throws {
        guard let holding = self.holdings.toCompare() else { return }
        for lane in self.lanes {
            let count = try await self.store.disown(lane: lane, worker: worker, holding: holding)
            if count > 0 {
                self.logger.warning("gave up messages whose claim or settlement was lost", ["messages": count])
            }
        }
    }
}
