import Polling
import Postgres
import Testing

extension SystemTests {
    @Suite struct QueueTests {
        private static let messages = 6000

        /// To the provider that takes everything at once, so that claiming and settling are all there is.
        @Test func twoWorkersAndThenFourDrainOneQueueWithoutSendingAnythingTwice() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let api = try await deployment.start(.api)
                for count in [2, 4] {
                    try await deployment.accept(Self.messages, numbersFrom: "+1\(200 + count)")
                    let duration = try await self.drain(count, deployment)
                    print("\(count) workers: \(Int(Double(Self.messages) / (duration / .seconds(1)))) messages/s")
                    try await self.checkOnce(deployment)
                }
                #expect(api.status == nil)
            }
        }

        /// Has new workers empty the queue; returns the time from the first settled attempt to the last.
        private func drain(_ count: Int, _ deployment: Deployment) async throws -> Duration {
            _ = try await deployment.database.execute("TRUNCATE attempts")
            var workers: [ManagedProcess] = []
            for number in 1...count { workers.append(deployment.process(.worker, "worker-\(number)-of-\(count)")) }
            // Nobody begins before all have come to the queue: the first could empty it while the last still starts.
            try await deployment.locking("outbox") {
                try await withThrowingTaskGroup { group in
                    for worker in workers { group.addTask { try await worker.start() } }
                    try await group.waitForAll()
                }
                try await eventually("every worker waits to look") { try await deployment.waitingLooks == count }
                try await eventually("every worker has its part of the rates") {
                    try await deployment.served(ofLatest: count) == count
                }
            }
            try await eventually("the queue is empty", within: .seconds(60)) {
                let left: Int = try await deployment.value("SELECT count(*) FROM outbox")
                return left == 0
            }
            for worker in workers { _ = await worker.kill() }
            return try await deployment.value("SELECT max(settled_at) - min(settled_at) FROM attempts")
        }

        private func checkOnce(_ deployment: Deployment) async throws {
            let attempts: Int = try await deployment.value("SELECT count(*) FROM attempts WHERE attempt = 1")
            let messages: Int = try await deployment.value("SELECT count(DISTINCT message_id) FROM attempts")
            let workers: Int = try await deployment.value("SELECT count(DISTINCT worker_id) FROM attempts")
            #expect(attempts == Self.messages)
            #expect(messages == Self.messages)
            #expect(workers > 1)
            let scheduled: Int = try await deployment.value("SELECT count(*) FROM scheduled")
            #expect(scheduled == 0)
        }
    }
}

extension Deployment {
    /// Workers whose first look waits for a lock; they claim after it.
    fileprivate var waitingLooks: Int {
        get async throws {
            try await self.value(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'SELECT (SELECT id FROM outbox%'
                """)
        }
    }

    /// Of the workers that came last, those that may send something.
    fileprivate func served(ofLatest count: Int) async throws -> Int {
        try await self.value(
            """
            SELECT count(DISTINCT worker_id) FROM provider_shares
            WHERE share > 0 AND until > clock_timestamp()
              AND worker_id IN (SELECT id FROM workers ORDER BY id DESC LIMIT \(Int64(count)))
            """)
    }
}
