import CCrypto

/// A key that verifies Ed25519 signatures (RFC 8032).
public struct Ed25519PublicKey: Sendable {
    public static let byteCount = 32

    private let key: KeyHandle

    /// Nil for anything but 32 bytes.
    public init?(rawRepresentation bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        guard let key = KeyHandle(rawPublicKey: bytes, algorithm: EVP_PKEY_ED25519) else { return nil }
        self.key = key
    }

    /// Whether `signature`, of 64 bytes, is this key's over `message`.
    public func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        self.key.verifies(signature, of: message, digest: nil)
    }
}
