/// A key that verifies RSASSA-PKCS1-v1_5 over SHA-256 (RFC 8017 section 8.2), for what stands in for a provider.
public struct RSAPublicKey: Sendable {
    private let key: KeyHandle

    /// The PEM text of a `PUBLIC KEY` (RFC 7468). Nil for any other text.
    public init?(pem: String) {
        guard
            let bytes = PEM.bytes(in: pem, labels: ["PUBLIC KEY"]), let key = KeyHandle(subjectPublicKeyInfo: bytes),
            key.isA("RSA")
        else { return nil }
        self.key = key
    }

    public func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        self.key.verifies(signature, of: message, digest: .sha256)
    }
}
