import Lifecycle
import Messaging
import Store
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

    /// Claims until the task is cancelled.
    func run() async {
        var walk = AccountWalk()
        var pause = Self.firstPause
        while !Task.isCancelled {
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
                if Task.isCancelled { return }
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
        for lane in self.lanes {
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
            try await self.take(claims, worker: worker)
            if more { found = .more } else if !claims.isEmpty, found == .nothing { found = .some }
        }
        return found
    }

    private func take(_ claims: [Claim], worker: WorkerID) async throws {
        guard !claims.isEmpty else { return }
        self.metrics.claimed.add(claims.count)
        self.holdings.insert(claims)
        for claim in claims { self.metrics.pickup.observe(claim.age) }
        let stranded = self.outlets.append(claims.map { HeldClaim(claim: $0, worker: worker) })
        guard !stranded.isEmpty else { return }
        self.holdings.remove(stranded)
        _ = try await self.store.handBack(stranded.map(\.claim), worker: worker)
    }

    /// Gives up what the database thinks that this process holds and this process does not. Here, because nothing may be
    /// claimed meanwhile.
    private func settleDoubts(of worker: WorkerID) async throws {
        guard let holding = self.holdings.inDoubt else { return }
        for lane in self.lanes {
            let count = try await self.store.disown(lane: lane, worker: worker, holding: holding)
            if count > 0 {
                self.logger.warning("gave up messages whose claim or settlement was lost", ["messages": count])
            }
        }
    }
}
