extension Measurements {
    /// Accepts messages as fast as the callers get their answers, with no worker running.
    func accept(messagesPerRequest: Int, callers: Int) async throws -> LoadResult {
        try await self.database.reset()
        return try await self.load(
            .discard, messagesPerRequest: messagesPerRequest, callers: callers,
            .closedLoop(seconds: self.seconds, gate: .open)
        ).run()
    }

    /// The latencies of requests with one message that come at fixed intervals.
    func acceptTimes(rate: Double) async throws -> Percentiles? {
        try await self.database.reset()
        let count = max(1, Int(rate * self.seconds))
        let result = try await self.load(
            .discard, messagesPerRequest: 1, callers: 64, .openLoop(rate: rate, count: count)
        ).run()
        try await self.database.waitUntilSettled()
        return Percentiles(result.latencies)
    }
}
