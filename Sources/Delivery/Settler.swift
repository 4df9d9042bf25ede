import Batching
import Lifecycle
import Messaging
import Store
import Telemetry

/// What came of a claim, decided, on its way into the database.
protocol SettledWork: Sendable {
    associatedtype ID: Hashable, Comparable, Sendable
    var id: ID { get }
    var lane: Lane { get }
    /// What log lines call it.
    var name: String { get }
    var attempt: Int16 { get }
    var isRetried: Bool { get }
    /// Written in one statement with others of which this is the same.
    var isRecent: Bool { get }
}

extension Settled: SettledWork {
    var lane: Lane { self.id.lane }
    var name: String { "\(self.id)" }
    var isRetried: Bool { self.retry != nil }
}

extension SettledEvent: SettledWork {
    var id: EventKey { self.key }
    var lane: Lane { self.key.subject.lane }
    var name: String { "\(self.event)" }
    var isRetried: Bool { self.retryAfter != nil }
    // Events have no days.
    var isRecent: Bool { true }
}

/// Writes back what came of claims, many in one statement.
struct Settler<Settled: SettledWork>: Sendable {
    /// Writes those of one lane and one worker; returns what was still the worker's.
    typealias Write = @Sendable (_ settled: [Settled], _ lane: Lane, _ worker: WorkerID) async throws -> [Settled.ID]

    private struct Item: Sendable {
        var settled: Settled
        var worker: WorkerID
    }

    private let batcher: Batcher<Item, Bool>
    private let holdings: Holdings<Settled.ID>
    private let metrics: WorkMetrics
    private let logger: Logger
    /// Rung when a retry was scheduled, which may be due before the next look.
    private let scheduled: LaneBell

    init(
        lease: Lease, holdings: Holdings<Settled.ID>, scheduled: LaneBell, pace: BatchPace, metrics: WorkMetrics,
        logger: Logger,
        write: @escaping Write
    ) {
        self.holdings = holdings
        self.metrics = metrics
        self.logger = logger
        self.scheduled = scheduled
        self.batcher = Batcher(
            name: "settlements", batchLimit: SettlerLimits.batchLimit, queueLimit: SettlerLimits.queueLimit,
            writers: SettlerLimits.writers, pace: pace
        ) { items in
            try await Self.write(items, lease: lease, metrics: metrics, logger: logger, write)
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
                "could not settle; it will be taken up again",
                ["count": settled.count, "first": settled[0].name, "error": "\(error)"])
        }
    }

    private func count(_ settled: [Settled], mine: [Bool]) {
        self.metrics.settled.add(mine.count { $0 })
        var retries = 0
        for (settled, isMine) in zip(settled, mine) {
            if isMine {
                if settled.isRetried { retries += 1 }
            } else {
                self.metrics.leasesLost.add(1)
                self.logger.warning(
                    "another worker had taken it over; nothing was changed",
                    ["id": settled.name, "attempt": settled.attempt])
            }
        }
        if retries > 0 {
            self.metrics.retries.add(retries)
            self.scheduled.ring(Set(settled.lazy.filter(\.isRetried).map(\.lane)))
        }
    }

    /// Writes a batch, and again until it succeeds or the lease is over: losing it would send all of it again.
    private static func write(
        _ items: [Item], lease: Lease, metrics: WorkMetrics, logger: Logger, _ write: Write
    ) async throws -> [Bool] {
        var pause = Duration.milliseconds(50)
        var left = Dictionary(grouping: items) { Group(of: $0) }
        var mine: Set<Settled.ID> = []
        while true {
            do {
                let started = ContinuousClock.now
                try await Self.write(&left, &mine, write)
                metrics.settleTime.observe(ContinuousClock.now - started)
                return items.map { mine.contains($0.settled.id) }
            } catch {
                guard lease.held != nil, !Task.isCancelled else { throw error }
                logger.warning("could not settle a batch; trying again", ["count": items.count, "error": "\(error)"])
                try await Task.sleep(for: pause * Double.random(in: 0.5...1.5))
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    private struct Group: Hashable {
        var lane: Lane
        var worker: WorkerID
        var isRecent: Bool

        init(of item: Item) {
            self.lane = item.settled.lane
            self.worker = item.worker
            self.isRecent = item.settled.isRecent
        }
    }

    /// Takes out of `left` what is written: when a later group fails, it would be nobody's the next time.
    private static func write(
        _ left: inout [Group: [Item]], _ mine: inout Set<Settled.ID>, _ write: Write
    ) async throws {
        for (group, items) in left {
            let settled = items.map(\.settled).sorted { $0.id < $1.id }
            mine.formUnion(try await write(settled, group.lane, group.worker))
            left[group] = nil
        }
    }
}

enum SettlerLimits {
    /// Settlements in one statement: larger batches make a slow disk's commits too long, and then leases run out.
    static let batchLimit = 500
    /// Statements under way at once.
    static let writers = 2
    /// The slot of its provider or endpoint is free already, so a settlement has time; its lease has seconds. A busy database
    /// gets fewer and larger statements, each of which costs it much the same.
    static let pace = BatchPace(least: .milliseconds(5), most: .milliseconds(40))
    /// Settlements that may wait; more than all queues together can hold.
    static let queueLimit = 100_000
}
