import Lifecycle
import Messaging
import Store
import Telemetry

/// Joins kept receipts to their messages: at once after one was kept, and every few seconds for those whose settlement
/// took longer or came from elsewhere.
struct Joiner: Sendable {
    static let interval = Duration.seconds(5)
    static let limit: Int32 = 500
    /// As long as the most patient provider goes on reporting.
    static let retention = Duration.seconds(72 * 3600)

    let store: Store
    let lanes: [Lane]
    let metrics: ReceiptMetrics
    let logger: Logger
    /// Rung when a receipt was kept.
    let signal = Signal()

    func run() async {
        await Pulse(name: "joining receipts", logger: self.logger).run {
            await self.signal.wait(upTo: Self.interval)
            try Task.checkCancellation()
            // The settlement that names the part is usually under way when its receipt comes.
            for lane in self.lanes { try await self.join(lane) }
            let dropped = try await self.store.dropUnmatched(olderThan: Self.retention)
            guard dropped > 0 else { return }
            self.metrics.dropped.add(dropped)
            self.logger.warning("gave up receipts that no message claimed", ["receipts": dropped])
        }
    }

    private func join(_ lane: Lane) async throws {
        while true {
            let counts = try await self.store.joinUnmatched(lane: lane, limit: Self.limit)
            self.metrics.joined.add(counts.stored)
            self.metrics.count(counts)
            guard counts.stored == Self.limit else { return }
        }
    }
}
