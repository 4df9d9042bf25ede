import PostgresServer
import Synchronization

/// Kills processes, and the database, at seeded random moments.
final class Chaos: Sendable {
    enum Victim: String, Sendable {
        case api, worker, receiver, database
    }

    /// Somebody was killed, or away, in this time.
    struct Disturbance: Sendable {
        var victim: Victim
        var from: ContinuousClock.Instant
        var until: ContinuousClock.Instant
    }

    /// Who is killed how often.
    struct Plan: Sendable {
        var processes: [Victim: Int] = [.worker: 9, .api: 5, .receiver: 5]
        var database = 6
    }

    /// Seconds between two kills of processes, and between two of the database.
    private static let processPause = 0.5...1.6
    private static let databasePause = 2.0...4.0
    /// Seconds for which the database stays away, beside what its recovery takes.
    private static let databaseAbsence = 0.0...0.5

    private let deployment: Deployment
    private let processes: [Victim: [ManagedProcess]]
    private let plan: Plan
    private let seed: UInt64
    private let state = Mutex<[Disturbance]>([])

    init(
        _ deployment: Deployment, _ processes: [Victim: [ManagedProcess]], plan: Plan = Plan(), seed: UInt64
    ) {
        self.deployment = deployment
        self.processes = processes
        self.plan = plan
        self.seed = seed
    }

    var disturbances: [Disturbance] { self.state.withLock { $0 } }

    /// Returns when all kills are done and the database is back.
    func run() async throws {
        var random = SeededRandom(seed: self.seed)
        let seeds = (SeededRandom(seed: random.next()), SeededRandom(seed: random.next()))
        async let processes: Void = self.killProcesses(seeds.0)
        async let database: Void = self.stopDatabase(seeds.1)
        try await processes
        try await database
    }

    // MARK: - Private

    private func killProcesses(_ random: SeededRandom) async throws {
        var random = random
        // In an order that the seed alone decides.
        let victims = self.plan.processes.sorted { $0.key.rawValue < $1.key.rawValue }
            .flatMap { Array(repeating: $0.key, count: $0.value) }
        for victim in victims.shuffled(using: &random) {
            try await Task.sleep(for: random.duration(in: Self.processPause))
            guard let process = self.processes[victim]?.randomElement(using: &random) else { continue }
            let began = ContinuousClock.now
            try await eventually("\(process.name) runs and can be killed") { await process.kill() }
            self.note(victim, since: began)
        }
    }

    private func stopDatabase(_ random: SeededRandom) async throws {
        guard self.plan.database > 0 else { return }
        var random = random
        guard let server = self.deployment.server else { preconditionFailure("the database must be the test's own") }
        for _ in 0..<self.plan.database {
            try await Task.sleep(for: random.duration(in: Self.databasePause))
            let began = ContinuousClock.now
            try await server.stop(.immediate)
            try await Task.sleep(for: random.duration(in: Self.databaseAbsence))
            try await server.start()
            self.note(.database, since: began)
        }
    }

    private func note(_ victim: Victim, since began: ContinuousClock.Instant) {
        self.state.withLock { $0.append(Disturbance(victim: victim, from: began, until: .now)) }
    }
}
