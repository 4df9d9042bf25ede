import Crypto
import JSON
import Polling
import Postgres
import Testing

extension SystemTests {
    /// Bandwidth's MFA API through its published client, unchanged but for the host, and without.
    @Suite struct BandwidthClientTests {
        private static let account = "9900000"
        private static let application = "66fd98ae-ac8d-a00f-7fcd-ba3280aeb9b1"
        /// What is left of a lock that a script waits for.
        private static let shortLock = Duration.seconds(5)

        @Test(arguments: [
            PythonPeer(script: "bandwidth_sdk", requirements: "bandwidth"),
            PythonPeer(script: "bandwidth_raw", requirements: "bandwidth"),
        ])
        func aClientThatWasWrittenForTheVendorUnderstandsEveryAnswer(peer: PythonPeer) async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let password = APIKey.make().text
                try await self.addToAccount(password, deployment)
                for role in [ManagedProcess.Role.carrier, .receiver, .worker, .api] { try await deployment.start(role) }
                try await self.shorteningLocks(deployment) {
                    try await peer.run([
                        "PINPOST_URL": "http://127.0.0.1:\(deployment.ports.api)",
                        "PINPOST_KEY": deployment.secrets.apiKey, "PINPOST_CREDENTIAL": "shop:\(password)",
                        "BANDWIDTH_ACCOUNT": Self.account, "BANDWIDTH_APPLICATION": Self.application,
                        "CARRIER_URL": "http://127.0.0.1:\(deployment.ports.carrier)",
                    ])
                }
            }
        }

        private func addToAccount(_ password: String, _ deployment: Deployment) async throws {
            let result = try await deployment.apply([
                "accounts": [
                    [
                        "name": "demo",
                        "credentials": [
                            [
                                "vendor": "bandwidth", "account": .string(Self.account), "username": "shop",
                                "password": .string(password),
                            ]
                        ],
                        "applications": [["id": .string(Self.application), "name": "Shop"]],
                    ]
                ]
            ])
            guard result.status.isSuccess else { throw Failure("not applied: \(result.errorOutput)") }
        }

        /// Runs `body` in a world whose locks end sooner.
        private func shorteningLocks(_ deployment: Deployment, _ body: () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        _ = try await deployment.database.execute(
                            """
                            UPDATE recipient_failures SET locked_until = now() + \(Self.shortLock)
                            WHERE locked_until > now() + \(Self.shortLock)
                            """)
                        try? await Task.sleep(for: .milliseconds(200))
                    }
                }
                let result: Result<Void, any Error>
                do { result = .success(try await body()) } catch { result = .failure(error) }
                group.cancelAll()
                while (try? await group.next()) != nil {}
                try result.get()
            }
        }
    }
}
