import Batching
import Lifecycle
import Messaging
import Store
import Telemetry

/// Writes back what came of claims, many in one statement.
struct Settler: Sendable {
    /// Messages in one statement: larger batches make a slow disk's commits too long, and then leases run out.
    static let batchLimit = 500
    /// Statements under way at once.
    static let writers = 2
    /// How long a statement waits for more while another is under way.
    static let gather = Duration.milliseconds(5)
    /// Settlements that may wait; more than all queues together can hold.
    static let queueLimit = 100_000

    private struct Item: Sendable {
        var settled: Settled
        var worker: WorkerID
    }

    private let batcher: Batcher<Item, Bool>
    private let holdings: Holdings
    private let metrics: DeliveryMetrics
    private let logger: Logger
    /// Rung when a retry was scheduled, which may be due before the next look.
    private let scheduled: Signal

    init(
        store: Store, lease: Lease, holdings: Holdings, scheduled: Signal, metrics: DeliveryMetrics, logger: Logger
    ) {
        self.holdings = holdings
        self.metrics = metrics
        self.logger = logger
        self.scheduled = scheduled
        self.batcher = Batcher(
            name: "settlements", batchLimit: Self.batchLimit, queueLimit: Self.queueLimit, writers: Self.writers,
            gather: Self.gather
        ) { items in
            try await Self.write(items, store: store, lease: lease, metrics: metrics, logger: logger)
        }
    }

    /// Hosts the writers until ``drain()``.
    func run() async { await self.batcher.run() }
    func drain() { self.batcher.drain() }

    /// Writes back; returns when that is committed, or when it has turned out that the lease is gone.
    func settle(_ settled: [Settled], worker: WorkerID) async {
        guard !settled.isEmpty else { return }
        do {
            let mine = try await self.batcher.submit(contentsOf: settled.map { Item(settled: $0, worker: worker) })
            self.count(settled, mine: mine)
        } catch {
            // The rows stay claimed, until the lease has run out or this worker gives them up.
            self.holdings.doubt()
            self.logger.error(
                "could not settle; the messages will be taken up again",
                ["messages": settled.count, "first": "\(settled[0].id)", "error": "\(error)"])
        }
    }

    private func count(_ settled: [Settled], mine: [Bool]) {
        self.metrics.settled.add(mine.count { $0 })
        var retries = 0
        for (settled, isMine) in zip(settled, mine) {
            if isMine {
                if settled.retry != nil { retries += 1 }
            } else {
                self.metrics.leasesLost.add(1)
                self.logger.warning(
                    "another worker had taken the message over; nothing was changed",
                    ["message": "\(settled.id)", "attempt": settled.attempt])
            }
        }
        if retries > 0 {
            self.metrics.retries.add(retries)
            self.scheduled.ring()
        }
    }

    /// Writes a batch, and again until it succeeds or the lease is over: losing it would send the messages again.
    private static func write(
        _ items: [Item], store: Store, lease: Lease, metrics: DeliveryMetrics, logger: Logger
    ) async throws -> [Bool] {
        var pause = Duration.milliseconds(50)
        while true {
            do {
                let started = ContinuousClock.now
                let mine = try await Self.writeOnce(items, store: store)
                metrics.settleTime.observe(ContinuousClock.now - started)
                return items.map { mine.contains($0.settled.id) }
            } catch {
                guard lease.held != nil, !Task.isCancelled else { throw error }
                logger.warning(
                    "could not settle a batch; trying again", ["messages": items.count, "error": "\(error)"])
                try await Task.sleep(for: pause * Double.random(in: 0.5...1.5))
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    private struct Group: Hashable {
        var lane: Lane
        var worker: WorkerID
    }

    private static func writeOnce(_ items: [Item], store: Store) async throws -> Set<MessageID> {
        var mine: Set<MessageID> = []
        let groups = Dictionary(grouping: items) { Group(lane: $0.settled.id.lane, worker: $0.worker) }
        for (group, items) in groups {
            let settled = items.map(\.settled).sorted { $0.id < $1.id }
            mine.formUnion(try await store.settle(settled, lane: group.lane, worker: group.worker))
        }
        return mine
    }
}
