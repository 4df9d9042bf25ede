import Crypto
import HTTP
import Timestamps

/// Telnyx's Ed25519 signature over a callback's time and body (providers.md section 2.7).
struct TelnyxSignature: Sendable {
    private let key: Ed25519PublicKey
    /// In both directions.
    private let tolerance: Duration

    /// The account's credential `public_key`; nil when it is not given.
    init?(from reader: inout AccountReader, tolerance: Duration) {
        guard let text = reader.credential("public_key") else { return nil }
        guard let key = Base64.decode(text.text).flatMap({ Ed25519PublicKey(rawRepresentation: $0) }) else {
            reader.problem("credential public_key is no Ed25519 key in Base64")
            return nil
        }
        self.key = key
        self.tolerance = tolerance
    }

    func verifies(_ request: HTTPRequest, now: Timestamp) -> Bool {
        guard
            let time = request.fields["telnyx-timestamp"], let seconds = Int64(time),
            (0...Int64(UInt32.max)).contains(seconds),
            let signature = request.fields["telnyx-signature-ed25519"].flatMap({ Base64.decode($0) })
        else { return false }
        let age = now - Timestamp(seconds: seconds)
        guard age <= self.tolerance, age >= .zero - self.tolerance else { return false }
        return self.key.verifies(signature: signature, of: Array("\(time)|".utf8) + request.body)
    }
}
