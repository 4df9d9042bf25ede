import Callbacks
import Crypto
import HTTP
import Polling
import Postgres
import Testing
import WebClient

extension SystemTests {
    /// What is secret is nowhere but where it has to be: in memory, in what is sent, and sealed in the database.
    @Suite struct SecrecyTests {
        /// Stands in the database as it is, for customers look for it: the search must find it.
        private static let reference = "rohrdommel"

        /// Stands in the addresses of customers' endpoints, which are in the database as they are.
        private static let token = "wiedehopf"

        @Test func noCodeAndNoTextCanBeFoundInTheDatabaseTheLogsAndTheMetrics() async throws {
            try await Deployment.run(.init(hasOwnServer: true)) { deployment in
                try await deployment.prepare()
                let (good, failing) = (EventReceiver(), EventReceiver(.status(500)))
                try await good.run { try await failing.run { try await self.run(deployment, good, failing) } }
            }
        }

        private func run(_ deployment: Deployment, _ good: EventReceiver, _ failing: EventReceiver) async throws {
            var processes: [ManagedProcess] = []
            let keys = try await self.putWebhooks(deployment, good, failing)
            for role in [ManagedProcess.Role.carrier, .receiver, .worker, .api] {
                let settings = role == .worker ? Deployment.callableHere : [:]
                processes.append(try await deployment.start(role, settings: settings))
            }
            let traffic = SecrecyTraffic(deployment: deployment, reference: Self.reference)
            var secrets = try await traffic.run(0..<150)
            // So far PostgreSQL has logged what it always does, and from now on whatever it is told.
            try await self.gather("\(deployment.directory)/postgres/postgres.log", "postgres", deployment)
            try await deployment.database.withConnection { connection in
                try await connection.executeScript("ALTER SYSTEM SET log_statement = 'all'")
                try await connection.executeScript("SELECT pg_reload_conf()")
            }
            secrets.merge(try await traffic.run(150..<300))
            try await self.waitUntilAllIsSent(deployment)
            try await self.waitUntilAllIsTold(deployment)
            try await self.gatherLogsAndMetrics(of: processes, deployment)
            // Nothing may come and go while files are read.
            for process in processes { _ = await process.kill() }
            try await deployment.database.withConnection { try await $0.executeScript("CHECKPOINT") }
            try self.checkTellings(good, failing, secrets)
            try await self.search(secrets, keys, deployment)
        }

        // MARK: - Webhooks

        /// One that answers, and one that never does what it should. Returns what they sign with.
        private func putWebhooks(
            _ deployment: Deployment, _ good: EventReceiver, _ failing: EventReceiver
        ) async throws -> [CallbackSecrets.SigningKey] {
            let keys = [CallbackSecrets.SigningKey.make(), .make()]
            for (index, receiver) in [good, failing].enumerated() {
                try await deployment.put(
                    Webhook(
                        name: "webhook-\(index)", url: receiver.url("\(Self.token)?key=\(Self.token)"),
                        secrets: CallbackSecrets(signingKeys: [keys[index]])))
            }
            return keys
        }

        private func waitUntilAllIsTold(_ deployment: Deployment) async throws {
            try await eventually("the webhook that answers is told all") {
                let left: Int = try await deployment.value(
                    """
                    SELECT count(*) FROM event_outbox o JOIN endpoints e ON e.id = o.endpoint_id
                    WHERE e.public_id = 'webhook-0'
                    """)
                return left == 0
            }
        }

        /// Customers are told neither codes nor texts.
        private func checkTellings(_ good: EventReceiver, _ failing: EventReceiver, _ secrets: Confidential) throws {
            #expect(good.arrivals.count > 500 && failing.arrivals.count > 2)
            let told = (good.arrivals + failing.arrivals).map { String(decoding: $0.request.body, as: UTF8.self) }
                .joined(separator: "\n")
            #expect(told.contains(Self.reference) && told.contains(secrets.recipients[0]))
            // Of digits alone, some stand in ids by chance.
            let words = secrets.forms.filter { $0.contains { !$0.isHexDigit } }
            #expect(words.count > 300 && words.allSatisfy { !told.contains($0) })
        }

        private func waitUntilAllIsSent(_ deployment: Deployment) async throws {
            try await eventually("every message has a receipt") {
                let open: Int = try await deployment.value(
                    "SELECT count(*) FROM messages WHERE message_rank(state) < 50")
                return open == 0
            }
        }

        // MARK: - Evidence

        private func gather(_ file: String, _ name: String, _ deployment: Deployment) async throws {
            let copy = try await ChildProcess.start(
                "/bin/sh",
                ["-c", #"mkdir -p "$2" && cp -- "$1" "$2/$3.log""#, "sh", file, self.evidence(deployment), name])
            guard await copy.waitForExit().isSuccess else { throw Failure("cannot copy \(file)") }
        }

        private func gatherLogsAndMetrics(of processes: [ManagedProcess], _ deployment: Deployment) async throws {
            let directory = self.evidence(deployment)
            for process in processes {
                guard !process.log.isEmpty else { throw Failure("\(process.name) has logged nothing") }
                try Deployment.write(Array(process.log.utf8), to: "\(directory)/\(process.name).log")
                let metrics = try await deployment.client.send(
                    WebRequest(url: "http://127.0.0.1:\(process.operationsPort)/metrics"))
                guard metrics.status == 200 else { throw Failure("\(process.name) has no metrics: \(metrics.status)") }
                try Deployment.write(metrics.body, to: "\(directory)/\(process.name).metrics")
            }
        }

        /// Where logs and metrics are.
        private func evidence(_ deployment: Deployment) -> String { "\(deployment.directory)/evidence" }

        // MARK: - Search

        private func search(
            _ secrets: Confidential, _ keys: [CallbackSecrets.SigningKey], _ deployment: Deployment
        ) async throws {
            #expect(secrets.codes.count == 360)
            #expect(Set(secrets.codes).count > 350)
            let signing = keys.flatMap { [Base64.encode($0.key), Hex.encode($0.key)] }
            let texts = secrets.forms + deployment.secrets.all + [deployment.masterKey] + signing
            #expect(
                try await deployment.found(texts + [Self.reference], in: "\(deployment.directory)/postgres/data/base")
                    == [Self.reference])
            #expect(
                try await deployment.found(texts + [Self.reference], in: "\(deployment.directory)/postgres/data/pg_wal")
                    == [Self.reference])
            // Its log, now with every statement and every parameter, and the rest of its files.
            #expect(
                try await deployment.found(texts + ["log_statement"], in: "\(deployment.directory)/postgres")
                    == ["log_statement"])
            // Processes name what they do and what they listen on; they name nobody and nothing that was said.
            let sign = "took out a lease"
            #expect(
                try await deployment.found(
                    texts + secrets.recipients + [SecrecyTraffic.templateWord, Self.token, sign],
                    in: self.evidence(deployment)) == [sign])
            // The failures were written down, too, and name the webhook as its owner does.
            #expect(
                try await deployment.found(["kind=\"standard\",outcome=\"refused\""], in: self.evidence(deployment))
                    .count == 1)
        }
    }
}
