import Crypto

/// The parts of a run, each in a file of its own. Each begins with empty tables of messages.
struct Measurements {
    let database: BenchDatabase
    let deployment: Deployment
    /// How long each is measured.
    var seconds: Double
    let costs: CostMeter

    init(database: BenchDatabase, deployment: Deployment, seconds: Double) {
        self.database = database
        self.deployment = deployment
        self.seconds = seconds
        self.costs = CostMeter(database: database, deployment: deployment)
    }

    func run(_ schedule: Schedule) async throws -> Figures {
        var figures = Figures()
        figures.copies = self.deployment.copies
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
        schedule.begin(.singleTold)
        figures.endToEndSingleTold = try await self.deliverTold(through: .vonage, messagesPerRequest: 1, callers: 64)
        schedule.begin(.batchTold)
        figures.endToEndBatchTold = try await self.deliverTold(
            through: .infobip, messagesPerRequest: 100, callers: 8)
        schedule.begin(.acceptTime)
        figures.acceptTimes = try await self.acceptTimes(rate: figures.acceptSingle / 10)
        schedule.begin(.pickupTime)
        figures.pickupTimes = try await self.pickupTimes(rate: figures.endToEndSingle / 10)
        schedule.begin(.hanging)
        figures.hangingTimes = try await self.hangingTimes(rate: figures.endToEndSingle / 10)
        schedule.begin(.idleStatements)
        figures.idleStatements = try await self.idleStatements()
        schedule.begin(.idlePickup)
        figures.idlePickupTimes = try await self.idlePickupTimes()
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
        let whole = Floor(url: url, seconds: self.seconds)
        figures.floorCommit = try await self.cost(.floorCommit, of: whole) { try await $0.commits(connections: 64) }
        schedule.begin(.updates)
        figures.floorUpdate = try await self.updateFloor()
        schedule.begin(.verifications)
        try await self.database.reset()
        figures.floorVerification = try await self.cost(.floorVerification, of: whole) {
            try await $0.verifications(connections: Self.checkCallers)
        }
        let part = Floor(url: url, seconds: self.seconds / 3)
        schedule.begin(.inserts)
        for connections in [2, 4, 8] {
            try await self.database.reset()
            let rate = try await self.cost(.floorInsert, of: part) { try await $0.inserts(connections: connections) }
            figures.floorInsert = max(figures.floorInsert, rate)
        }
        schedule.begin(.lifecycles)
        for connections in [2, 4, 8] {
            try await self.database.reset()
            let rate = try await self.cost(.floorLifecycle, of: part) {
                try await $0.lifecycles(connections: connections)
            }
            figures.floorLifecycle = max(figures.floorLifecycle, rate)
        }
    }

    private func cost(
        _ part: CostedPart, of floor: Floor, _ measure: (Floor) async throws -> Double
    ) async throws -> Double {
        try await self.costs.measure(part) {
            $0 * floor.seconds
        } _: {
            try await measure(floor)
        }
    }
}
