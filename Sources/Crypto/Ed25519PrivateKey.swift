import CCrypto

/// A key that makes Ed25519 signatures (RFC 8032). Nothing of ours is signed with it: the simulated carrier signs as the
/// providers do that it stands for.
public struct Ed25519PrivateKey: Sendable {
    public static let byteCount = 32

    private let key: KeyHandle

    /// From the seed of RFC 8032 section 5.1.5; nil for anything but 32 bytes.
    public init?(rawRepresentation seed: Secret) {
        let bytes = seed.reveal()
        guard bytes.count == Self.byteCount else { return nil }
        guard let key = KeyHandle(rawPrivateKey: bytes, algorithm: EVP_PKEY_ED25519) else { return nil }
        self.key = key
    }

    /// The 32 bytes of the public key.
    public var publicKey: [UInt8] { self.key.rawPublicKey(count: Ed25519PublicKey.byteCount) }

    /// 64 bytes.
    public func signature(of message: [UInt8]) -> [UInt8] { self.key.sign(message, digest: nil) }
}
