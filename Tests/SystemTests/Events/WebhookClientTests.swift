import Callbacks
import Crypto
import HTTP
import JSON
import Messaging
import Polling
import Postgres
import Store
import Testing
import Timestamps

extension SystemTests {
    /// What customers of each vendor are told, looked over by others' code.
    @Suite struct WebhookClientTests {
        private let signatureSecret = APIKey.make().text
        private let nexmoSecret = APIKey.make().text
        private let authorization = "App \(APIKey.make().text)"
        /// By what each customer of Nexmo's has chosen.
        private static let nexmo = [("nxget000", "GET"), ("nxform00", "POST-FORM"), ("nxjson00", "POST-JSON")]
        /// Each has a receipt that says otherwise than the others.
        private static let failure = "+417900800"

        @Test func everyRequestHasTheFormThatItsVendorPublished() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let receiver = EventReceiver()
                try await receiver.run {
                    let key = CallbackSecrets.SigningKey.make()
                    let origin = try await self.configure(deployment, receiver, key)
                    for role in [ManagedProcess.Role.carrier, .receiver, .api] { try await deployment.start(role) }
                    try await deployment.start(.worker, settings: Deployment.callableHere)
                    try await self.failSome(deployment)
                    try await self.send(deployment, origin)
                    try await deployment.waitUntilAllIsTold()
                    try await self.verify(receiver.arrivals, key, deployment)
                    self.checkLogs(deployment)
                }
            }
        }

        // MARK: - Before

        /// Returns the endpoint that messages of Bandwidth's customers name.
        private func configure(
            _ deployment: Deployment, _ receiver: EventReceiver, _ key: CallbackSecrets.SigningKey
        ) async throws -> Callback {
            let credentials = Self.nexmo.map { name, _ -> JSON in
                ["vendor": "nexmo", "api_key": .string(name), "api_secret": .string(self.nexmoSecret)]
            }
            let result = try await deployment.apply([
                "accounts": [["name": "demo", "credentials": .array(credentials)]]
            ])
            guard result.status.isSuccess else { throw Failure("not applied: \(result.errorOutput)") }
            try await deployment.put(
                Webhook(url: receiver.url("standard"), secrets: CallbackSecrets(signingKeys: [key])))
            try await deployment.put(
                Webhook(
                    name: "infobip", kind: .infobip, url: receiver.url("infobip"),
                    secrets: CallbackSecrets(fields: ["authorization": self.authorization])))
            for (name, method) in Self.nexmo {
                try await deployment.put(
                    Webhook(
                        name: name, kind: .nexmo, url: receiver.url("nexmo/\(method)?shop=a%26b"),
                        secrets: CallbackSecrets(fields: ["signature_secret": self.signatureSecret]),
                        settings: [
                            "method": .string(method), "api_key": .string(name),
                            "signature_method": method == "GET" ? "md5hash" : "sha256",
                        ]))
            }
            let origin = try await deployment.put(Webhook(name: "origin", kind: .bandwidth, url: receiver.url("")))
            return Callback(endpoint: origin, url: receiver.url("bandwidth?order=9"))
        }

        /// Has the carrier report that some have not arrived.
        private func failSome(_ deployment: Deployment) async throws {
            _ = try await deployment.carrier(
                "POST", "/faults", body: ["fault": "receipt_failed", "to": .string(Self.failure)])
        }

        // MARK: - Traffic

        private func send(_ deployment: Deployment, _ origin: Callback) async throws {
            for (number, name) in Self.nexmo.map(\.0).enumerated() {
                try await self.sendByNexmo(name, to: "4179007000\(number)", deployment)
                try await self.sendByNexmo(name, to: "\(Self.failure.dropFirst())1\(number)", deployment)
            }
            let setup = try await deployment.makeCodeSetup(["pinAttempts": 1])
            for (number, recipient) in ["41790071001", "4915112345678", "\(Self.failure.dropFirst())20"].enumerated() {
                let answer = try await deployment.infobip(
                    "POST", "/pin",
                    [
                        "applicationId": .string(setup.application), "messageId": .string(setup.textTemplate),
                        "to": .string(recipient), "trackDelivery": true,
                    ])
                let guess = number == 0 ? try await deployment.code(for: recipient) : "WRONG123"
                _ = try await deployment.guess(guess, at: answer["pinId"]?.string ?? "")
            }
            for recipient in ["+12025550143", "+41790072001", "\(Self.failure)30"] {
                try await self.sendByBandwidth(origin, to: recipient, deployment)
            }
        }

        private func sendByNexmo(_ key: String, to recipient: String, _ deployment: Deployment) async throws {
            let form = Form([
                ("api_key", key), ("api_secret", self.nexmoSecret), ("to", recipient), ("pin", "482193"),
                ("client-ref", "order=7&more"),
            ])
            let query = String(decoding: form.serialized(), as: UTF8.self)
            let response = try await deployment.api("GET", "/sc/us/2fa/json?\(query)", key: "none")
            guard try response.json["messages"]?[0]?["status"]?.string == "0" else {
                throw Failure("not accepted: \(response.text)")
            }
        }

        /// As that vendor's API does: the message itself names where it is told of.
        private func sendByBandwidth(
            _ callback: Callback, to recipient: String, _ deployment: Deployment
        ) async throws {
            var generator = SystemRandomNumberGenerator()
            let account = try await deployment.account("demo")
            let id = MessageID(
                lane: Lane(rawValue: 0), milliseconds: Timestamp.now.milliseconds, using: &generator)
            let content = Content.text(TextContent("Your code is 482193"))
            let message = NewMessage(
                id: id,
                provider: ProviderID(
                    rawValue: try await deployment.value("SELECT id FROM providers WHERE name = 'vonage'")),
                channel: .sms, priority: .otp, recipient: recipient, sender: "Pinpost",
                body: try MasterKeys(parsing: deployment.masterKey).seal(
                    content.encoded, for: id.sealingContext(account: account)),
                parts: 1, reference: nil, metadata: nil, sendAt: nil, timeToLive: .seconds(600), callback: callback)
            let request = Acceptance(account: account, messages: [message], idempotency: nil)
            #expect(try await Store(deployment.database).accept([request]) == [.accepted(balance: nil)])
        }

        // MARK: - Afterwards

        private func checkLogs(_ deployment: Deployment) {
            let digits = ["41790070000", "12025550143", "4915112345678", "482193"]
            for (name, log) in deployment.logs {
                for text in [self.signatureSecret, self.nexmoSecret, self.authorization, "shop=a"] + digits {
                    #expect(!log.contains(text), "\(name) logs a secret")
                }
            }
        }

        private func verify(
            _ arrivals: [EventReceiver.Arrival], _ key: CallbackSecrets.SigningKey, _ deployment: Deployment
        ) async throws {
            let groups = Dictionary(grouping: arrivals) { $0.request.path.split(separator: "/").first ?? "" }
            #expect(groups.keys.sorted() == ["bandwidth", "infobip", "nexmo", "standard"])
            let file = "\(deployment.directory)/told.jsonl"
            try (groups["standard"] ?? []).write(to: file)
            try await PythonPeer.verifySignatures(in: file, ["standard": [key]], deployment)
            try arrivals.filter { $0.request.path != "/standard" }.write(to: file)
            try await PythonPeer(script: "webhooks_vendors", requirements: "standardwebhooks").run(
                deployment.peerEnvironment([
                    "WEBHOOKS_FILE": file, "NEXMO_SIGNATURE_SECRET": self.signatureSecret,
                    "INFOBIP_AUTHORIZATION": self.authorization,
                ]))
        }
    }
}
