/// A key that verifies ECDSA signatures (FIPS 186-5) on the curve P-256 over SHA-256.
public struct ECDSAPublicKey: Sendable {
    private let key: KeyHandle

    /// A SubjectPublicKeyInfo in DER, as it stands in a PEM file between its lines. Nil for any other bytes, or curve.
    public init?(subjectPublicKeyInfo bytes: [UInt8]) {
        guard let key = KeyHandle(subjectPublicKeyInfo: bytes), key.isA("EC"), key.group == "prime256v1" else {
            return nil
        }
        self.key = key
    }

    /// Whether `signature`, in DER, is this key's over `message`.
    public func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        self.key.verifies(signature, of: message, digest: .sha256)
    }
}
