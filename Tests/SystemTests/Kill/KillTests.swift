import Testing

extension SystemTests {
    @Suite struct KillTests {
        /// At least this many, as the promise says.
        private static let kills = 20
        private static let messagesPerSecond = 150.0
        /// How long a provider takes, so that every kill finds requests in flight.
        private static let providerTime = Duration.milliseconds(200)
        /// How late the receipts of one provider are. Those of the other come at once, and most make a second call
        /// unnecessary: these leave it to the lease, which is shorter.
        private static let receiptTime = Duration.seconds(8)
        /// From the end of the load until every message is final: a lease, some tries of receipts, and time to spare.
        private static let healing = Duration.seconds(60)

        @Test func nothingAcceptedIsLostAndNothingDoubledWithoutAKillWhoeverIsKilled() async throws {
            let seed = SeededRandom.seed()
            var options = Deployment.Options()
            options.hasOwnServer = true
            options.isTapped = true
            options.lease = "5s"
            do {
                try await Deployment.run(options) { deployment in
                    try await deployment.prepare()
                    try await deployment.withTaps { try await self.run(deployment, seed: seed) }
                }
            } catch {
                throw Failure("PINPOST_TEST_SEED=\(seed): \(error)")
            }
        }

        private func run(_ deployment: Deployment, seed: UInt64) async throws {
            try await deployment.start(.carrier)
            try await deployment.slowDown(by: Self.providerTime)
            try await deployment.holdReceipts(to: "+41", for: Self.receiptTime)
            let processes: [Chaos.Victim: [ManagedProcess]] = [
                .receiver: [try await deployment.start(.receiver)],
                .worker: [
                    try await deployment.start(.worker, "worker-1"), try await deployment.start(.worker, "worker-2"),
                ],
                .api: [try await deployment.start(.api)],
            ]
            let load = Load(deployment, rate: Self.messagesPerSecond)
            let chaos = Chaos(deployment, processes, seed: seed)
            try await withThrowingTaskGroup { group in
                for process in processes.values.joined() { group.addTask { try await process.keepRunning() } }
                try await self.disturb(load, chaos)
                let aftermath = Aftermath(deployment, load: load, disturbances: chaos.disturbances)
                try await aftermath.waitForHealing(Self.healing)
                print(try aftermath.summary())
                try #require(chaos.disturbances.count >= Self.kills)
                try await aftermath.check()
                group.cancelAll()
            }
        }

        /// The load goes on until the last kill is over.
        private func disturb(_ load: Load, _ chaos: Chaos) async throws {
            try await withThrowingTaskGroup { group in
                group.addTask { try await load.run() }
                group.addTask {
                    try await chaos.run()
                    load.end()
                }
                try await group.waitForAll()
            }
        }
    }
}
