import Channels
import Lifecycle
import Messaging
import Store
import Telemetry
import Timestamps
import Verification

/// What any worker does for all: promotes what is due, takes over from the dead, expires, wipes codes, makes partitions, counts.
///
/// Every statement may be run by several workers at once: rows that one is at are skipped by the others.
struct Upkeep: Sendable {
    /// Messages moved by one statement.
    static let promotionLimit: Int32 = 1000
    /// Rows counted for the queue's depth.
    static let depthLimit: Int32 = 100_000
    static let expiryLimit: Int32 = 500
    /// Between looks for what dead workers still hold, as long as they are not forgotten.
    static let reapInterval = Duration.seconds(10)
    /// And when there are no dead workers: what cannot be there does no harm to look for.
    static let lookInterval = Duration.seconds(3600)
    static let partitionDaysAhead: Int32 = 7
    /// How long an answer given under an idempotency key is kept.
    static let idempotencyRetention = Duration.seconds(24 * 3600)

    /// Codes wiped, or limits forgotten, by one statement.
    static let wipeLimit: Int32 = 1000
    /// Between looks for codes whose time is over: so long a sealed code may outlive its use.
    static let wipeInterval = Duration.seconds(5)

    let store: Store
    let lanes: [Lane]
    let lease: Duration
    /// Rung when something was scheduled that may be due soon.
    let scheduled: Signal
    /// Rung when something became ready.
    let ready: Signal
    let providers: DirectoryWatch<[ProviderID: ConfiguredProvider]>
    let metrics: DeliveryMetrics
    let logger: Logger

    func run() async {
        await withTaskGroup { group in
            group.addTask { await self.pulse("promoting") { try await self.promote() } }
            group.addTask { await self.reap() }
            group.addTask { await self.pulse("expiring") { try await self.expire() } }
            group.addTask { await self.pulse("wiping codes") { try await self.wipeCodes() } }
            group.addTask { await self.pulse("measuring the queue") { try await self.measure() } }
            group.addTask { await self.pulse("keeping house") { try await self.keepHouse() } }
        }
    }

    private func pulse(_ name: StaticString, _ round: () async throws -> Void) async {
        await Pulse(name: name, logger: self.logger).run(round)
    }

    /// Moves what is due into the ready queue, and waits for what is due next, a second at most.
    private func promote() async throws {
        var wait = Duration.seconds(1)
        for lane in self.lanes {
            var (moved, next) = try await self.store.promote(lane: lane, limit: Self.promotionLimit)
            if moved > 0 { self.ready.ring() }
            if moved == Self.promotionLimit { next = .zero }
            wait = min(wait, max(next ?? wait, .milliseconds(moved > 0 ? 1 : 10)))
        }
        await self.scheduled.wait(upTo: wait)
    }

    /// Takes over what dead workers hold: at the start, as soon as one fell silent, and then now and again until nothing of
    /// them is left.
    private func reap() async {
        var known = 0
        var due = ContinuousClock.now
        await self.pulse("reaping") {
            let lost = try await self.store.loseSilentWorkers()
            if lost.now > 0 || lost.all > known || due <= .now {
                try await self.reapOnce()
                due = .now + (lost.all > 0 ? Self.reapInterval : Self.lookInterval)
            }
            known = lost.all
            // Several times in a lease, so that a death is noticed within a second or so of its end.
            try await Task.sleep(for: min(self.lease / 5, .seconds(1)) * Double.random(in: 0.8...1.2))
        }
    }

    private func reapOnce() async throws {
        for lane in self.lanes {
            let count = try await self.store.reap(lane: lane)
            guard count > 0 else { continue }
            self.metrics.reaped.add(count)
            self.logger.warning("took over from workers that fell silent", ["messages": count])
            self.ready.ring()
        }
        try await self.store.forgetLostWorkers(lanes: self.lanes)
    }

    /// Ends what waits for providers that are out of service and is past its time.
    private func expire() async throws {
        try await Task.sleep(for: .seconds(60) * Double.random(in: 0.8...1.2))
        let served = Array(self.providers.current.keys)
        for lane in self.lanes {
            let count = try await self.store.expireStranded(lane: lane, served: served, limit: Self.expiryLimit)
            if count > 0 { self.logger.info("messages of providers out of service expired", ["messages": count]) }
        }
    }

    private func wipeCodes() async throws {
        for lane in self.lanes {
            while try await self.store.wipeExpiredCodes(lane: lane, limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
            while try await self.store.dropScopedCodes(lane: lane, limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
        }
        try await Task.sleep(for: Self.wipeInterval * Double.random(in: 0.8...1.2))
    }

    private func measure() async throws {
        for (_, configured) in self.providers.current {
            for priority in Priority.allCases { self.show(0, .zero, of: configured, priority) }
        }
        for lane in self.lanes {
            for depth in try await self.store.queueDepths(lane: lane, limit: Self.depthLimit) {
                guard let configured = self.providers.current[depth.provider] else { continue }
                self.show(depth.ready, depth.oldest, of: configured, depth.priority)
            }
        }
        try await Task.sleep(for: .seconds(10) * Double.random(in: 0.8...1.2))
    }

    private func show(_ ready: Int, _ oldest: Duration, of configured: ConfiguredProvider, _ priority: Priority) {
        let name = configured.provider.name
        let channel = configured.driver.channels.map(\.rawValue).sorted().joined(separator: ",")
        self.metrics.gauge(depthOf: name, channel: channel, priority: priority).set(ready)
        self.metrics.gauge(oldestOf: name, channel: channel, priority: priority).set(oldest.inSeconds)
    }

    private func keepHouse() async throws {
        let made = try await self.store.makePartitions(daysAhead: Self.partitionDaysAhead)
        if made > 0 { self.logger.info("made partitions", ["count": made]) }
        for lane in self.lanes {
            while try await self.store.dropIdempotencyKeys(
                lane: lane, olderThan: Self.idempotencyRetention, limit: 1000) == 1000
            {}
            _ = try await self.store.forgetFailures(lane: lane, olderThan: FailurePolicy.memory)
            while try await self.store.forgetLimits(lane: lane, limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
        }
        try await Task.sleep(for: .seconds(3600) * Double.random(in: 0.8...1.2))
    }
}
