/// A key that signs as RSASSA-PKCS1-v1_5 over SHA-256 (RFC 8017 section 8.2), which is RS256 to JSON Web Tokens.
///
/// It never prints.
public struct RSAPrivateKey: Sendable {
    /// Shorter keys are refused (RFC 7518 section 3.3).
    public static let leastBitCount = 2048

    private let key: KeyHandle

    /// The unencrypted key of a PEM text (RFC 7468): `PRIVATE KEY` or `RSA PRIVATE KEY`. Nil for any other text.
    public init?(pem: Secret) {
        guard let bytes = PEM.bytes(in: pem.text, labels: ["PRIVATE KEY", "RSA PRIVATE KEY"]) else { return nil }
        guard let key = KeyHandle(privateKey: bytes), key.isA("RSA"), key.bitCount >= Self.leastBitCount else {
            return nil
        }
        self.key = key
    }

    /// The signature over `message`, as long as the modulus.
    public func signature(of message: [UInt8]) -> [UInt8] { self.key.sign(message, digest: .sha256) }
}

extension RSAPrivateKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "an RSA key" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
