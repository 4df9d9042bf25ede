public import Channels
public import Crypto
public import Lifecycle
public import Messaging
import Postgres
public import Store
public import Telemetry
public import WebClient

/// The worker process: claims due messages, has their provider's driver send each, settles what came of it.
///
///     Claimer ─▶ Outlets (a queue for each provider) ─▶ Sender ─▶ Settler
///     Lease: the heartbeat all of them depend on      Upkeep: promotes, reaps, expires, makes partitions
///
/// Draining stops the claims, gives back what has not been begun, lets requests under way end and writes back what came
/// of them. What a process that is killed held is taken over when its lease has run out.
public final class Worker: Service {
    public struct Configuration: Sendable {
        /// How it is called in the `workers` table; for people.
        public var name: String
        public var lanes: [Lane] = [Lane(rawValue: 0)]
        /// How long after its last heartbeat a worker's messages are given to others.
        public var lease: Duration = .seconds(15)
        public var policy = RetryPolicy()
        /// How long a drain may take. Requests to providers end two seconds earlier, so that they can be written back.
        public var drainDeadline: Duration = .seconds(15)

        public init(name: String) { self.name = name }
    }

    public let name = "worker"
    /// Rung by whoever knows that messages are ready.
    public let hint = Signal()
    public let health = Health()

    private let configuration: Configuration
    private let store: Store
    private let lease: Lease
    private let outlets: Outlets
    private let holdings: Holdings
    private let claimer: Claimer
    private let settler: Settler
    private let sender: Sender
    private let upkeep: Upkeep
    private let providers: DirectoryWatch<[ProviderID: ConfiguredProvider]>
    private let metrics: DeliveryMetrics
    private let logger: Logger

    public init(
        _ configuration: Configuration, store: Store, masterKeys: MasterKeys, client: WebClient, metrics: Metrics,
        logger: Logger, drivers: @escaping @Sendable (StoredProvider) throws -> any Driver
    ) async throws {
        let deliveryMetrics = DeliveryMetrics(metrics)
        let outlets = Outlets(hasRoom: self.hint, metrics: deliveryMetrics)
        let scheduled = Signal()
        let holdings = Holdings()
        let timing = Lease.Timing(
            lease: configuration.lease, interval: configuration.lease / 5, margin: configuration.lease / 5)
        let lease = Lease(store: store, name: configuration.name, timing: timing, logger: logger) {
            holdings.remove(outlets.removeAll())
        }
        self.configuration = configuration
        self.store = store
        self.lease = lease
        self.outlets = outlets
        self.holdings = holdings
        self.metrics = deliveryMetrics
        self.logger = logger
        self.settler = Settler(
            store: store, lease: lease, holdings: holdings, scheduled: scheduled, metrics: deliveryMetrics,
            logger: logger)
        self.sender = Sender(
            lease: lease, masterKeys: masterKeys, client: client, policy: configuration.policy,
            requestTimeLimit: max(configuration.drainDeadline - .seconds(2), .seconds(1)), settler: self.settler,
            holdings: holdings, metrics: deliveryMetrics, logger: logger)
        self.claimer = Claimer(
            store: store, lanes: configuration.lanes, lease: lease, outlets: outlets, holdings: holdings,
            signal: self.hint, metrics: deliveryMetrics, health: self.health, logger: logger)
        self.providers = try await DirectoryWatch(store) { directory in
            Self.configured(directory, drivers: drivers, logger: logger)
        }
        self.upkeep = Upkeep(
            store: store, lanes: configuration.lanes, lease: configuration.lease, scheduled: scheduled,
            ready: self.hint, providers: self.providers, metrics: deliveryMetrics, logger: logger)
    }

    /// Works until drained. Cancelled, it stops at once, and what was under way is left to its lease.
    public func run() async throws {
        await withTaskGroup { group in
            // To the very end: what is still under way after a drain needs its lease as much as before.
            group.addTask { await self.lease.run() }
            await self.settleUntilDrained()
            group.cancelAll()
        }
        await self.lease.end()
    }

    public func drain() {
        self.health.drain()
        self.claimer.stop()
    }

    // MARK: - Private

    private func settleUntilDrained() async {
        await withTaskGroup { group in
            group.addTask { await self.settler.run() }
            await self.sendUntilDrained()
            // All that might settle has ended: the settler writes what it has and ends too.
            self.settler.drain()
        }
    }

    private func sendUntilDrained() async {
        await withTaskGroup { group in
            group.addTask { await self.outlets.run { await self.sender.send($0, through: $1) } }
            await self.claimUntilDrained()
            await self.giveBack()
            self.outlets.close()
        }
    }

    /// Runs all that must not outlive a drain.
    private func claimUntilDrained() async {
        await withTaskGroup { group in
            group.addTask { await self.upkeep.run() }
            group.addTask { await self.followConfiguration() }
            await self.claimer.run()
            group.cancelAll()
        }
    }

    private func followConfiguration() async {
        await Pulse(name: "following the configuration", logger: self.logger).run {
            let left = self.outlets.update(self.providers.current, workersAlive: self.lease.workersAlive)
            try await self.giveBack(left)
            try await Task.sleep(for: .seconds(2))
            try await self.providers.refresh()
        }
    }

    private func giveBack() async {
        do {
            try await self.giveBack(self.outlets.removeAll())
        } catch {
            self.logger.warning("could not give claims back; their lease will run out", ["error": "\(error)"])
        }
    }

    private func giveBack(_ held: [HeldClaim]) async throws {
        self.holdings.remove(held)
        do {
            for (worker, claims) in Dictionary(grouping: held, by: \.worker) {
                let count = try await self.store.handBack(claims.map(\.claim), worker: worker)
                self.metrics.handedBack.add(count)
            }
        } catch {
            self.holdings.doubt()
            throw error
        }
    }

    private static func configured(
        _ directory: Directory, drivers: (StoredProvider) throws -> any Driver, logger: Logger
    ) -> [ProviderID: ConfiguredProvider] {
        var configured: [ProviderID: ConfiguredProvider] = [:]
        for provider in directory.providers where provider.enabled {
            do {
                configured[provider.id] = ConfiguredProvider(provider: provider, driver: try drivers(provider))
            } catch {
                logger.error("a provider cannot be served", ["provider": provider.name, "error": "\(error)"])
            }
        }
        return configured
    }
}
