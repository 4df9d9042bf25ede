import Callbacks
import JSON
import Messaging
import Postgres
import Testing
import Timestamps

extension SystemTests {
    @Suite struct HangingWebhookTests {
        private static let backlog = 400
        private static let codes = 150
        /// Between two codes.
        private static let pace = Duration.milliseconds(30)
        /// From its acceptance to the provider; a provider's own time and a busy machine's included.
        private static let latest = Duration.seconds(2)

        /// How much it costs at all is for `pinpost bench` to say; that it costs no seconds is for this.
        @Test func anEndpointThatHangsDelaysNoCode() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let receiver = EventReceiver(.hanging)
                try await receiver.run {
                    try await deployment.put(
                        Webhook(
                            url: receiver.url("hanging"), secrets: CallbackSecrets(signingKeys: [.make()])))
                    for role in [ManagedProcess.Role.carrier, .receiver, .api] { try await deployment.start(role) }
                    try await deployment.start(.worker, settings: Deployment.callableHere)
                    try await deployment.accept(Self.backlog, numbersFrom: "+4179", priority: "bulk")
                    try await eventually("as many requests hang as may") { receiver.arrivals.count >= 8 }
                    try await self.send(deployment)
                    try await self.check(deployment, receiver)
                }
            }
        }

        private func send(_ deployment: Deployment) async throws {
            let setup = try await deployment.makeCodeSetup()
            for number in 0..<Self.codes {
                _ = try await deployment.infobip(
                    "POST", "/pin",
                    [
                        "applicationId": .string(setup.application), "messageId": .string(setup.textTemplate),
                        "to": .string(Self.recipient(number)),
                    ])
                try await Task.sleep(for: Self.pace)
            }
            try await eventually("every code is delivered") {
                let delivered: Int = try await deployment.value(
                    "SELECT count(*) FROM messages WHERE verification_id IS NOT NULL AND state = 'delivered'")
                return delivered == Self.codes
            }
        }

        private static func recipient(_ number: Int) -> String { "4178\(1_000_000 + number)" }

        private func check(_ deployment: Deployment, _ receiver: EventReceiver) async throws {
            let times = try await self.times(deployment).sorted()
            let worst = try #require(times.last)
            print(
                "Codes beside an endpoint that hangs: the median came after \(times[times.count / 2]), the last \(worst)."
            )
            #expect(times.count == Self.codes && worst < Self.latest)
            // All that while nothing was told, and all of it waited.
            #expect(receiver.arrivals.filter { $0.isAcknowledged }.isEmpty)
            let waiting: Int = try await deployment.value("SELECT count(*) FROM event_outbox")
            #expect(waiting >= Self.backlog + Self.codes)
        }

        /// How long after its acceptance each code was at its provider.
        private func times(_ deployment: Deployment) async throws -> [Duration] {
            let rows: [(String, Timestamp)] = try await deployment.database.query(
                "SELECT recipient, accepted_at FROM messages WHERE verification_id IS NOT NULL"
            ) { row throws(PostgresError) in (try row.decode(0), try row.decode(1)) }
            let accepted = Dictionary(uniqueKeysWithValues: rows)
            return try await deployment.carrier("GET", "/inbox").jsonLines.compactMap { message in
                guard let accepted = accepted[message["to"]?.string ?? ""],
                    let at = message["at"]?.string.flatMap({ Timestamp($0) })
                else { return nil }
                return at - accepted
            }
        }
    }
}
