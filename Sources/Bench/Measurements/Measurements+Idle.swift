extension Measurements {
    /// How long the statements of processes that have nothing to do are counted, of the seconds of a measurement.
    static let idlePart = 1.5
    /// Seconds that a process is given to come to rest after its start.
    static let idleRest = 5.0
    /// Messages that are sent into the idle system, for each second of a measurement.
    static let idleMessagesPerSecond = 12.5
    /// Seconds between two of them.
    private static let idlePauses = 0.1...0.4

    /// Statements of the processes of each role that uses the database, with nothing to do and nobody else there. None
    /// where the server cannot count them.
    func idleStatements() async throws -> [RoleName: StatementCount.Rate] {
        await self.deployment.stop([.api, .worker, .receiver])
        try await self.database.reset()
        guard let counter = try await StatementCount(self.database) else {
            try await self.deployment.start([.receiver, .api, .worker])
            return [:]
        }
        var rates: [RoleName: StatementCount.Rate] = [:]
        for role in [RoleName.api, .worker, .receiver] {
            try await self.deployment.start([role])
            try await Task.sleep(for: .seconds(min(Self.idleRest, 2 * self.seconds)))
            rates[role] = try await counter.rate(over: Self.idlePart * self.seconds)
            await self.deployment.stop([role])
        }
        try await counter.end()
        try await self.deployment.start([.receiver, .api, .worker])
        return rates
    }

    /// As ``pickupTimes(rate:)``, of messages that come one by one at moments that nobody can foresee, into a system that has
    /// nothing else to do.
    func idlePickupTimes() async throws -> Percentiles? {
        var moment = 0.0
        let moments = (0..<max(4, Int(Self.idleMessagesPerSecond * self.seconds))).map { _ in
            moment += Double.random(in: Self.idlePauses)
            return moment
        }
        return Percentiles(try await self.arrivals(.moments(moments), .idlePickup).pickup)
    }
}
