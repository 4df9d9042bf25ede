import CCrypto

/// Whether two byte strings are the same, in a time that depends on their lengths only.
///
/// Lengths are no secret here: what is compared is a digest, a signature or a token of a known format.
public func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return a.isEmpty || CRYPTO_memcmp(a, b, a.count) == 0
}
