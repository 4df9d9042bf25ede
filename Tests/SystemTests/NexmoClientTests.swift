import Crypto
import JSON
import Polling
import Testing

extension SystemTests {
    /// Nexmo's APIs through clients that the vendor wrote, unchanged but for where they lead.
    @Suite struct NexmoClientTests {
        @Test(arguments: [
            PythonPeer(script: "nexmo_sdk", requirements: "nexmo"),
            PythonPeer(script: "nexmo_raw", requirements: "nexmo"),
            PythonPeer(script: "vonage_sdk", requirements: "vonage"),
            PythonPeer(script: "vonage4_sdk", requirements: "vonage4"),
        ])
        func aClientThatWasWrittenForTheVendorUnderstandsEveryAnswer(peer: PythonPeer) async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let (secret, signatureSecret) = (APIKey.make().text, APIKey.make().text)
                let credentials: JSON = [
                    [
                        "vendor": "nexmo", "api_key": "nxkey000", "api_secret": .string(secret),
                        "signature_secret": .string(signatureSecret), "signature_method": "sha256",
                    ],
                    [
                        "vendor": "nexmo", "api_key": "nxwords0", "api_secret": .string(secret),
                        "template": "{{shop}}: {{pin}}",
                    ],
                ]
                let result = try await deployment.apply(["accounts": [["name": "demo", "credentials": credentials]]])
                guard result.status.isSuccess else { throw Failure("not applied: \(result.errorOutput)") }
                for role in [ManagedProcess.Role.carrier, .receiver, .worker, .api] { try await deployment.start(role) }
                try await peer.run([
                    "PINPOST_URL": "http://127.0.0.1:\(deployment.ports.api)", "PINPOST_KEY": deployment.secrets.apiKey,
                    "CARRIER_URL": "http://127.0.0.1:\(deployment.ports.carrier)",
                    "NEXMO_CREDENTIAL": "nxkey000:\(secret)", "NEXMO_SIGNATURE_SECRET": signatureSecret,
                    "NEXMO_WORDY_KEY": "nxwords0",
                ])
                for (name, log) in deployment.logs {
                    for secret in [secret, signatureSecret, "482193"] {
                        #expect(!log.contains(secret), "\(name) logs a secret")
                    }
                }
            }
        }
    }
}
