import Guard
import Lifecycle
import Messaging
import Postgres
import Store
import Synchronization
import Telemetry
import Timestamps

// What API processes tell each other, and operators.
extension Gate {
    /// How often: by so much together they may let pass what one alone would have refused.
    static let interval = Duration.seconds(1)
    /// Counters told at once, with two windows each; what is left goes the next time, the largest first. More would be felt by whoever
    /// sends.
    static let shareLimit = 250
    /// How often old counts are dropped, in exchanges.
    static let tidying = 600
    /// Rows dropped at once.
    static let dropLimit: Int32 = 10_000

    /// Learns what is blocked; before the first message is judged.
    func start() async throws(PostgresError) {
        if self.exchanges { try await self.lookForBlocks() }
    }

    /// Exchanges until drained, the last time then.
    func run() async {
        await withTaskGroup { group in
            group.addTask { await self.exchangeAgainAndAgain() }
            await self.stop.wait()
            group.cancelAll()
        }
        if self.exchanges { try? await self.exchange() }
    }

    func drain() { self.stop.ring() }

    private func exchangeAgainAndAgain() async {
        var round = Int.random(in: 0..<Self.tidying)
        while self.exchanges, !Task.isCancelled {
            round += 1
            do throws(PostgresError) {
                try await self.exchange()
                if round % Self.tidying == 0 { try await self.store.dropGuardCounts(limit: Self.dropLimit) }
            } catch {
                self.logger.warning("the guard could not exchange its counts", ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Tells what was counted and refused here, and learns what all have counted and what is blocked.
    func exchange() async throws(PostgresError) {
        try await self.lookForBlocks()
        try await self.storeTrips()
        try await self.exchangeCounts()
        try await self.storeRefusals()
        self.kept.withLock { kept in
            let now = self.now(kept)
            kept.state.exchangedAt = now
            kept.state.tidy(at: now)
        }
    }

    /// What operators and other processes have blocked and lifted.
    func lookForBlocks() async throws(PostgresError) {
        let (now, revision) = try await self.store.guardRevision()
        let isNew = self.kept.withLock { kept in
            kept.offset = now - .now
            return kept.revision != revision
        }
        guard isNew else { return }
        let blocks = try await self.store.guardBlocks()
        self.kept.withLock { kept in
            kept.state.blocks = blocks
            for trip in kept.trips.values { kept.state.blocks.insert(trip.block) }
            kept.revision = revision
        }
    }

    // MARK: - Private

    private func storeTrips() async throws(PostgresError) {
        for (number, trip) in self.kept.withLock({ $0.trips }).sorted(by: { $0.key < $1.key }) {
            // Nil: another process saw the same first.
            let stored = try await self.store.trip(trip.block, reason: trip.reason)
            self.kept.withLock { kept in
                kept.trips[number] = nil
                if let stored { kept.state.blocks.insert(stored.block) }
            }
            if let stored { self.tell(stored, reason: trip.reason) }
        }
    }

    private func tell(_ stored: StoredGuardBlock, reason: GuardReason) {
        self.metrics.blocks(reason).add(1)
        self.logger.warning(
            "the guard has made a block",
            [
                "block": stored.id, "account": stored.block.account.map { Int($0.rawValue) },
                "scope": stored.block.scope.rawValue, "value": stored.block.value, "reason": reason.rawValue,
                "level": stored.level, "until": stored.block.until,
            ])
    }

    private func exchangeCounts() async throws(PostgresError) {
        let shares = self.kept.withLock { $0.state.takeShares(limit: Self.shareLimit) }
        let rows = shares.map { GuardCountRow(share: $0, key: self.hashing.key($0.key)) }
        let totals: [GuardState.Total]
        do throws(PostgresError) {
            totals = try await self.store.exchangeGuardCounts(rows)
        } catch {
            // Whether they were added or not: counted twice is on the safe side.
            self.kept.withLock { $0.state.giveBack(shares) }
            throw error
        }
        self.kept.withLock { kept in
            for (share, total) in zip(shares, totals) { kept.state.learn(total, of: share) }
        }
    }

    private func storeRefusals() async throws(PostgresError) {
        let refusals = self.kept.withLock { kept in
            defer { kept.refusals = [:] }
            return kept.refusals
        }
        do throws(PostgresError) {
            try await self.store.addGuardRefusals(Array(refusals.values))
        } catch {
            self.kept.withLock { kept in
                for (place, count) in refusals {
                    var sum = count
                    sum.refused += kept.refusals[place]?.refused ?? 0
                    sum.watched += kept.refusals[place]?.watched ?? 0
                    kept.refusals[place] = sum
                }
            }
            throw error
        }
    }
}
