import Glibc
import JSON
import Messaging
import Polling
import Postgres
import Testing

extension SystemTests {
    @Suite struct PausedWorkerTests {
        private static let inFlight = 4
        private static let messages = 8
        /// Longer than the lease, so that the first worker finds its successor at the same messages.
        private static let providerTime = Duration.seconds(3)
        /// Longer than all of it, so that no receipt makes the successor's sends unnecessary.
        private static let carrier = ["CARRIER_RECEIPT_DELAY": "8s"]

        /// The first worker is stopped while requests of it are at the provider and more wait in its queue. When its
        /// successor is at the same messages, it goes on as if no time had passed, and has answers to write back.
        @Test func aWorkerThatWasPausedPastItsLeaseChangesNothingThatIsItsSuccessors() async throws {
            try await Deployment.run(.init(lease: "2s", inFlight: Self.inFlight)) { deployment in
                try await deployment.prepare()
                try await deployment.start(.carrier, settings: Self.carrier)
                for role in [ManagedProcess.Role.receiver, .api] { try await deployment.start(role) }
                let paused = try await deployment.start(.worker, "paused")
                let ids = try await self.pause(paused, deployment)
                let successor = try await deployment.start(.worker, "successor")
                try await eventually("the successor sends the same") {
                    try await deployment.arrivals().values.contains(2)
                }

                paused.signal(SIGCONT)
                try await paused.waitForLine(with: "the lease was lost")
                try await paused.waitForLine(with: "another worker had taken it over; nothing was changed")
                try await self.waitForSecondLease(of: paused)
                try await deployment.endFaults()
                for id in ids { _ = try await deployment.message(id, being: "delivered") }
                try await self.checkSettlements(deployment)
                try await self.checkArrivals(of: ids, deployment)
                try await self.handOver(from: successor, to: paused, deployment)
            }
        }

        /// Stops the worker when as many requests are under way as may be; the answers come while it is stopped.
        private func pause(_ worker: ManagedProcess, _ deployment: Deployment) async throws -> [MessageID] {
            try await deployment.slowDown(by: Self.providerTime)
            var ids: [MessageID] = []
            for number in 0..<Self.messages {
                ids.append(try await deployment.accept(to: "+417900000\(10 + number)", "Your code is 493817"))
            }
            try await eventually("as many are under way as may be") {
                try await deployment.arrivals().count >= Self.inFlight
            }
            worker.signal(SIGSTOP)
            return ids
        }

        private func waitForSecondLease(of worker: ManagedProcess) async throws {
            try await eventually("a new lease") {
                worker.log.split(separator: "\n").count { $0.contains("took out a lease") } == 2
            }
        }

        /// One settlement a message, and none under the lease that was lost: the first that was taken out.
        private func checkSettlements(_ deployment: Deployment) async throws {
            let settled: Int = try await deployment.value("SELECT count(*) FROM attempts WHERE outcome = 'accepted'")
            let all: Int = try await deployment.value("SELECT count(*) FROM attempts")
            let stale: Int = try await deployment.value("SELECT count(*) FROM attempts WHERE worker_id = 1")
            #expect(settled == Self.messages)
            #expect(all == Self.messages)
            #expect(stale == 0)
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
            _ = try await deployment.message(id, being: "accepted")
            let alive: Int = try await deployment.value("SELECT count(*) FROM workers WHERE lost_at IS NULL")
            #expect(alive == 1)
        }
    }
}
