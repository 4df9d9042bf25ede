import Glibc

extension Measurements {
    /// Requests of a hundred messages that are accepted for each second of a measurement: as much as a good machine submits.
    private static let requestsPerSecond = 40.0

    /// Starts the workers on a queue that was there before, of messages that go by SMPP through one session with a window
    /// of 64, and stops them when the last receipt is applied. Returns messages a second.
    func submitBySMPP() async throws -> Double {
        try await self.database.reset()
        let count = max(1, Int(Self.requestsPerSecond * self.seconds))
        let result = try await self.load(
            .smpp, messagesPerRequest: 100, callers: 8, .openLoop(rate: 10 * Self.requestsPerSecond, count: count)
        ).run()
        let perSecond = try await self.costs.measure(.smppSubmit) { _ in
            Double(result.accepted)
        } _: {
            async let rate = self.watchReceipts(of: result.accepted)
            try await self.deployment.start([.worker])
            return try await rate
        }
        try await self.checkDelivered(result.accepted)
        await self.deployment.stop([.worker])
        return perSecond
    }

    // MARK: - Private

    /// As when a queue is drained, but that what counts are the receipts applied, by workers and receivers.
    private func watchReceipts(of accepted: Int) async throws -> Double {
        let deployment = self.deployment
        return try await BlockingWork.run("receipts") { stop in
            let before = try deployment.sum([DeliveryWatch.metric], of: .receiver)[0]
            var watch = DrainWatch(target: Double(accepted), limit: .infinity)
            while true {
                try deployment.check()
                // Nobody answers before the workers have started.
                if let sums = try? deployment.sum(["pinpost_claimed_total", DeliveryWatch.metric], of: .worker) {
                    let applied = sums[1] + (try deployment.sum([DeliveryWatch.metric], of: .receiver)[0]) - before
                    if let rate = try watch.look(claimed: sums[0], settled: applied, at: .now) { return rate }
                }
                usleep(DrainWatch.interval)
                try stop.check()
            }
        }
    }
}
