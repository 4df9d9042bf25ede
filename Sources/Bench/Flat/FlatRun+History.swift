import Postgres

extension FlatRun {
    /// The parts that need a history.
    func withHistory() async throws -> [Line] {
        let history = History(self.database, rows: self.flat.history)
        self.tell(
            "history: \(Quantity.grouped(Double(history.rows))) rows, in \(History.filledDays) of \(History.days) days")
        try await history.make { self.tell($0) }
        let lines = self.flat.parts.contains(.history) ? try await self.rates(beside: history) : []
        return lines + (self.flat.parts.contains(.drop) ? try await self.dropping(of: history) : [])
    }

    // MARK: - Rates

    private struct Rates {
        var accept = 0.0
        var drain = 0.0
        var check = 0.0
        var get = 0.0
    }

    /// Leaves the history attached.
    private func rates(beside history: History) async throws -> [Line] {
        let (without, with) = try await self.inTurns {
            self.tell("history: rates without")
            try await history.detach()
            let rates = try await self.rates()
            try await history.attach()
            return rates
        } with: {
            self.tell("history: rates with")
            return try await self.rates()
        }
        let kinds: [(String, String, KeyPath<Rates, Double>, CostedPart)] = [
            ("accept", "accepted", \.accept, .acceptSingle), ("drain", "drained", \.drain, .drain),
            ("check", "codes checked", \.check, .verifyCheck), ("get", "messages looked at", \.get, .get),
        ]
        return kinds.map { name, what, path, part in
            Line(
                name: "\(name)_beside_history",
                what: "\(what), beside \(Quantity.grouped(Double(history.rows))) rows of history", unit: .perSecond,
                figure: with.map { $0[keyPath: path] }.mean, against: without.map { $0[keyPath: path] }.mean,
                expectation: Self.sameRate, cost: self.measurements.costs.ledger[part])
        }
    }

    private func rates() async throws -> Rates {
        var rates = Rates()
        rates.accept = try await self.measurements.accept(messagesPerRequest: 1, callers: 64).acceptedPerSecond
        rates.get = try await self.measurements.look().acceptedPerSecond
        rates.drain = try await self.drain(onEmptyTables: true)
        rates.check = try await self.measurements.checkVerifications().acceptedPerSecond
        return rates
    }

    // MARK: - Dropping

    /// Of the peak, what passes meanwhile.
    private static let passing = 0.1
    /// Seconds that somebody else reads the tables for, whom the dropping has to wait for and nobody else may.
    private static let reading = 2.0
    /// Messages wait no longer than this, in milliseconds: far less than the reading.
    private static let longestWait = 250.0

    private func dropping(of history: History) async throws -> [Line] {
        self.tell("drop: the peak of messages through a provider")
        try await self.database.reset()
        try await self.deployment.start([.worker])
        let peak = try await self.measurements.deliver(through: .vonage, messagesPerRequest: 1, callers: 64)
        var day = History.filledDays
        let (without, with) = try await self.inTurns {
            self.tell("drop: messages while nothing is dropped")
            return try await self.pass(rate: peak * Self.passing)
        } with: {
            day -= 1
            self.tell("drop: messages while a day is dropped and somebody reads")
            return try await self.passDropping(day, of: history, rate: peak * Self.passing)
        }
        await self.deployment.stop([.worker])
        let kinds: [(String, String, KeyPath<Measurements.Arrivals, [Double]>)] = [
            ("accept", "longest time to accept", \.accept), ("pickup", "longest from accepted to provider", \.pickup),
        ]
        return kinds.map { name, what, path in
            Line(
                name: "\(name)_while_dropping", what: "\(what), a day dropped", unit: .milliseconds,
                figure: with.flatMap { $0[keyPath: path] }.max(),
                against: without.flatMap { $0[keyPath: path] }.max(), expectation: .below(Self.longestWait),
                cost: self.measurements.costs.ledger[.pickup])
        }
    }

    private func pass(rate: Double) async throws -> Measurements.Arrivals {
        let seconds = Self.reading + self.measurements.seconds
        return try await self.measurements.arrivals(
            .openLoop(rate: rate, count: max(1, Int(rate * seconds))), .pickup)
    }

    private func passDropping(
        _ day: Int, of history: History, rate: Double
    ) async throws -> Measurements.Arrivals {
        // Behind the emptying of the tables, with which the passing begins.
        async let reader: Void = self.readAlong()
        async let dropped: Void = self.dropLate(day, of: history)
        let arrivals = try await self.pass(rate: rate)
        try await reader
        try await dropped
        return arrivals
    }

    /// Seconds after which the reader begins, and after which the day is dropped.
    private static let begins = (reading: 0.5, dropping: 1.0)

    private func readAlong() async throws {
        try await Task.sleep(for: .seconds(Self.begins.reading))
        try await self.database.pool.transaction { transaction in
            try await transaction.execute("SELECT FROM messages LIMIT 1")
            try await Task.sleep(for: .seconds(Self.reading))
        }
    }

    private func dropLate(_ day: Int, of history: History) async throws {
        try await Task.sleep(for: .seconds(Self.begins.dropping))
        try await history.drop(day)
    }
}
