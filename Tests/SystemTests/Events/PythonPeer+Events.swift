import Callbacks
import JSON

extension PythonPeer {
    /// Has the published library of Standard Webhooks verify every request in `file`, a JSON object a line.
    /// - `keys`: by path; every one must verify.
    static func verifySignatures(
        in file: String, _ keys: [String: [CallbackSecrets.SigningKey]], _ deployment: Deployment
    ) async throws {
        let texts = JSON.object(
            keys.sorted { $0.key < $1.key }.map { path, keys in
                .init("/\(path)", .array(keys.map { .string($0.text) }))
            })
        try await PythonPeer(script: "standardwebhooks_verify", requirements: "standardwebhooks").run(
            deployment.peerEnvironment([
                "WEBHOOKS_FILE": file, "WEBHOOKS_SECRETS": String(decoding: texts.serialized(), as: UTF8.self),
            ]))
    }
}

extension Deployment {
    /// Where things are, for scripts in Python, and `more`.
    func peerEnvironment(_ more: [String: String]) -> [String: String] {
        let environment = [
            "PINPOST_URL": "http://127.0.0.1:\(self.ports.api)", "PINPOST_KEY": self.secrets.apiKey,
            "CARRIER_URL": "http://127.0.0.1:\(self.ports.carrier)",
        ]
        return environment.merging(more) { $1 }
    }
}
