import JSON
import Postgres
import Testing

extension SystemTests {
    @Suite struct GuessKillTests {
        private static let rounds = 4
        private static let codes = 60
        private static let attemptLimit: Int16 = 5
        private static let guessers = 64
        /// For each code, over all guessers: far more than are evaluated.
        private static let guessesPerCode = 20
        /// Seconds from the first guess of a round to the kill.
        private static let killAfter = 0.02...0.4

        /// Many guess at the same codes when the API is killed; then it is started again, and they go on. A guess whose
        /// answer was lost stays charged, so nobody gains one by a crash.
        @Test func killingTheAPIGivesNoAttemptBack() async throws {
            let seed = SeededRandom.seed()
            do {
                try await Deployment.run { deployment in
                    try await deployment.prepare()
                    for role in [ManagedProcess.Role.carrier, .receiver, .worker] { try await deployment.start(role) }
                    try await self.run(deployment, seed: seed)
                }
            } catch {
                throw Failure("PINPOST_TEST_SEED=\(seed): \(error)")
            }
        }

        private func run(_ deployment: Deployment, seed: UInt64) async throws {
            let api = try await deployment.start(.api)
            let setup = try await deployment.makeCodeSetup([
                "pinAttempts": .init(Int(Self.attemptLimit)), "allowMultiplePinVerifications": false,
            ])
            var random = SeededRandom(seed: seed)
            var tally = GuessTally()
            for round in 0..<Self.rounds {
                let codes = try await self.send(setup, round, deployment)
                tally.merge(try await self.guess(at: codes, api, deployment, &random))
            }
            print("Guesses: \(tally.summary)")
            try await self.check(tally, deployment)
        }

        private func send(_ setup: CodeSetup, _ round: Int, _ deployment: Deployment) async throws -> [ReceivedCode] {
            try await withThrowingTaskGroup(of: ReceivedCode.self) { group in
                for number in 0..<Self.codes {
                    let recipient = "4179\(2_000_000 + round * Self.codes + number)"
                    group.addTask { try await deployment.sendCode(setup, to: recipient) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }

        /// Has all guess while the API is killed once and started again.
        private func guess(
            at codes: [ReceivedCode], _ api: ManagedProcess, _ deployment: Deployment, _ random: inout SeededRandom
        ) async throws -> GuessTally {
            let moment = random.duration(in: Self.killAfter)
            let seeds = (0..<Self.guessers).map { _ in random.next() }
            return try await withThrowingTaskGroup(of: GuessTally.self) { group in
                for seed in seeds {
                    let count = codes.count * Self.guessesPerCode / Self.guessers
                    let guesser = Guesser(deployment: deployment, codes: codes, seed: seed)
                    group.addTask { try await guesser.guess(count) }
                }
                group.addTask {
                    try await Task.sleep(for: moment)
                    guard await api.kill() else { throw Failure("the API was not running") }
                    try await api.start()
                    return GuessTally()
                }
                return try await group.reduce(into: GuessTally()) { $0.merge($1) }
            }
        }

        // MARK: - Afterwards

        private struct Charge {
            var recipient: String
            var attempts: Int16
            var state: String
        }

        private func check(_ tally: GuessTally, _ deployment: Deployment) async throws {
            let charges = try await deployment.database.query(
                "SELECT recipient, attempts, state FROM verifications ORDER BY recipient"
            ) { row throws(PostgresError) in
                Charge(recipient: try row.decode(0), attempts: try row.decode(1), state: try row.decode(2))
            }
            #expect(charges.count == Self.rounds * Self.codes)
            for charge in charges { self.check(charge, tally.outcomes(of: charge.recipient)) }
            // Without these nothing was shown: guesses that were charged and never answered, and both kinds of answers.
            let answered = charges.reduce(0) { $0 + tally.outcomes(of: $1.recipient).evaluated }
            let charged = charges.reduce(0) { $0 + Int($1.attempts) }
            print("Charged: \(charged), of which answered: \(answered).")
            #expect(tally.lost > 0)
            #expect(charges.contains { $0.state == "verified" } && charges.contains { $0.state == "exhausted" })
        }

        private func check(_ charge: Charge, _ outcomes: GuessOutcomes) {
            let comment = Comment(rawValue: "\(charge), \(outcomes)")
            #expect(charge.attempts <= Self.attemptLimit, comment)
            #expect(outcomes.evaluated <= charge.attempts, comment)
            #expect(outcomes.evaluated + outcomes.lost >= charge.attempts, comment)
            #expect(outcomes.successes <= 1, comment)
            #expect(outcomes.successes == 0 || charge.state == "verified", comment)
            // Each guess that was wrong was told another number of attempts that are left.
            #expect(Set(outcomes.left).count == outcomes.left.count, comment)
            #expect(outcomes.left.allSatisfy { (0..<Int64(Self.attemptLimit)).contains($0) }, comment)
        }
    }
}
