import Polling

extension FlatRun {
    /// Accounts, providers and routes, so many of each, and then ten times as many.
    static let few = 4
    private static let many = 40

    /// Rates with ten times the accounts, providers and routes, all of which have messages, against few.
    func spread() async throws -> [Line] {
        let poller = try Poller()
        poller.start()
        let database = try await BenchDatabase.make(
            serverURL: self.database.url, parent: self.options.directory, poller: poller)
        let result: Result<[Line], any Error>
        do {
            result = .success(try await self.spread(over: database))
        } catch {
            result = .failure(error)
        }
        try await Task { try await database.remove() }.value
        return try result.get()
    }

    // MARK: - Private

    private func spread(over database: BenchDatabase) async throws -> [Line] {
        self.tell("spread: \(Self.many) accounts, providers and routes in a database of their own")
        let deployment = try self.deployment.other(
            databaseURL: database.url, directory: database.directory, spread: Self.many)
        let many = Measurements(database: database, deployment: deployment, seconds: self.measurements.seconds)
        do {
            try await deployment.prepare()
            try await deployment.start([.carrier, .receiver, .api])
            let (without, with) = try await self.inTurns {
                self.tell("spread: rates with \(Self.few) of each")
                return try await self.rates(self.measurements)
            } with: {
                self.tell("spread: rates with \(Self.many) of each")
                return try await self.rates(many)
            }
            await deployment.stop()
            return self.lines(without, with, many.costs.ledger)
        } catch {
            await deployment.stop()
            throw error
        }
    }

    private func rates(_ measurements: Measurements) async throws -> (accept: Double, drain: Double) {
        let accepted = try await measurements.acceptSpread(messagesPerRequest: 1, callers: 64)
        // With one a request the queue would be drained before the worker has come up to speed.
        let filled = try await measurements.acceptSpread(messagesPerRequest: 100, callers: 8)
        return (accepted.acceptedPerSecond, try await measurements.drain(filled.accepted))
    }

    private func lines(
        _ without: [(accept: Double, drain: Double)], _ with: [(accept: Double, drain: Double)],
        _ costs: CostMeter.Ledger
    ) -> [Line] {
        let suffix = "with \(Self.many) accounts, providers and routes for \(Self.few)"
        return [
            Line(
                name: "accept_of_many", what: "accepted, \(suffix)", unit: .perSecond,
                figure: with.map(\.accept).mean, against: without.map(\.accept).mean, expectation: Self.sameRate,
                cost: costs[.acceptSingle]),
            Line(
                name: "drain_of_many", what: "drained, \(suffix)", unit: .perSecond, figure: with.map(\.drain).mean,
                against: without.map(\.drain).mean, expectation: Self.sameRate, cost: costs[.drain]),
        ]
    }
}
