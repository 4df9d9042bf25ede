import CCrypto

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D) with nonces of 12 bytes and tags of 16.
///
/// A key and a nonce must never meet twice; choosing nonces is the caller's part.
enum SealingCipher {
    static let keyByteCount = 32
    static let nonceByteCount = 12
    static let tagByteCount = 16

    /// The ciphertext, as long as `plain`, followed by the tag.
    static func encrypt(_ plain: [UInt8], key: [UInt8], nonce: [UInt8], context: [UInt8]) -> [UInt8] {
        precondition(key.count == Self.keyByteCount && nonce.count == Self.nonceByteCount, "wrong key or nonce size")
        let cipher = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(cipher) }
        var length: CInt = 0
        return [UInt8](unsafeUninitializedCapacity: plain.count + Self.tagByteCount) { output, initialized in
            let start = output.baseAddress!  // The capacity is 16 at least.
            let done =
                EVP_EncryptInit_ex2(cipher, Self.algorithm.cipher, key, nonce, nil) == 1
                && EVP_EncryptUpdate(cipher, nil, &length, context, CInt(context.count)) == 1
                && EVP_EncryptUpdate(cipher, start, &length, plain, CInt(plain.count)) == 1
                && EVP_EncryptFinal_ex(cipher, start + plain.count, &length) == 1
                && ccrypto_get_tag(cipher, start + plain.count, CInt(Self.tagByteCount)) == 1
            // With sizes checked, only memory can be wanting.
            precondition(done, "OpenSSL cannot encrypt")
            initialized = plain.count + Self.tagByteCount
        }
    }

    /// The plaintext; nil when key, nonce, context, ciphertext and tag do not belong together.
    static func decrypt(_ sealed: ArraySlice<UInt8>, key: [UInt8], nonce: [UInt8], context: [UInt8]) -> [UInt8]? {
        precondition(key.count == Self.keyByteCount && nonce.count == Self.nonceByteCount, "wrong key or nonce size")
        guard sealed.count >= Self.tagByteCount else { return nil }
        let ciphertext = Array(sealed.dropLast(Self.tagByteCount))
        let tag = Array(sealed.suffix(Self.tagByteCount))
        let cipher = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(cipher) }
        var length: CInt = 0
        var genuine = false
        // One byte more than needed, so that there is an address even for an empty plaintext.
        let plain = [UInt8](unsafeUninitializedCapacity: ciphertext.count + 1) { output, initialized in
            let start = output.baseAddress!  // The capacity is 1 at least.
            genuine =
                EVP_DecryptInit_ex2(cipher, Self.algorithm.cipher, key, nonce, nil) == 1
                && EVP_DecryptUpdate(cipher, nil, &length, context, CInt(context.count)) == 1
                && EVP_DecryptUpdate(cipher, start, &length, ciphertext, CInt(ciphertext.count)) == 1
                && ccrypto_set_tag(cipher, tag, CInt(Self.tagByteCount)) == 1
                && EVP_DecryptFinal_ex(cipher, start + ciphertext.count, &length) == 1
            initialized = genuine ? ciphertext.count : 0
        }
        return genuine ? plain : nil
    }

    // MARK: - Private

    private static let algorithm = CipherAlgorithm()
}

/// OpenSSL's AES-256-GCM, looked up once because a look-up costs more than sealing a code.
///
/// `@unchecked Sendable`: a fetched cipher is immutable; each use has a context of its own.
private struct CipherAlgorithm: @unchecked Sendable {
    let cipher: OpaquePointer

    init() {
        guard let cipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
            fatalError("this system's OpenSSL has no AES-256-GCM")
        }
        self.cipher = cipher
    }
}
