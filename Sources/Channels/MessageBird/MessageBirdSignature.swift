import Crypto
import HTTP
import JSON
import Timestamps

/// The token in which MessageBird signs a callback's address and body (providers.md section 2.9).
struct MessageBirdSignature: Sendable {
    private let key: Secret

    init(signingKey: Secret) { self.key = signingKey }

    /// Whether `request`, which was sent to `address` with its query, is from MessageBird.
    func verifies(_ request: HTTPRequest, at address: String, now: Timestamp) -> Bool {
        guard
            let token = request.fields["MessageBird-Signature-JWT"],
            let claims = JSONWebToken.claims(
                in: token, secret: self.key, algorithms: [.hs256, .hs384, .hs512], now: now, leeway: Self.leeway),
            claims["iss"]?.string == "MessageBird", claims["nbf"] != nil, claims["exp"] != nil,
            Self.isHash(claims["url_hash"], of: Array(address.utf8))
        else { return false }
        return request.body.isEmpty
            ? claims["payload_hash"] == nil : Self.isHash(claims["payload_hash"], of: request.body)
    }

    // MARK: - Private

    private static let leeway = Duration.seconds(1)

    private static func isHash(_ claim: JSON?, of bytes: [UInt8]) -> Bool {
        guard let given = claim?.string.flatMap({ Hex.decode($0) }) else { return false }
        return equalInConstantTime(given, Digest.sha256.hash(bytes))
    }
}
