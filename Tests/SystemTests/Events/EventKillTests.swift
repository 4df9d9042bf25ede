import Callbacks
import Crypto
import HTTP
import JSON
import Postgres
import Testing
import Timestamps

extension SystemTests {
    @Suite struct EventKillTests {
        private static let kills = 12
        private static let healing = Duration.seconds(120)

        /// Endpoints fail at random, and workers are killed: in the end each has been told every change, in its order, under one
        /// id and in the same words, signed.
        @Test func whatIsToldIsWhatHasHappenedWhoeverFailsAndWhoeverIsKilled() async throws {
            let seed = SeededRandom.seed()
            do {
                try await Deployment.run(.init(lease: "3s")) { deployment in
                    try await deployment.prepare()
                    let receiver = EventReceiver(.failing, seed: seed)
                    try await receiver.run { try await self.run(deployment, receiver, seed: seed) }
                }
            } catch {
                throw Failure("PINPOST_TEST_SEED=\(seed): \(error)")
            }
        }

        private func run(_ deployment: Deployment, _ receiver: EventReceiver, seed: UInt64) async throws {
            let secondKey = APIKey.make().text
            _ = try await deployment.apply([
                "accounts": [
                    [
                        "name": "second", "keys": [["name": "main", "key": .string(secondKey)]],
                        "countries": ["*": "on"], "guard": ["mode": "watch"],
                    ]
                ]
            ])
            let keys = Self.keys
            for (account, keys) in keys {
                try await deployment.put(
                    Webhook(
                        account: account, url: receiver.url(account), secrets: CallbackSecrets(signingKeys: keys)))
            }
            let load = EventLoad(deployment: deployment, secondKey: secondKey)
            let kills = try await self.disturb(deployment, load, seed: seed)
            let aftermath = try await EventAftermath(deployment, receiver.arrivals)
            print(try Self.summary(aftermath, kills: kills))
            try aftermath.checkCompleteness()
            try aftermath.checkOrder()
            try aftermath.checkSignatures(keys)
            try await self.checkAttempts(deployment)
            try self.checkThatALossIsSeen(aftermath, keys)
            try await self.verifyElsewhere(aftermath, keys, deployment)
            #expect(kills >= Self.kills)
        }

        /// The first account is amid a change of its keys: the former signs for another day.
        private static var keys: [String: [CallbackSecrets.SigningKey]] {
            var former = CallbackSecrets.SigningKey.make()
            former.expiresAt = .now + .seconds(86_400)
            return ["demo": [.make(), former], "second": [.make()]]
        }

        /// Returns how many workers were killed.
        private func disturb(_ deployment: Deployment, _ load: EventLoad, seed: UInt64) async throws -> Int {
            for role in [ManagedProcess.Role.carrier, .receiver, .api] { try await deployment.start(role) }
            var workers: [ManagedProcess] = []
            for name in ["worker-1", "worker-2"] {
                workers.append(try await deployment.start(.worker, name, settings: Deployment.callableHere))
            }
            let plan = Chaos.Plan(processes: [.worker: Self.kills], database: 0)
            let chaos = Chaos(deployment, [.worker: workers], plan: plan, seed: seed)
            try await withThrowingTaskGroup { group in
                for worker in workers { group.addTask { try await worker.keepRunning() } }
                group.addTask { try await deployment.hastenEvents() }
                async let kills: Void = chaos.run()
                try await load.run()
                try await kills
                try await deployment.waitUntilAllIsTold(within: Self.healing)
                group.cancelAll()
            }
            return chaos.disturbances.count
        }

        // MARK: - Afterwards

        /// Nothing was given up, and nothing told that nobody would have wanted.
        private func checkAttempts(_ deployment: Deployment) async throws {
            let ends: Int = try await deployment.value(
                "SELECT count(*) FROM event_attempts WHERE is_last AND outcome = 'delivered'")
            let others: Int = try await deployment.value(
                "SELECT count(*) FROM event_attempts WHERE is_last AND outcome <> 'delivered'")
            let events: Int = try await deployment.value("SELECT count(*) FROM events")
            #expect(ends == events && others == 0)
        }

        private func checkThatALossIsSeen(
            _ aftermath: EventAftermath, _ keys: [String: [CallbackSecrets.SigningKey]]
        ) throws {
            var lossy = aftermath
            let lost = try #require(aftermath.arrivals.first).id
            lossy.arrivals.removeAll { $0.id == lost }
            #expect(throws: Failure.self) { try lossy.checkCompleteness() }
            lossy = aftermath
            lossy.happened.append(ToldChange(subject: lossy.happened[0].subject, sequence: 99))
            #expect(throws: Failure.self) { try lossy.checkCompleteness() }
            lossy = aftermath
            lossy.arrivals[0].request.fields["webhook-signature"] = "v1,AAAA"
            #expect(throws: Failure.self) { try lossy.checkSignatures(keys) }
        }

        private func verifyElsewhere(
            _ aftermath: EventAftermath, _ keys: [String: [CallbackSecrets.SigningKey]], _ deployment: Deployment
        ) async throws {
            let file = "\(deployment.directory)/told.jsonl"
            try aftermath.arrivals.write(to: file)
            try await PythonPeer.verifySignatures(in: file, keys, deployment)
        }

        private static func summary(_ aftermath: EventAftermath, kills: Int) throws -> String {
            let types = Dictionary(grouping: aftermath.noted, by: \.type).mapValues(\.count)
            let answers = Dictionary(grouping: aftermath.arrivals, by: \.answer).mapValues(\.count)
            let ids = Set(aftermath.arrivals.map(\.id)).count
            let again = Set(aftermath.arrivals.filter(\.isAcknowledged).map(\.id)).count
            let acknowledged = aftermath.arrivals.count(where: \.isAcknowledged)
            return """
                Workers killed: \(kills).
                Events: \(types.map { "\($0.value) \($0.key ?? "")" }.sorted().joined(separator: ", ")).
                Requests: \(aftermath.arrivals.count) of \(ids) events, \(acknowledged - again) more acknowledged than events.
                Answers: \(answers.map { "\($0.value) × \($0.key.map { "\($0)" } ?? "none")" }.sorted().joined(separator: ", ")).
                """
        }
    }
}
