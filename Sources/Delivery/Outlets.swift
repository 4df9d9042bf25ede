import Channels
import Lifecycle
import Messaging
import Store
import Synchronization
import Telemetry

/// A provider in service: its driver, and the queue in front of it.
struct Outlet: Sendable {
    let provider: StoredProvider
    let driver: any Driver
    let transport: any Transport
    let queue: ProviderQueue

    var name: String { self.provider.name }

    /// Hosts its queue and its transport until the queue is closed and empty, or until cancelled.
    func run(_ send: @escaping @Sendable ([HeldClaim]) async -> ProviderQueue.Settling) async {
        await withTaskGroup { group in
            group.addTask { await self.transport.run() }
            await self.queue.run(send)
            self.transport.close()
        }
    }
}

/// The providers in service, kept as the configuration says.
final class Outlets: Sendable {
    private let state = Mutex<[ProviderID: Outlet]>([:])
    private let opened: AsyncStream<Outlet>
    private let opening: AsyncStream<Outlet>.Continuation
    private let hasRoom: Signal
    private let transports: Transports
    private let metrics: DeliveryMetrics

    init(hasRoom: Signal, transports: Transports, metrics: DeliveryMetrics) {
        self.transports = transports
        self.hasRoom = hasRoom
        self.metrics = metrics
        (self.opened, self.opening) = AsyncStream.makeStream()
    }

    subscript(_ provider: ProviderID) -> Outlet? { self.state.withLock { $0[provider] } }

    /// Providers with room for claims, and how much.
    func roomy() -> [(provider: ProviderID, room: Int)] {
        self.state.withLock { outlets in
            outlets.values.compactMap { outlet in
                let room = outlet.queue.askForRoom()
                return room > 0 ? (outlet.provider.id, room) : nil
            }
        }
    }

    var all: [Outlet] { self.state.withLock { Array($0.values) } }

    /// Puts claims into the queues of their providers; returns those whose provider went out of service meanwhile.
    func append(_ claims: [HeldClaim]) -> [HeldClaim] {
        var stranded: [HeldClaim] = []
        for (provider, claims) in Dictionary(grouping: claims, by: \.claim.provider) {
            stranded += self[provider]?.queue.append(claims) ?? claims
        }
        return stranded
    }

    /// Takes everything out of the queues that is not under way.
    func removeAll() -> [HeldClaim] {
        self.state.withLock { Array($0.values) }.flatMap { $0.queue.removeAll() }
    }

    /// Opens, changes and closes outlets to match the configuration; returns what the closed ones held, and whether there are new
    /// ones. Slots are for all workers together, so each takes its part of them; of rates see ``Shares``.
    func update(
        _ providers: [ProviderID: ConfiguredProvider], workersAlive: Int
    ) -> (left: [HeldClaim], hasOpened: Bool) {
        self.state.withLock { outlets in
            var left: [HeldClaim] = []
            var hasOpened = false
            for (id, outlet) in outlets where providers[id]?.provider != outlet.provider {
                outlet.queue.close()
                left += outlet.queue.removeAll()
                outlets[id] = nil
            }
            for (id, configured) in providers {
                if let outlet = outlets[id] {
                    outlet.queue.setSlots(configured.slots(of: workersAlive))
                } else {
                    let outlet = self.open(configured, workersAlive: workersAlive)
                    outlets[id] = outlet
                    self.opening.yield(outlet)
                    hasOpened = true
                }
            }
            return (left, hasOpened)
        }
    }

    private func open(_ configured: ConfiguredProvider, workersAlive: Int) -> Outlet {
        let state = ProviderQueueState(
            inFlightLimit: configured.slots(of: workersAlive), batchLimit: configured.driver.batchLimit,
            countsSegments: configured.countsSegments,
            // Nothing goes before there is a share of the rate.
            pace: Pace(rate: 0))
        let queue = ProviderQueue(provider: configured.provider.id, state: state, hasRoom: self.hasRoom)
        let outlet = Outlet(
            provider: configured.provider, driver: configured.driver, transport: self.transports.make(configured),
            queue: queue)
        self.metrics.observe(outlet)
        return outlet
    }

    /// Hosts the queues' tasks until closed or cancelled.
    func run(_ send: @escaping @Sendable ([HeldClaim], Outlet) async -> ProviderQueue.Settling) async {
        await withDiscardingTaskGroup { group in
            for await outlet in self.opened {
                group.addTask { await outlet.run { await send($0, outlet) } }
            }
        }
    }

    /// Closes all queues; `run` returns when what is under way is done.
    func close() {
        self.opening.finish()
        for outlet in self.state.withLock({ Array($0.values) }) { outlet.queue.close() }
    }
}

/// A provider that can be served, as the configuration has it.
struct ConfiguredProvider: Sendable {
    var provider: StoredProvider
    var driver: any Driver

    /// Whether its rate is of segments and not of messages.
    var countsSegments: Bool {
        self.provider.rateUnit.map { $0 == .segments }
            ?? ProviderKind(rawValue: self.provider.kind)?.countsSegments ?? false
    }

    func slots(of workersAlive: Int) -> Int { max(1, Int(self.provider.inFlightLimit) / max(1, workersAlive)) }
}
