/// A key that signs as ECDSA (FIPS 186-5) on the curve P-256 over SHA-256, for what stands in for a provider.
///
/// It never prints.
public struct ECDSAPrivateKey: Sendable {
    private let key: KeyHandle

    /// The unencrypted key of a PEM text (RFC 7468): `PRIVATE KEY` or `EC PRIVATE KEY`. Nil for any other text, or curve.
    public init?(pem: Secret) {
        guard
            let bytes = PEM.bytes(in: pem.text, labels: ["PRIVATE KEY", "EC PRIVATE KEY"]),
            let key = KeyHandle(privateKey: bytes), key.isA("EC"), key.group == "prime256v1"
        else { return nil }
        self.key = key
    }

    /// The signature over `message`, in DER. Of one message there are many.
    public func signature(of message: [UInt8]) -> [UInt8] { self.key.sign(message, digest: .sha256) }
}

extension ECDSAPrivateKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "an ECDSA key" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
