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
    static let expiryLimit: Int32 = 2000
    /// Between looks for what waits for providers out of service and is past its time, and when there are millions of it.
    static let expiryInterval = Duration.seconds(60)
    static let longestExpiryInterval = Duration.seconds(1200)
    /// Between counts of the queue.
    static let depthInterval = Duration.seconds(10)
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
    static let wipeInterval = Duration.seconds(10)

    /// What is put off until the first look looks so often whether that is done.
    static let firstLook = Duration.milliseconds(100)
    /// Between looks at what there is to do.
    static let outlookInterval = Duration.seconds(1)
    static let longestOutlookPause = Duration.seconds(5)
    /// Between looks for what is older than the claims look for, while dead rows cannot be cleared up.
    static let longestLookBackPause = Duration.seconds(30)
    /// Between two statements that read all of a queue, however slow dead rows make them.
    static let longestScanPause = Duration.seconds(60)
    /// Times as long as such a statement took, at least: a twentieth of the time goes to each.
    static let scanFactor = 20

    /// How long to wait after something that `took` so long.
    static func pause(after took: Duration, least: Duration = .zero, most: Duration) -> Duration {
        max(least, min(took * Self.scanFactor, most))
    }

    /// Between rounds of work of which the outlook says that there is none.
    static let idleInterval = Duration.seconds(30)
    /// Between looks for breakers that have closed.
    static let breakerInterval = Duration.seconds(10)

    /// Tallies folded into rates by one statement.
    static let tallyLimit: Int32 = 5000
    /// Between two foldings: so far rates lag behind.
    static let foldInterval = Duration.seconds(2)
    /// Rows of old rates deleted by one statement.
    static let rateLimit: Int32 = 1000
    /// What the rates that are shown look back over.
    static let rateSpan = Duration.seconds(86400)
    /// Between two looks at them.
    static let rateInterval = Duration.seconds(60)

    let store: Store
    let lanes: [Lane]
    let lease: Duration
    let messages: Worker.Signals
    let events: Worker.Signals
    let horizons: ClaimHorizons
    let service: DirectoryWatch<ServicePlan>
    let metrics: DeliveryMetrics
    let eventMetrics: EventMetrics
    let database: DatabaseWatch
    let retention: RetentionUpkeep
    let logger: Logger
    /// Rung by the outlook.
    let standby = LaneBell()
    let tallies = LaneBell()
    let deaths = Signal()

    init(
        store: Store, lanes: [Lane], lease: Duration, messages: Worker.Signals, events: Worker.Signals,
        horizons: ClaimHorizons, service: DirectoryWatch<ServicePlan>, metrics: DeliveryMetrics,
        eventMetrics: EventMetrics,
        database: DatabaseWatch, retention: RetentionUpkeep, logger: Logger
    ) {
        self.store = store
        self.lanes = lanes
        self.lease = lease
        self.messages = messages
        self.events = events
        self.horizons = horizons
        self.service = service
        self.metrics = metrics
        self.eventMetrics = eventMetrics
        self.database = database
        self.retention = retention
        self.logger = logger
    }

    func run() async {
        let (messageRota, eventRota, standbyRota) = (LaneRota(self.lanes), LaneRota(self.lanes), LaneRota(self.lanes))
        let (expiryRota, codeRota, tallyRota) = (LaneRota(self.lanes), LaneRota(self.lanes), LaneRota(self.lanes))
        await withTaskGroup { group in
            group.addTask { await self.look(LaneRota(self.lanes)) }
            group.addTask {
                await self.pulse("promoting messages") {
                    try await self.promote(self.messages, messageRota) { lane in
                        let (moved, next, oldest) = try await self.store.promote(
                            lane: lane, limit: Self.promotionLimit)
                        self.horizons.lower(lane, to: oldest)
                        return (moved, next)
                    }
                }
            }
            group.addTask {
                await self.pulse("promoting events") {
                    try await self.promote(self.events, eventRota) {
                        try await self.store.promoteEvents(lane: $0, limit: Self.promotionLimit)
                    }
                }
            }
            group.addTask {
                await self.pulse("resuming what is on standby") { try await self.resumeSilent(standbyRota) }
            }
            group.addTask { await self.pulse("closing breakers") { try await self.closeBreakers() } }
            group.addTask { await self.reap() }
            group.addTask {
                await self.rounds("expiring what is old", least: Self.expiryInterval, most: Self.expiryInterval) {
                    try await self.expireOld()
                }
            }
            group.addTask {
                let interval = Self.expiryInterval
                await self.rounds("expiring", first: interval, least: interval, most: Self.longestExpiryInterval) {
                    try await self.expire(expiryRota.next())
                }
            }
            group.addTask { await self.pulse("wiping codes") { try await self.wipeCodes(codeRota.next()) } }
            group.addTask { await self.pulse("folding tallies") { try await self.foldTallies(tallyRota) } }
            group.addTask { await self.showRates() }
            group.addTask { await self.moveWeights() }
            group.addTask {
                // All lanes are counted each time, and so the less often.
                let least = Self.depthInterval * max(1, self.lanes.count / LaneTurns.idleLimit)
                await self.waitUntilOpen()
                await self.rounds("measuring the queue", least: least, most: Self.longestScanPause) {
                    try await self.measure()
                }
            }
            group.addTask { await self.pulse("keeping house") { try await self.keepHouse() } }
            group.addTask { await self.database.run() }
        }
    }

    func pulse(_ name: StaticString, _ round: () async throws -> Void) async {
        await Pulse(name: name, logger: self.logger).run(round)
    }

    /// Does what may have to read all of a queue, and again after many times as long as that took, whether it went well or not.
    private func rounds(
        _ name: StaticString, first: Duration = .zero, least: Duration, most: Duration,
        _ work: () async throws -> Void
    ) async {
        var due = ContinuousClock.now + first
        await self.pulse(name) {
            try await Task.sleep(until: due)
            let started = ContinuousClock.now
            defer {
                let pause = Self.pause(after: .now - started, least: least, most: most)
                due = .now + pause * Double.random(in: 0.8...1.2)
            }
            try await work()
        }
    }

    /// Returns when there has been a look at every lane.
    private func waitUntilOpen() async {
        while !self.lanes.allSatisfy(self.horizons.isKnown), !Task.isCancelled {
            try? await Task.sleep(for: Self.firstLook)
        }
    }

    /// Moves what is due into the ready queue, and waits for what is due next, or until the outlook finds something.
    private func promote(
        _ signals: Worker.Signals, _ rota: LaneRota, _ promote: (Lane) async throws -> (moved: Int, next: Duration?)
    ) async throws {
        var wait = Self.idleInterval
        for lane in rota.next(signals.scheduled.take()) {
            var (moved, next) = try await promote(lane)
            if moved > 0 { signals.ready.ring(lane) }
            if moved == Self.promotionLimit { next = .zero }
            rota.finish(lane, due: next)
            wait = min(wait, max(next ?? wait, .milliseconds(moved > 0 ? 1 : 10)))
        }
        // What is due in lanes that have not been looked at this time.
        if let due = rota.wait { wait = min(wait, max(due, .milliseconds(10))) }
        await signals.scheduled.wait(upTo: wait)
    }

    /// Sends on what providers have been silent about, and gives up what is past its time.
    private func resumeSilent(_ rota: LaneRota) async throws {
        var wait = Self.idleInterval
        for lane in rota.next(self.standby.take()) {
            let silent = try await self.store.resumeSilent(lane: lane, limit: Self.promotionLimit)
            rota.finish(lane, due: silent.next)
            if silent.resumed > 0 {
                self.horizons.askForLookAtAll(lane)
                self.messages.ready.ring(lane)
            }
            if silent.taken == Int(Self.promotionLimit) { wait = .milliseconds(1) }
            wait = min(wait, max(silent.next ?? wait, .milliseconds(10)))
            while try await self.store.dropStandby(lane: lane, limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
        }
        if let due = rota.wait { wait = min(wait, max(due, .milliseconds(10))) }
        await self.standby.wait(upTo: wait)
    }

    private func closeBreakers() async throws {
        _ = try await self.store.closeBreakers()
        try await Task.sleep(for: Self.breakerInterval * Double.random(in: 0.8...1.2))
    }

    /// Takes over what dead workers hold: at the start, as soon as one fell silent, and then now and again until nothing of them is
    /// left. Not at the start where all of the queue is slow to read, unless somebody has died.
    private func reap() async {
        var known = 0
        var due = ContinuousClock.now
        /// No sooner after the last look, even when somebody else has died.
        var rested = ContinuousClock.now
        await self.pulse("reaping") {
            let isOpen = self.lanes.allSatisfy(self.horizons.isKnown)
            if known == 0, due <= .now, self.lanes.contains(where: { self.horizons.reach($0) != nil }) {
                due = .now + Self.lookInterval * Double.random(in: 0...1)
            }
            let lost = try await self.store.loseSilentWorkers()
            if lost.now > 0 || lost.all > known { due = min(due, rested) }
            known = lost.all
            if due <= .now, isOpen || lost.all > 0 {
                let started = ContinuousClock.now
                defer {
                    let took = ContinuousClock.now - started
                    let interval = Self.pause(after: took, least: Self.reapInterval, most: Self.longestScanPause)
                    rested = .now + Self.pause(after: took, most: Self.longestScanPause)
                    // Those that were started together do not look together.
                    due = .now + (lost.all > 0 ? interval : Self.lookInterval * Double.random(in: 0.5...1))
                }
                try await self.reapOnce()
            }
            let pause = min(lost.all > 0 ? Self.reapInterval : Self.idleInterval, max(.zero, due - .now))
            await self.deaths.wait(upTo: isOpen ? pause : Self.firstLook)
            try Task.checkCancellation()
        }
    }

    private func reapOnce() async throws {
        for lane in self.lanes {
            let messages = try await self.store.reap(lane: lane)
            let events = try await self.store.reapEvents(lane: lane)
            guard messages + events > 0 else { continue }
            self.metrics.work.reaped.add(messages)
            self.eventMetrics.work.reaped.add(events)
            self.logger.warning(
                "took over from workers that fell silent", ["messages": messages, "events": events])
            self.horizons.askForLookAtAll(lane)
            self.messages.ready.ring(lane)
            self.events.ready.ring(lane)
        }
        try await self.store.forgetLostWorkers(lanes: self.lanes)
    }

    /// Ends what waits for providers that are out of service and is past its time.
    private func expire(_ lanes: [Lane]) async throws {
        let served = Array(self.service.current.providers.keys)
        for lane in lanes {
            try await self.expire(lane, "messages of providers out of service expired") {
                try await self.store.expireStranded(lane: lane, served: served, limit: Self.expiryLimit)
            }
        }
    }

    /// Ends what claims leave for its age.
    private func expireOld() async throws {
        for lane in self.lanes {
            try await self.expire(lane, "messages older than any may live expired") {
                try await self.store.expireOld(lane: lane, limit: Self.expiryLimit)
            }
        }
    }

    /// Batch by batch until there is no more. Each looks through all that has not expired again.
    private func expire(_ lane: Lane, _ words: StaticString, _ batch: () async throws -> Int) async throws {
        while true {
            let started = ContinuousClock.now
            let count = try await batch()
            if count > 0 { self.logger.info(words, ["messages": count, "lane": Int(lane.rawValue)]) }
            guard count == Int(Self.expiryLimit) else { return }
            try await Task.sleep(for: Self.pause(after: .now - started, most: Self.longestScanPause))
        }
    }

    private func wipeCodes(_ lanes: [Lane]) async throws {
        for lane in lanes {
            while try await self.store.wipeExpiredCodes(lane: lane, limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
            while try await self.store.dropScopedCodes(lane: lane, limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
        }
        try await Task.sleep(for: Self.wipeInterval * Double.random(in: 0.8...1.2))
    }

    private func foldTallies(_ rota: LaneRota) async throws {
        for lane in rota.next(self.tallies.take()) {
            while try await self.store.foldTallies(lane: lane, limit: Self.tallyLimit) == Int(Self.tallyLimit) {}
            rota.finish(lane, due: nil)
        }
        try await Task.sleep(for: Self.foldInterval * Double.random(in: 0.8...1.2))
        await self.tallies.wait(upTo: Self.idleInterval)
    }

    /// How many of the last day's messages arrived and converted, of the providers and countries with the most of them.
    private func showRates() async {
        var shown: Set<RateLabels> = []
        await self.pulse("measuring rates") {
            let names = self.service.current.providers.mapValues(\.provider.name)
            let rates = try await self.store.providerRates(lanes: self.lanes, since: .now - Self.rateSpan)
            let counts = RateLabels.summed(rates, names: names)
            // What is no longer among them has no rate; a gauge once shown cannot be taken away.
            for labels in shown.union(counts.keys) { self.metrics.show(counts[labels], of: labels) }
            shown.formUnion(counts.keys)
            try await Task.sleep(for: Self.rateInterval * Double.random(in: 0.8...1.2))
        }
    }

    private func moveWeights() async {
        let weights = WeightUpkeep(
            store: self.store, lanes: self.lanes, metrics: self.metrics, logger: self.logger)
        let service = self.service
        await weights.run { service.current.providers.mapValues(\.provider.name) }
    }

    private struct QueuePlace: Hashable {
        var provider: ProviderID
        var priority: Priority
    }

    private func measure() async throws {
        let providers = self.service.current.providers
        var depths: [QueuePlace: (ready: Int, oldest: Duration)] = [:]
        var counted: [Priority: Int] = [:]
        for lane in self.lanes {
            for depth in try await self.store.queueDepths(
                lane: lane, served: Array(providers.keys), limit: Self.depthLimit, from: self.horizons.reach(lane))
            {
                let place = QueuePlace(provider: depth.provider, priority: depth.priority)
                let known = depths[place] ?? (0, .zero)
                depths[place] = (known.ready + depth.ready, max(known.oldest, depth.oldest))
                counted[depth.priority, default: 0] += depth.ready
            }
        }
        // Not before all is known: a queue that could not be counted does not look empty, nor does one for which others have left no
        // room in the count.
        for (id, configured) in providers {
            for priority in Priority.allCases {
                if let depth = depths[QueuePlace(provider: id, priority: priority)] {
                    self.show(depth.ready, depth.oldest, of: configured, priority)
                } else if counted[priority, default: 0] < Int(Self.depthLimit) {
                    self.show(0, .zero, of: configured, priority)
                }
            }
        }
        try await self.measureEvents()
    }

    private func measureEvents() async throws {
        var (ready, waiting) = (0, 0)
        for lane in self.lanes {
            let depth = try await self.store.eventDepth(lane: lane, limit: Self.depthLimit)
            ready += depth.ready
            waiting += depth.waiting
        }
        self.eventMetrics.ready.set(ready)
        self.eventMetrics.waiting.set(waiting)
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
        while try await self.store.dropLookUps(limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
        for lane in self.lanes {
            while try await self.store.dropIdempotencyKeys(
                lane: lane, olderThan: Self.idempotencyRetention, limit: 1000) == 1000
            {}
            _ = try await self.store.forgetFailures(lane: lane, olderThan: FailurePolicy.memory)
            while try await self.store.forgetLimits(lane: lane, limit: Self.wipeLimit) == Int(Self.wipeLimit) {}
            while try await self.store.dropRates(
                lane: lane, olderThan: Store.rateRetention, limit: Self.rateLimit) == Int(Self.rateLimit)
            {}
        }
        try await self.retention.run()
        try await Task.sleep(for: .seconds(3600) * Double.random(in: 0.8...1.2))
    }
}
