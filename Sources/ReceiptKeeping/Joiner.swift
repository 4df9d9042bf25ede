import Lifecycle
import Messaging
import Store
import Telemetry

/// Joins kept receipts to their messages: at once after one was kept, and every few seconds for those whose settlement
/// took longer or came from elsewhere.
struct Joiner: Sendable {
    static let interval = Duration.seconds(5)
    /// At least so long from one look to the next, however many receipts are not ours.
    static let pause = Duration.milliseconds(250)
    static let limit: Int32 = 500
    static let dropLimit: Int32 = 5000
    /// A receipt that overtook its settlement is joined within moments, or after a worker's lease.
    static let recent = Duration.seconds(300)
    static let lookBackInterval = Duration.seconds(600)
    /// As long as the most patient provider goes on reporting.
    static let retention = Duration.seconds(72 * 3600)

    let store: Store
    let lanes: [Lane]
    let metrics: ReceiptMetrics
    let logger: Logger
    let onReady: @Sendable (ReadyLanes) -> Void
    /// Rung when a receipt was kept.
    let signal = Signal()

    func run() async {
        await withTaskGroup { group in
            group.addTask { await self.joinRecent() }
            group.addTask { await self.lookBack() }
        }
    }

    private func joinRecent() async {
        await Pulse(name: "joining receipts", logger: self.logger).run {
            await self.signal.wait(upTo: Self.interval)
            try Task.checkCancellation()
            // The settlement that names the part is usually under way when its receipt comes.
            try await self.join(age: Self.recent)
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Gives up what is too old, and has one more look at all the rest: rarely, for it may be much that is not ours.
    private func lookBack() async {
        await Pulse(name: "looking back at kept receipts", logger: self.logger).run {
            try await Task.sleep(for: Self.lookBackInterval * Double.random(in: 0.8...1.2))
            try await self.drop()
            try await self.join(age: Self.retention)
        }
    }

    private func drop() async throws {
        while true {
            let dropped = try await self.store.dropUnmatched(olderThan: Self.retention, limit: Self.dropLimit)
            self.metrics.dropped.add(dropped)
            if dropped > 0 {
                self.logger.warning("gave up receipts that no message claimed", ["receipts": dropped])
            }
            guard dropped == Self.dropLimit else { return }
        }
    }

    /// With several lanes, asks first whether there is anything to join.
    private func join(age: Duration) async throws {
        if self.lanes.count > 1, !(try await self.store.hasUnmatched(age: age)) { return }
        for lane in self.lanes { try await self.join(lane, age: age) }
    }

    private func join(_ lane: Lane, age: Duration) async throws {
        while true {
            let counts = try await self.store.joinUnmatched(lane: lane, age: age, limit: Self.limit)
            self.metrics.joined.add(counts.stored)
            self.metrics.count(counts)
            self.onReady(counts.ready)
            guard counts.stored == Self.limit else { return }
        }
    }
}
