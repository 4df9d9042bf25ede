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
                var shown: Set<ShownQueue> = []
                await self.rounds("measuring the queue", least: least, most: Self.longestScanPause) {
                    try await self.measure(&shown)
                }
            }
            group.addTask { await self.pulse("keeping house") { try await self.keepHouse() } }
            group.addTask { await self.database.run() }
        }
    }

    func pulse(_ name: StaticString, _ round: () async throws -> Void) async {
        await Pulse(name: name, logger: self.logger).run(round)
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
