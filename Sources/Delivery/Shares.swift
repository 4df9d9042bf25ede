import Lifecycle
import Messaging
import Store
import Telemetry

/// Gets this worker's part of each provider's rate, and gets it anew before it lapses; see ``Store/renewShares(of:worker:)``.
struct Shares: Sendable {
    /// Between renewals: several in a lease, so that one that fails costs nothing.
    static let interval = Store.shareLease / 4
    /// And of a worker with nothing to do. When one fails it has nothing for a moment, in which it needs nothing.
    static let idleInterval = Store.shareLease * 3 / 4

    let store: Store
    let lease: Lease
    let outlets: Outlets
    let logger: Logger

    /// Until the next look when there is no lease yet, or no provider.
    static let impatience = Duration.milliseconds(20)

    /// Rung when a provider came into service, which has no rate yet.
    let opened = Signal()

    /// Renews until cancelled. What waits for a provider of which this worker has no part any more is given back, for those who have.
    func run(giveBack: ([HeldClaim]) async throws -> Void) async {
        await Pulse(name: "sharing providers' rates", logger: self.logger, pauseAfterFailure: Self.interval).run {
            let isIdle = self.outlets.all.allSatisfy { $0.queue.load == (0, 0) }
            let isServed = try await self.renew(giveBack)
            let pause = isIdle ? Self.idleInterval : Self.interval
            await self.opened.wait(upTo: isServed ? pause : Self.impatience)
            try Task.checkCancellation()
        }
    }

    /// False when there is nothing to renew.
    private func renew(_ giveBack: ([HeldClaim]) async throws -> Void) async throws -> Bool {
        let outlets = self.outlets.all
        guard let worker = self.lease.held, !outlets.isEmpty else { return false }
        let rates = Dictionary(outlets.map { ($0.provider.id, $0.provider.rateLimit) }) { $1 }
        // From before it was asked for: the database's lease began later, and so lasts longer.
        let until = ContinuousClock.now + Store.shareLease
        let shares = try await self.store.renewShares(of: rates, worker: worker)
        var left: [HeldClaim] = []
        for outlet in outlets {
            let share = shares[outlet.provider.id] ?? 0
            outlet.queue.setRate(Double(share), until: until)
            if share == 0 { left += outlet.queue.removeAll() }
        }
        if !left.isEmpty { try await giveBack(left) }
        return true
    }
}
