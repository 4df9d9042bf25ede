import Crypto

/// The parts of a run, each in a file of its own. Each begins with empty tables of messages.
struct Measurements {
    let database: BenchDatabase
    let deployment: Deployment
    /// How long each is measured.
    let seconds: Double

    func run(_ schedule: Schedule) async throws -> Figures {
        var figures = Figures()
        try await self.deployment.prepare()
        try await self.measureFloors(&figures, schedule)
        try await self.deployment.start([.carrier, .receiver, .api])
        schedule.begin(.acceptSingle)
        figures.acceptSingle = try await self.accept(messagesPerRequest: 1, callers: 64).acceptedPerSecond
        schedule.begin(.start)
        figures.verifyStart = try await self.startVerifications().acceptedPerSecond
        schedule.begin(.check)
        let checks = try await self.checkVerifications()
        figures.verifyCheck = checks.acceptedPerSecond
        figures.checkTimes = Percentiles(checks.latencies)
        schedule.begin(.acceptBatch)
        let accepted = try await self.accept(messagesPerRequest: 100, callers: 8)
        figures.acceptBatch = accepted.acceptedPerSecond
        schedule.begin(.drain)
        figures.drain = try await self.drain(accepted.accepted)
        schedule.begin(.smpp)
        figures.smppSubmit = try await self.submitBySMPP()
        // What the last workers left behind is no business of the next.
        try await self.database.reset()
        try await self.deployment.start([.worker])
        schedule.begin(.single)
        figures.endToEndSingle = try await self.deliver(through: .vonage, messagesPerRequest: 1, callers: 64)
        schedule.begin(.batch)
        figures.endToEndBatch = try await self.deliver(through: .infobip, messagesPerRequest: 100, callers: 8)
        schedule.begin(.acceptTime)
        figures.acceptTimes = try await self.acceptTimes(rate: figures.acceptSingle / 10)
        schedule.begin(.pickupTime)
        figures.pickupTimes = try await self.pickupTimes(rate: figures.endToEndSingle / 10)
        schedule.begin(.hanging)
        figures.hangingTimes = try await self.hangingTimes(rate: figures.endToEndSingle / 10)
        return figures
    }

    func load(
        _ route: Deployment.Route, messagesPerRequest: Int, callers: Int, _ mode: Pacer.Mode
    ) -> Load {
        self.load(.messages(messagesPerRequest, prefix: route.rawValue), callers: callers, mode)
    }

    func load(_ request: LoadRequest, callers: Int, _ mode: Pacer.Mode) -> Load {
        Load(
            ports: self.deployment.apiPorts, callers: callers, request: request, key: self.deployment.apiKey.text,
            mode: mode)
    }

    // MARK: - Private

    private func measureFloors(_ figures: inout Figures, _ schedule: Schedule) async throws {
        let url = self.database.url
        schedule.begin(.commits)
        try await self.database.reset()
        figures.floorCommit = try await Floor(url: url, seconds: self.seconds).commits(connections: 64)
        schedule.begin(.updates)
        figures.floorUpdate = try await self.updateFloor()
        let part = Floor(url: url, seconds: self.seconds / 3)
        schedule.begin(.inserts)
        for connections in [2, 4, 8] {
            try await self.database.reset()
            figures.floorInsert = max(figures.floorInsert, try await part.inserts(connections: connections))
        }
        schedule.begin(.lifecycles)
        for connections in [2, 4, 8] {
            try await self.database.reset()
            figures.floorLifecycle = max(figures.floorLifecycle, try await part.lifecycles(connections: connections))
        }
    }
}
