import Glibc
import Synchronization

extension Measurements {
    /// Accepts messages and has them delivered, for the seconds of a measurement and until the last receipt is applied.
    /// Returns messages a second over all that time.
    ///
    /// Throws when a message that was accepted is not delivered.
    func deliver(
        through route: Deployment.Route, messagesPerRequest: Int, callers: Int
    ) async throws -> Double {
        let gate = Gate(limit: DeliveryWatch.leastBacklog)
        let load = self.load(
            route, messagesPerRequest: messagesPerRequest, callers: callers,
            .closedLoop(seconds: self.seconds, gate: gate))
        let part: CostedPart = messagesPerRequest == 1 ? .endToEndSingle : .endToEndBatch
        let (result, ended) = try await self.deliver(load, gate: gate, part)
        return Double(result.accepted) / (ended - result.started)
    }

    /// Runs a load until all of it is delivered. Returns what was accepted, and when the last receipt had been applied.
    func deliver(
        _ load: Load, gate: Gate, _ part: CostedPart
    ) async throws -> (result: LoadResult, ended: MonotonicTime) {
        let deployment = self.deployment
        return try await self.deliver(load, gate: gate, part) {
            try deployment.sum([DeliveryWatch.metric], of: .receiver)[0]
        }
    }

    /// Runs a load until all of it is delivered and `done`, a counter that blocks its thread, has grown by as much. Returns what
    /// was accepted, and when that was.
    func deliver(
        _ load: Load, gate: Gate, _ part: CostedPart, done: @escaping @Sendable () throws -> Double
    ) async throws -> (result: LoadResult, ended: MonotonicTime) {
        try await self.database.reset()
        let delivery = try await self.costs.measure(part) {
            Double($0.result.accepted)
        } _: {
            try await self.watchDelivery(load, gate: gate, done)
        }
        try await self.checkDelivered(delivery.result.accepted)
        return delivery
    }

    /// The counter of receipts is not proof: the messages' states are.
    func checkDelivered(_ accepted: Int) async throws {
        try await self.database.waitUntilSettled()
        let delivered = try await self.database.delivered()
        guard delivered == accepted else {
            throw BenchError("\(delivered) of \(accepted) accepted messages were delivered")
        }
    }

    // MARK: - Private

    private func watchDelivery(
        _ load: Load, gate: Gate, _ done: @escaping @Sendable () throws -> Double
    ) async throws -> (result: LoadResult, ended: MonotonicTime) {
        let watch = DeliveryWatch(gate: gate, before: try await BlockingWork.run("look") { _ in try done() })
        return try await withThrowingTaskGroup(of: MonotonicTime.self) { group in
            group.addTask {
                try await BlockingWork.run("delivery") { stop in
                    try watch.run(done) { try stop.check() }
                }
            }
            let result = try await load.run()
            watch.expect(result.accepted)
            guard let ended = try await group.next() else { preconditionFailure("a task was added") }
            return (result, ended)
        }
    }
}

/// Follows the count of applied receipts, and lets as many messages in as keeps about a second's work under way: enough
/// to keep everyone busy, and not so much that the work of the last phase stands in the first.
final class DeliveryWatch: Sendable {
    static let metric = "pinpost_receipts_total"
    /// Messages under way however slow it all is.
    static let leastBacklog = 1000
    /// Seconds without a receipt after which it is given up.
    static let patience = 20.0

    private let gate: Gate
    /// What the counter said before.
    private let before: Double
    /// Messages that are to be delivered; known when the load has ended.
    private let expected = Atomic(Int.max)

    init(gate: Gate, before: Double) {
        self.gate = gate
        self.before = before
    }

    func expect(_ count: Int) { self.expected.store(count, ordering: .relaxed) }

    /// Looks at the counter twenty times a second until all that is expected is there; returns when that was.
    func run(_ count: () throws -> Double, check: () throws -> Void) throws -> MonotonicTime {
        let started = MonotonicTime.now
        var progress = (count: 0, at: started)
        while true {
            let delivered = Int(try count() - self.before)
            let now = MonotonicTime.now
            if delivered >= self.expected.load(ordering: .relaxed) { return now }
            if delivered > progress.count { progress = (delivered, now) }
            guard now - progress.at < Self.patience else {
                throw BenchError("\(delivered) messages were delivered, and no more")
            }
            let rate = Double(delivered) / (now - started)
            self.gate.raise(to: delivered + max(Self.leastBacklog, Int(rate)))
            usleep(50_000)
            try check()
        }
    }
}
