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
                let (reader, password) = (APIKey.make().text, APIKey.make().text)
                try await self.addToAccount(
                    [
                        "keys": [["name": "reader", "key": .string(reader), "scopes": ["read"]]],
                        "credentials": [["vendor": "infobip", "username": "shop", "password": .string(password)]],
                    ], deployment)
                for role in [ManagedProcess.Role.carrier, .receiver, .worker, .api] { try await deployment.start(role) }
                try await peer.run([
                    "PINPOST_URL": "http://127.0.0.1:\(deployment.ports.api)", "PINPOST_KEY": deployment.secrets.apiKey,
                    "PINPOST_READER_KEY": reader, "PINPOST_CREDENTIAL": "shop:\(password)",
                    "CARRIER_URL": "http://127.0.0.1:\(deployment.ports.carrier)",
                ])
            }
        }

        private func addToAccount(_ more: [String: JSON], _ deployment: Deployment) async throws {
            let members = more.merging(["name": "demo"]) { $1 }.map { JSON.Member($0.key, $0.value) }
            let result = try await deployment.apply(["accounts": [.object(members)]])
            guard result.status.isSuccess else { throw Failure("not applied: \(result.errorOutput)") }
        }
    }
}

extension PythonPeer: CustomTestStringConvertible {
    var testDescription: String { self.script }
}
