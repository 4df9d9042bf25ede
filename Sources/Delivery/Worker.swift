public import Channels
public import Crypto
public import Lifecycle
public import Messaging
import PhoneNumbers
public import Polling
import Postgres
import ReceiptKeeping
import Routing
public import Store
public import Telemetry
public import WebClient

/// The worker process: claims due messages, has their provider's driver send each, settles what came of it; and so with the
/// events that customers' endpoints are told, in slots of their own.
///
///     Claimer ─▶ MessageSource: Outlets (a queue for each provider) ─▶ Sender ─▶ Settler
///     Claimer ─▶ EventSource (slots)                                ─▶ Teller ─▶ Settler
///     Lease: the heartbeat all of them depend on      Upkeep: promotes, reaps, expires, makes partitions
///     Reconciler: asks for receipts that do not come
///
/// Draining stops the claims, gives back what has not been begun, lets requests under way end and writes back what came
/// of them. What a process that is killed held is taken over when its lease has run out.
public final class Worker: Service {
    public struct Configuration: Sendable {
        /// How it is called in the `workers` table; for people.
        public var name: String
        public var lanes: [Lane]
        /// How long after its last heartbeat a worker's messages are given to others.
        public var lease: Duration = .seconds(15)
        public var policy = RetryPolicy()
        /// How long a drain may take. Requests to providers end two seconds earlier, so that they can be written back.
        public var drainDeadline: Duration = .seconds(15)
        /// When receipts that do not come are asked for.
        public var reconciliation = Reconciliation()

        /// At which ages of messages, and how often is looked for such.
        public struct Reconciliation: Sendable {
            public var ages: [Duration] = Reconciler.ages
            public var interval: Duration = Reconciler.interval
        }

        public init(name: String, lanes: [Lane]) {
            self.name = name
            self.lanes = lanes
        }
    }

    /// Blocks of numbers whose countries are kept.
    static let regionLimit = 100_000

    public let name = "worker"
    private let bells = Bells()
    public let health = Health()

    private let configuration: Configuration
    private let store: Store
    private let lease: Lease
    private let keeper: ReceiptKeeper
    private let outlets: Outlets
    private let messages: Pipeline<MessageSource, Settled>
    private let events: Pipeline<EventSource, SettledEvent>
    private let upkeep: Upkeep
    private let breakers: Breakers
    private let conditions: ConditionsWatch
    private let shares: Shares
    private let service: DirectoryWatch<ServicePlan>
    private let reconciler: Reconciler
    private let logger: Logger

    /// - `client`: for providers; `callbackClient`: for customers' endpoints, whose addresses it must judge.
    public init(
        _ configuration: Configuration, store: Store, masterKeys: MasterKeys, poller: Poller, client: WebClient,
        callbackClient: WebClient,
        metrics: Metrics, logger: Logger, drivers: @escaping @Sendable (StoredProvider) throws -> any Driver
    ) async throws {
        let regions = RegionCache(limit: Self.regionLimit)
        let service = try await DirectoryWatch(store) {
            ServicePlan($0, regions: regions, drivers: drivers, logger: logger)
        }
        self.service = service
        // Its own breakers it knows at once.
        let conditions = ConditionsWatch(store, interval: .seconds(2)) { service.hear(of: $0) }
        self.conditions = conditions
        self.breakers = Breakers(
            shared: { conditions.current }, store: store, metrics: DeliveryMetrics(metrics), logger: logger)
        self.keeper = ReceiptKeeper(
            store: store, lanes: configuration.lanes, metrics: ReceiptMetrics(metrics), logger: logger,
            onReady: { [bells] in bells.ring($0) })
        let transports = Transports(
            client: client, poller: poller, keeper: self.keeper, smppMetrics: SMPPMetrics(metrics), logger: logger)
        let parts = Parts(
            configuration, store: store, transports: transports,
            navigator: Navigator(routes: { service.current.routes }, breakers: self.breakers), metrics: metrics,
            logger: logger, bells: self.bells)
        self.shares = parts.shares
        self.configuration = configuration
        self.store = store
        self.lease = parts.lease
        self.outlets = parts.outlets
        self.logger = logger
        self.messages = parts.messages(
            masterKeys: masterKeys, client: client, health: self.health, metrics: DeliveryMetrics(metrics))
        self.events = parts.events(masterKeys: masterKeys, client: callbackClient, metrics: EventMetrics(metrics))
        self.upkeep = Upkeep(
            store: store, lanes: configuration.lanes, lease: configuration.lease, messages: parts.messageSignals,
            events: parts.eventSignals, horizons: parts.horizons, service: self.service,
            metrics: DeliveryMetrics(metrics),
            eventMetrics: EventMetrics(metrics),
            database: DatabaseWatch(store: store, metrics: DatabaseMetrics(metrics), logger: logger),
            retention: RetentionUpkeep(
                store: store, lanes: configuration.lanes, metrics: RetentionMetrics(metrics), logger: logger),
            logger: logger)
        self.reconciler = Reconciler(
            store: store, lanes: configuration.lanes, service: self.service, client: client,
            metrics: ReconciliationMetrics(metrics), events: parts.eventSignals.ready, logger: logger,
            ages: configuration.reconciliation.ages, interval: configuration.reconciliation.interval)
    }

    /// Works until drained. Cancelled, it stops at once, and what was under way is left to its lease.
    public func run() async throws {
        await withTaskGroup { group in
            // To the very end: what is still under way after a drain needs its lease as much as before.
            group.addTask { await self.lease.run() }
            // And so do receipts that come over sessions until these are closed.
            group.addTask { await self.keeper.run() }
            await self.workUntilDrained()
            group.cancelAll()
        }
        await self.lease.end(holdsNothing: self.holdsNothing)
    }

    /// Has what is ready claimed at once, in these lanes; nil: in any.
    public func hint(of work: HintedWork, in lanes: Set<Lane>?) { self.bells[work].ring(lanes) }

    public func hint(of ready: ReadyLanes) { self.bells.ring(ready) }

    /// How many lanes there are by now; see ``Configuration/lanes``.
    public var laneCount: Int { self.service.laneCount }

    public func drain() {
        self.health.drain()
        self.messages.drain()
        self.events.drain()
    }

    // MARK: - Private

    /// Everything was settled or handed back. Cancelled, or without a lease, it has dropped what it held.
    private var holdsNothing: Bool {
        !Task.isCancelled && self.lease.held != nil && self.messages.holdings.isEmpty && self.events.holdings.isEmpty
    }

    private func workUntilDrained() async {
        await withTaskGroup { group in
            group.addTask { await self.events.run() }
            await self.sendUntilDrained()
        }
    }

    /// To the end of the drain, what is under way needs its part of the rates, and may open a breaker.
    private func sendUntilDrained() async {
        await withTaskGroup { group in
            group.addTask { await self.shares.run { try await self.messages.giveBack($0) } }
            group.addTask { await self.breakers.run() }
            group.addTask { await self.followConditions() }
            await self.messages.run {
                await withTaskGroup { group in
                    group.addTask { await self.upkeep.run() }
                    group.addTask { await self.reconciler.run() }
                    group.addTask { await self.followConfiguration() }
                }
            }
            group.cancelAll()
        }
    }

    private func followConditions() async {
        await self.conditions.run { error in
            self.logger.warning("could not read how providers are", ["error": "\(error)"])
        }
    }

    private func followConfiguration() async {
        await Pulse(name: "following the configuration", logger: self.logger).run {
            let (left, hasOpened) = self.outlets.update(
                self.service.current.providers, workersAlive: self.lease.workersAlive)
            if hasOpened { self.shares.opened.ring() }
            try await self.messages.giveBack(left)
            try await Task.sleep(for: .seconds(1))
            // The conditions tell, so that nobody has to ask.
            if self.service.isOutdated { try await self.service.refresh() }
        }
    }
}
