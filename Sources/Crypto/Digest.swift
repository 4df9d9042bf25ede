import CCrypto

/// A hash function, and the HMAC over it (RFC 2104).
///
/// MD5 and SHA-1 are here because providers sign with them. Nothing of ours uses them.
public enum Digest: String, Sendable, Hashable, CaseIterable {
    case md5, sha1, sha256, sha384, sha512

    /// Bytes in a hash.
    public var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The hash of `bytes`.
    public func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let message = Array(bytes)
        return [UInt8](unsafeUninitializedCapacity: self.byteCount) { hash, initialized in
            let done = EVP_Digest(message, message.count, hash.baseAddress, nil, self.algorithm.digest, nil)
            precondition(done == 1, "OpenSSL cannot hash")
            initialized = self.byteCount
        }
    }

    /// The HMAC of `message` under `key`, which may have any length.
    public func authenticate(_ message: [UInt8], key: Secret) -> [UInt8] {
        // A null key would mean "the key of before" to OpenSSL, and an empty array may be null in C.
        let keyBytes = key.isEmpty ? [0] : key.reveal()
        let keyCount = key.isEmpty ? 0 : keyBytes.count
        let context = EVP_MAC_CTX_dup(self.algorithm.authenticator)
        defer { EVP_MAC_CTX_free(context) }
        return [UInt8](unsafeUninitializedCapacity: self.byteCount) { code, initialized in
            let done =
                EVP_MAC_init(context, keyBytes, keyCount, nil) == 1
                && EVP_MAC_update(context, message, message.count) == 1
                && EVP_MAC_final(context, code.baseAddress, &initialized, self.byteCount) == 1
            precondition(done && initialized == self.byteCount, "OpenSSL cannot authenticate")
        }
    }

    /// What OpenSSL knows the hash function by.
    var handle: OpaquePointer { self.algorithm.digest }

    // MARK: - Private

    private var algorithm: DigestAlgorithm {
        switch self {
        case .md5: Self.fetchedMD5
        case .sha1: Self.fetchedSHA1
        case .sha256: Self.fetchedSHA256
        case .sha384: Self.fetchedSHA384
        case .sha512: Self.fetchedSHA512
        }
    }

    // Each is fetched at its first use only, so that a system without MD5 runs as long as no provider asks for it.
    private static let fetchedMD5 = DigestAlgorithm("MD5")
    private static let fetchedSHA1 = DigestAlgorithm("SHA1")
    private static let fetchedSHA256 = DigestAlgorithm("SHA256")
    private static let fetchedSHA384 = DigestAlgorithm("SHA384")
    private static let fetchedSHA512 = DigestAlgorithm("SHA512")
}

/// OpenSSL's implementation of a digest and of the HMAC over it, looked up once: in OpenSSL 3 a look-up walks the
/// providers under locks and costs more than hashing a short message does.
///
/// Lives as long as the process, so nothing is ever given back.
///
/// `@unchecked Sendable`: a fetched digest is immutable, and the HMAC context is a template that is written only
/// here; afterwards it is read by `EVP_MAC_CTX_dup` alone.
private struct DigestAlgorithm: @unchecked Sendable {
    let digest: OpaquePointer
    let authenticator: OpaquePointer

    init(_ name: String) {
        guard
            let digest = EVP_MD_fetch(nil, name, nil),
            let mac = EVP_MAC_fetch(nil, OSSL_MAC_NAME_HMAC, nil),
            let authenticator = EVP_MAC_CTX_new(mac),
            Self.prepare(authenticator, digest: name)
        else { fatalError("this system's OpenSSL has no \(name)") }
        self.digest = digest
        self.authenticator = authenticator
    }

    /// Chooses the digest, and gives some key: OpenSSL 3.0 refuses to copy an HMAC context without one.
    private static func prepare(_ authenticator: OpaquePointer, digest name: String) -> Bool {
        var name = Array(name.utf8CString)
        let key: [UInt8] = [0]
        return name.withUnsafeMutableBufferPointer { name in
            let parameters = [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return EVP_MAC_init(authenticator, key, key.count, parameters) == 1
        }
    }
}
