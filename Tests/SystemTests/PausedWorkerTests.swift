import Glibc
import JSON
import Messaging
import Polling
import Postgres
import Testing

extension SystemTests {
    @Suite struct PausedWorkerTests {
        private static let inFlight = 4
        private static let messages = 12

        /// The first worker is stopped while requests of it are at the provider and more wait in its queue. Its successor
        /// sends all of them; then the first goes on as if no time had passed.
        @Test func aWorkerThatWasPausedPastItsLeaseChangesNothingThatItsSuccessorSettled() async throws {
            try await Deployment.run(.init(lease: "2s", inFlight: Self.inFlight)) { deployment in
                try await deployment.prepare()
                for role in [ManagedProcess.Role.carrier, .receiver, .api] { try await deployment.start(role) }
                let paused = try await deployment.start(.worker, "paused")
                let ids = try await self.pause(paused, deployment)
                let successor = try await deployment.start(.worker, "successor")
                for id in ids { _ = try await deployment.message(id, being: "delivered") }
                let settled = try await self.attempts(deployment)
                #expect(settled.count == Self.messages)

                paused.signal(SIGCONT)
                try await paused.waitForLine(with: "the lease was lost")
                try await self.waitForSecondLease(of: paused)
                #expect(try await self.attempts(deployment) == settled)
                try await self.checkArrivals(of: ids, deployment)
                try await self.handOver(from: successor, to: paused, deployment)
            }
        }

        /// Stops the worker when as many requests are under way as may be; the answers come while it is stopped.
        private func pause(_ worker: ManagedProcess, _ deployment: Deployment) async throws -> [MessageID] {
            try await deployment.slowDown(by: .seconds(1))
            var ids: [MessageID] = []
            for number in 0..<Self.messages {
                ids.append(try await deployment.accept(to: "+4179000000\(number % 10)", "Your code is 493817"))
            }
            try await eventually("as many are under way as may be") {
                try await deployment.arrivals().count >= Self.inFlight
            }
            worker.signal(SIGSTOP)
            try await deployment.endFaults()
            return ids
        }

        /// Every settled attempt, as one text each.
        private func attempts(_ deployment: Deployment) async throws -> [String] {
            try await deployment.database.query(
                "SELECT message_id || ' ' || attempt || ' ' || worker_id || ' ' || outcome FROM attempts ORDER BY 1"
            ) { row throws(PostgresError) in try row.decode(0) }
        }

        private func waitForSecondLease(of worker: ManagedProcess) async throws {
            try await eventually("a new lease") {
                worker.log.split(separator: "\n").count { $0.contains("took out a lease") } == 2
            }
        }

        /// Sent twice is what was under way when the worker stopped, and nothing of what waited in its queue.
        private func checkArrivals(of ids: [MessageID], _ deployment: Deployment) async throws {
            let arrivals = try await deployment.arrivals()
            #expect(Set(arrivals.keys) == Set(ids.map { "\($0)" }))
            #expect(arrivals.values.count { $0 == 2 } <= Self.inFlight)
            #expect(arrivals.values.allSatisfy { $0 <= 2 })
        }

        /// The worker is as good as new: alone, it sends the next message, under its new lease.
        private func handOver(
            from successor: ManagedProcess, to worker: ManagedProcess, _ deployment: Deployment
        ) async throws {
            successor.signal(SIGTERM)
            #expect(try await successor.waitForExit(within: .seconds(20)) == .exited(0))
            let id = try await deployment.accept(to: "+41790000099", "Your code is 493817")
            _ = try await deployment.message(id, being: "delivered")
            let former: Int = try await deployment.value("SELECT count(*) FROM workers WHERE lost_at IS NULL")
            #expect(former == 1)
        }
    }
}
