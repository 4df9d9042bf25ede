import Crypto
import Lifecycle
import Messaging
import Store
import Telemetry
import WebClient

extension Worker {
    /// What wakes those who wait for work of one kind.
    struct Signals: Sendable {
        /// Rung when something was scheduled that may be due soon.
        let scheduled = LaneBell()
        /// Rung when something became ready.
        let ready: LaneBell
    }

    /// Rung when something became ready, by whoever knows of it.
    struct Bells: Sendable {
        let messages = LaneBell()
        let events = LaneBell()

        subscript(work: HintedWork) -> LaneBell {
            switch work {
            case .messages: self.messages
            case .events: self.events
            }
        }

        func ring(_ ready: ReadyLanes) {
            for work in HintedWork.allCases where !ready[work].isEmpty { self[work].ring(ready[work]) }
        }
    }

    /// The wiring of a worker.
    struct Parts {
        let configuration: Configuration
        let store: Store
        let lease: Lease
        let outlets: Outlets
        let holdings: Holdings<MessageID>
        let navigator: Navigator
        let shares: Shares
        let horizons = ClaimHorizons()
        let messageSignals: Signals
        let eventSignals: Signals
        let logger: Logger

        init(
            _ configuration: Configuration, store: Store, transports: Transports, navigator: Navigator,
            metrics: Metrics, logger: Logger, bells: Bells
        ) {
            let ready = bells.messages
            let outlets = Outlets(hasRoom: ready.signal, transports: transports, metrics: DeliveryMetrics(metrics))
            let holdings = Holdings<MessageID>(doubted: ready.signal)
            let timing = Lease.Timing(
                lease: configuration.lease, interval: configuration.lease / 5, margin: configuration.lease / 5)
            self.lease = Lease(store: store, name: configuration.name, timing: timing, logger: logger) {
                holdings.remove(outlets.removeAll().lazy.map(\.claim.id))
            }
            self.shares = Shares(store: store, lease: self.lease, outlets: outlets, logger: logger)
            self.navigator = navigator
            self.configuration = configuration
            self.store = store
            self.outlets = outlets
            self.holdings = holdings
            self.messageSignals = Signals(ready: ready)
            self.eventSignals = Signals(ready: bells.events)
            self.logger = logger
        }

        /// However long the other side may take by its own setting, a request ends early enough for a drain to write it back.
        private var requestTimeLimit: Duration {
            max(self.configuration.drainDeadline - .seconds(2), .seconds(1))
        }

        func messages(
            masterKeys: MasterKeys, client: WebClient, health: Health, metrics: DeliveryMetrics
        ) -> Pipeline<MessageSource, Settled> {
            let store = self.store
            let source = MessageSource(store: store, outlets: self.outlets, horizons: self.horizons, metrics: metrics)
            let (events, ready, horizons) = (self.eventSignals.ready, self.messageSignals.ready, self.horizons)
            let settler = Settler<Settled>(
                lease: self.lease, holdings: self.holdings, scheduled: self.messageSignals.scheduled,
                pace: SettlerLimits.pace, metrics: metrics.work, logger: self.logger
            ) {
                let (mine, hasNews) = try await store.settle($0, lane: $1, worker: $2)
                if hasNews { events.ring($1) }
                // What goes on to another provider is ready at once.
                if let oldest = $0.lazy.filter(\.isReadyAtOnce).map(\.id).min() {
                    horizons.lower($1, to: oldest)
                    ready.ring($1)
                }
                return mine
            }
            let sender = Sender(
                lease: self.lease, masterKeys: masterKeys, policy: self.configuration.policy,
                requestTimeLimit: self.requestTimeLimit, navigator: self.navigator,
                doubts: Doubts(
                    client: client, store: store, lanes: self.configuration.lanes, logger: self.logger),
                settler: settler, holdings: self.holdings, metrics: metrics, logger: self.logger)
            let outlets = self.outlets
            let detour = Detour(
                outlets: outlets, navigator: self.navigator, sender: sender, logger: self.logger)
            return Pipeline(
                source: source,
                claimer: Claimer(
                    source: source, lanes: self.configuration.lanes, lease: self.lease, holdings: self.holdings,
                    signal: self.messageSignals.ready, metrics: metrics.work, logger: self.logger,
                    onProgress: { health.succeeded() }),
                settler: settler, holdings: self.holdings, metrics: metrics.work, logger: self.logger,
                work: {
                    await withTaskGroup { group in
                        group.addTask { await detour.run() }
                        await outlets.run { await sender.send($0, through: $1) }
                        group.cancelAll()
                    }
                }, close: { outlets.close() })
        }

        func events(
            masterKeys: MasterKeys, client: WebClient, metrics: EventMetrics
        ) -> Pipeline<EventSource, SettledEvent> {
            let store = self.store
            let source = EventSource(store: store)
            let ready = self.eventSignals.ready
            let holdings = Holdings<EventKey>(doubted: ready.signal)
            let settler = Settler<SettledEvent>(
                lease: self.lease, holdings: holdings, scheduled: self.eventSignals.scheduled,
                pace: SettlerLimits.pace, metrics: metrics.work, logger: self.logger
            ) {
                let (mine, hasNext) = try await store.settleEvents($0, lane: $1, worker: $2)
                // Its slot was free before: whoever looked then found it held still.
                if hasNext { ready.ring($1) }
                return mine
            }
            let teller = Teller(
                lease: self.lease, masterKeys: masterKeys, client: client, requestTimeLimit: self.requestTimeLimit,
                store: store, settler: settler, holdings: holdings, metrics: metrics, logger: self.logger)
            metrics.observe(source)
            return Pipeline(
                source: source,
                claimer: Claimer(
                    source: source, lanes: self.configuration.lanes, lease: self.lease, holdings: holdings,
                    signal: ready,
                    metrics: metrics.work, interval: EventSource.claimInterval, logger: self.logger, onProgress: {}),
                settler: settler, holdings: holdings, metrics: metrics.work, logger: self.logger,
                work: { await source.run(onFree: { ready.signal.ring() }) { await teller.tell($0) } },
                close: { source.close() })
        }
    }
}

extension Settled {
    fileprivate var isReadyAtOnce: Bool { self.retry.map { $0.after <= .zero } ?? false }
}
