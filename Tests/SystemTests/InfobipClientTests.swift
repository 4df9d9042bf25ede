import Crypto
import JSON
import Polling
import Testing

extension SystemTests {
    /// Infobip's API through clients that others wrote, unchanged but for the host.
    @Suite struct InfobipClientTests {
        @Test(arguments: [
            PythonPeer(script: "infobip_sdk", requirements: "infobip"),
            PythonPeer(script: "infobip_raw", requirements: "infobip"),
            PythonPeer(script: "infobip_community", requirements: "infobip-community"),
        ])
        func aClientThatWasWrittenForTheVendorUnderstandsEveryAnswer(peer: PythonPeer) async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let reader = try await self.addReader(deployment)
                for role in [ManagedProcess.Role.carrier, .receiver, .worker, .api] { try await deployment.start(role) }
                try await peer.run([
                    "PINPOST_URL": "http://127.0.0.1:\(deployment.ports.api)", "PINPOST_KEY": deployment.secrets.apiKey,
                    "PINPOST_READER_KEY": reader, "CARRIER_URL": "http://127.0.0.1:\(deployment.ports.carrier)",
                ])
            }
        }

        /// Adds a key that may look and do nothing else, and returns it.
        private func addReader(_ deployment: Deployment) async throws -> String {
            let key = APIKey.make().text
            let reader: JSON = ["name": "reader", "key": .string(key), "scopes": ["read"]]
            let result = try await deployment.apply(["accounts": [["name": "demo", "keys": [reader]]]])
            guard result.status.isSuccess else { throw Failure("not applied: \(result.errorOutput)") }
            return key
        }
    }
}

extension PythonPeer: CustomTestStringConvertible {
    var testDescription: String { self.script }
}
