import CCrypto

/// One of OpenSSL's asymmetric keys, given back with the last reference to it.
///
/// `@unchecked Sendable`: a key is not written once it is read, and each signature has a context of its own.
final class KeyHandle: @unchecked Sendable {
    private let key: OpaquePointer

    private init(_ key: OpaquePointer) { self.key = key }

    deinit { EVP_PKEY_free(self.key) }

    /// A public key from its bytes alone, for the algorithms that have but one parameter set.
    init?(rawPublicKey bytes: [UInt8], algorithm: CInt) {
        guard let key = EVP_PKEY_new_raw_public_key(algorithm, nil, bytes, bytes.count) else {
            ERR_clear_error()
            return nil
        }
        self.key = key
    }

    /// A private key from its bytes alone, for the same algorithms.
    init?(rawPrivateKey bytes: [UInt8], algorithm: CInt) {
        guard let key = EVP_PKEY_new_raw_private_key(algorithm, nil, bytes, bytes.count) else {
            ERR_clear_error()
            return nil
        }
        self.key = key
    }

    /// The bytes of the public key, `count` of them, for the same algorithms.
    func rawPublicKey(count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            initialized = count
            let done = EVP_PKEY_get_raw_public_key(self.key, bytes.baseAddress, &initialized)
            precondition(done == 1 && initialized == count, "a key of another algorithm")
        }
    }

    /// A public key from a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) in DER, with nothing behind it.
    init?(subjectPublicKeyInfo bytes: [UInt8]) {
        guard let key = Self.decode(bytes, with: { d2i_PUBKEY(nil, $0, $1) }) else { return nil }
        self.key = key
    }

    /// An unencrypted private key in DER: PKCS#8 (RFC 5208), or PKCS#1 (RFC 8017 appendix A.1.2).
    init?(privateKey bytes: [UInt8]) {
        guard let key = Self.decode(bytes, with: { d2i_AutoPrivateKey(nil, $0, $1) }) else { return nil }
        self.key = key
    }

    var bitCount: Int { Int(EVP_PKEY_get_bits(self.key)) }

    func isA(_ algorithm: String) -> Bool { EVP_PKEY_is_a(self.key, algorithm) == 1 }

    /// The name of the curve, for keys on one.
    var group: String? {
        var name = [CChar](repeating: 0, count: 80)
        var count = 0
        guard EVP_PKEY_get_group_name(self.key, &name, name.count, &count) == 1 else { return nil }
        return String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Nil digest: the algorithm hashes by itself.
    func verifies(_ signature: [UInt8], of message: [UInt8], digest: Digest?) -> Bool {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        // What a stranger sent wrong leaves errors in a queue of the thread, which nobody else would empty.
        defer { ERR_clear_error() }
        return EVP_DigestVerifyInit(context, nil, digest?.handle, nil, self.key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// Nil digest: the algorithm hashes by itself.
    func sign(_ message: [UInt8], digest: Digest?) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let capacity = Int(EVP_PKEY_get_size(self.key))
        return [UInt8](unsafeUninitializedCapacity: capacity) { signature, initialized in
            var count = capacity
            let done =
                EVP_DigestSignInit(context, nil, digest?.handle, nil, self.key) == 1
                && EVP_DigestSign(context, signature.baseAddress, &count, message, message.count) == 1
            // With the key checked, only memory can be wanting.
            precondition(done, "OpenSSL cannot sign")
            initialized = count
        }
    }

    // MARK: - Private

    private typealias Decoder = (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?

    private static func decode(_ bytes: [UInt8], with decoder: Decoder) -> OpaquePointer? {
        defer { ERR_clear_error() }
        return bytes.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            guard let key = decoder(&next, buffer.count) else { return nil }
            guard next == buffer.baseAddress.map({ $0 + buffer.count }) else {
                EVP_PKEY_free(key)
                return nil
            }
            return key
        }
    }
}
