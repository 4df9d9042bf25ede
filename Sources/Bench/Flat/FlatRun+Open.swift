import Postgres

extension FlatRun {
    /// Of the rate of draining, what passes while the transaction is left open.
    private static let passing = 0.1
    /// Times as long as other parts: a worker that starts reads past all dead rows once, and that is not what is asked for.
    private static let length = 3.0
    /// Messages in a request, as many as in those that fill the queue.
    private static let messagesPerRequest = 100

    /// Draining after a transaction has been open for long while messages passed, and is still, against draining without.
    func open() async throws -> [Line] {
        self.tell("open: draining without a transaction that is left open")
        let first = try await self.drain(onEmptyTables: true, length: Self.length)
        let with = try await self.database.pool.transaction { transaction in
            // What it has seen stays seen: no row that is deleted from now on may go.
            try await transaction.executeScript("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            try await transaction.execute("SELECT txid_current()")
            try await self.pass(rate: first * Self.passing)
            self.tell("open: draining with the transaction still open")
            return [
                try await self.drain(onEmptyTables: false, length: Self.length),
                try await self.drain(onEmptyTables: false, length: Self.length),
            ]
        }
        self.tell("open: draining without it again")
        let without = [first, try await self.drain(onEmptyTables: true, length: Self.length)]
        return [
            Line(
                name: "drain_beside_open_transaction",
                what: "drained, a transaction open for \(Quantity.decimal(self.flat.minutes, 1)) min",
                unit: .perSecond, figure: with.mean, against: without.mean, expectation: .atLeast(0.9),
                cost: self.measurements.costs.ledger[.drain])
        ]
    }

    /// `length`: of the seconds of a measurement.
    func drain(onEmptyTables: Bool, length: Double = 1) async throws -> Double {
        var measurements = self.measurements
        measurements.seconds *= length
        let accepted = try await measurements.accept(
            messagesPerRequest: Self.messagesPerRequest, callers: 8, onEmptyTables: onEmptyTables)
        return try await measurements.drain(accepted.accepted)
    }

    /// Has messages accepted and sent for as long as the transaction is left open.
    private func pass(rate: Double) async throws {
        self.tell("open: \(Quantity.grouped(rate)) messages/s pass beside it, for \(self.flat.minutes) min")
        let requests = rate / Double(Self.messagesPerRequest)
        try await self.deployment.start([.worker])
        _ = try await self.measurements.load(
            .discard, messagesPerRequest: Self.messagesPerRequest, callers: 8,
            .openLoop(rate: requests, count: max(1, Int(requests * 60 * self.flat.minutes)))
        ).run()
        try await self.database.waitUntilSettled()
        await self.deployment.stop([.worker])
    }
}
