import Glibc
import HTTP
import JSON
import Messaging
import Polling
import Postgres
import Testing
import WebClient

extension SystemTests {
    @Suite struct DrainTests {
        private static let inFlight = 4
        private static let messages = 12

        @Test func aWorkerThatIsAskedToStopFinishesWhatIsUnderWayAndHandsBackTheRest() async throws {
            try await Deployment.run(.init(inFlight: Self.inFlight)) { deployment in
                let worker = try await self.startSlowSends(deployment, by: .seconds(1))
                worker.signal(SIGTERM)
                #expect(try await worker.waitForExit(within: .seconds(15)) == .exited(0))
                let claimed: Int = try await deployment.value("SELECT count(*) FROM outbox WHERE worker_id IS NOT NULL")
                let given: Int = try await deployment.value("SELECT count(*) FROM outbox WHERE attempt = 0")
                let settled: Int = try await deployment.value(
                    "SELECT count(*) FROM attempts WHERE outcome = 'accepted'")
                let arrived = try await deployment.arrivals()
                #expect(claimed == 0)
                #expect(settled == arrived.count)
                #expect(settled >= Self.inFlight && settled < Self.messages)
                #expect(given == Self.messages - settled)
                #expect(arrived.values.allSatisfy { $0 == 1 })
                let alive: Int = try await deployment.value("SELECT count(*) FROM workers WHERE lost_at IS NULL")
                #expect(alive == 0)
            }
        }

        @Test func aSecondSignalEndsAWorkerAtOnce() async throws {
            try await Deployment.run(.init(inFlight: Self.inFlight)) { deployment in
                let worker = try await self.startSlowSends(deployment, by: .seconds(60))
                worker.signal(SIGTERM)
                try await worker.waitForLine(with: "stopping")
                let began = ContinuousClock.now
                worker.signal(SIGTERM)
                #expect(try await worker.waitForExit(within: .seconds(10)) == .exited(128 + SIGTERM))
                // The deadline of the drain is 15 s, the provider's answer a minute away.
                #expect(ContinuousClock.now - began < .seconds(5))
            }
        }

        /// No request to a provider is longer than a drain has time for, so its end can be written back.
        @Test func aWorkerStopsInTimeWhateverItsProviderDoes() async throws {
            try await Deployment.run(
                .init(inFlight: Self.inFlight, environment: ["PINPOST_DRAIN_DEADLINE": "4s"])
            ) { deployment in
                let worker = try await self.startSlowSends(deployment, by: .seconds(60))
                worker.signal(SIGTERM)
                #expect(try await worker.waitForExit(within: .seconds(10)) == .exited(0))
                let claimed: Int = try await deployment.value("SELECT count(*) FROM outbox WHERE worker_id IS NOT NULL")
                let settled: Int = try await deployment.value(
                    "SELECT count(*) FROM attempts WHERE outcome = 'unanswered'")
                #expect(claimed == 0)
                #expect(try await deployment.arrivals().count == settled)
            }
        }

        /// A worker with as many requests at the provider as may be, and more in its queue.
        private func startSlowSends(_ deployment: Deployment, by time: Duration) async throws -> ManagedProcess {
            try await deployment.prepare()
            for role in [ManagedProcess.Role.carrier, .api] { try await deployment.start(role) }
            try await deployment.slowDown(by: time)
            try await deployment.accept(Self.messages, numbersFrom: "+4179")
            let worker = try await deployment.start(.worker)
            try await eventually("as many are under way as may be") {
                try await deployment.arrivals().count >= Self.inFlight
            }
            return worker
        }

        /// Two requests are held up by a lock on the table that they write to, so that they are surely in flight.
        @Test func anAPIThatIsAskedToStopAnswersWhatIsInFlightAndTakesNothingMore() async throws {
            let patient = ["PINPOST_DATABASE_TIMEOUT": "20s", "PINPOST_DRAIN_DEADLINE": "20s"]
            try await Deployment.run(.init(environment: patient)) { deployment in
                try await deployment.prepare()
                let api = try await deployment.start(.api)
                #expect(await deployment.readiness(of: api) == 200)
                try await withThrowingTaskGroup(of: Int.self) { group in
                    try await deployment.database.transaction { transaction in
                        _ = try await transaction.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
                        for number in 1...2 {
                            group.addTask { try await self.send(deployment) }
                            try await eventually("commit \(number) waits for the lock") {
                                let waiting: Int = try await deployment.value(
                                    "SELECT count(*) FROM pg_locks WHERE relation = 'outbox'::regclass AND NOT granted")
                                return waiting == number
                            }
                        }
                        try await self.drainWhileHeld(api, deployment)
                    }
                    for try await status in group { #expect(status == 202) }
                }
                #expect(try await api.waitForExit(within: .seconds(15)) == .exited(0))
                let stored: Int = try await deployment.value("SELECT count(*) FROM outbox")
                #expect(stored == 2)
            }
        }

        private func drainWhileHeld(_ api: ManagedProcess, _ deployment: Deployment) async throws {
            api.signal(SIGTERM)
            try await eventually("not ready while draining") { await deployment.readiness(of: api) == 503 }
            let refusal = await Result { () async throws in try await self.send(deployment) }
            #expect(throws: WebClientError.self) { try refusal.get() }
        }

        private func send(_ deployment: Deployment) async throws -> Int {
            try await deployment.api(
                "POST", "/v1/messages", body: ["to": "+41790000010", "body": "Your code is 493817"]
            ).status
        }

        /// Many callers, each with a connection of its own for every request, so that some always are on their way.
        @Test func nothingIsStoredWithoutAnAnswerWhenAnAPIStopsUnderLoad() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let api = try await deployment.start(.api)
                let answered = try await withThrowingTaskGroup(of: [MessageID].self) { group in
                    for _ in 0..<16 { group.addTask { await self.sendUntilRefused(deployment) } }
                    try await eventually("the load is on") {
                        let stored: Int = try await deployment.value("SELECT count(*) FROM outbox")
                        return stored > 200
                    }
                    api.signal(SIGTERM)
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(try await api.waitForExit(within: .seconds(15)) == .exited(0))
                let stored: [String] = try await deployment.database.query("SELECT id::text FROM messages") {
                    row throws(PostgresError) in try row.decode(0)
                }
                #expect(Set(stored) == Set(answered.map { "\($0)" }))
            }
        }

        /// Returns what was answered with 202, when the API is gone.
        private func sendUntilRefused(_ deployment: Deployment) async -> [MessageID] {
            var ids: [MessageID] = []
            do {
                while true { ids.append(try await deployment.accept(to: "+41790000001", "Your code is 493817")) }
            } catch {
                return ids
            }
        }
    }
}
