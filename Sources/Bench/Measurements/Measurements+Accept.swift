import Crypto

extension Measurements {
    /// Accepts messages as fast as the callers get their answers, with no worker running.
    func accept(messagesPerRequest: Int, callers: Int, onEmptyTables: Bool = true) async throws -> LoadResult {
        if onEmptyTables { try await self.database.reset() }
        return try await self.accept(
            self.load(
                .discard, messagesPerRequest: messagesPerRequest, callers: callers,
                .closedLoop(seconds: self.seconds, gate: .open)))
    }

    /// Of all accounts and to all providers that there are beside the usual ones, in turn.
    func acceptSpread(messagesPerRequest: Int, callers: Int) async throws -> LoadResult {
        try await self.database.reset()
        let senders = self.deployment.spread.map {
            Load.Sender(request: .messages(messagesPerRequest, prefix: $0.prefix), key: $0.key.text)
        }
        return try await self.accept(
            Load(
                ports: self.deployment.apiPorts, callers: callers, senders: senders,
                mode: .closedLoop(seconds: self.seconds, gate: .open)))
    }

    private func accept(_ load: Load) async throws -> LoadResult {
        try await self.costs.measure(load.weight == 1 ? .acceptSingle : .acceptBatch) {
            Double($0.accepted)
        } _: {
            try await load.run()
        }
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
