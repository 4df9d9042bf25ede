public import Crypto
public import Messaging

/// What is stored of a code: a keyed hash of it bound to its account, its verification and its recipient, so that a copy in
/// another row matches nothing. The key is derived from a master key, outside the database: without it a million codes are
/// a million guesses that nobody can check.
///
/// It is made in two steps, `SHA-256(HMAC(key, account ‖ verification ‖ code) ‖ recipient)`, since whoever checks knows the id
/// that the customer named and not yet the recipient: the database takes the second step with the row's own, and a check
/// needs no question before the guess. The inner hash has a fixed length, so the two parts cannot run into each other.
public struct CodeMAC: Sendable, Hashable {
    /// Which master key it was made with.
    public var keyID: Int16
    /// 32 bytes.
    public var bytes: [UInt8]

    /// What is stored, under the key that new codes are made with.
    public init(
        _ code: Code, of verification: VerificationID, account: AccountID, recipient: Recipient, keys: MasterKeys
    ) {
        let inner = Self.guesses(code, at: verification, account: account, keys: keys)[0]
        self.keyID = inner.keyID
        self.bytes = Digest.sha256.hash(inner.bytes + Array(recipient.key.utf8))
    }

    init(keyID: Int16, bytes: [UInt8]) {
        self.keyID = keyID
        self.bytes = bytes
    }

    /// The inner hashes of what was typed, one for each key of the ring in its order: the row says which of them counts.
    public static func guesses(
        _ code: Code, at verification: VerificationID, account: AccountID, keys: MasterKeys
    ) -> [CodeMAC] {
        // No piece but the last has a variable length, and a slash is in none before it.
        let message = Array("\(account.rawValue)/\(verification)/\(code.text)".utf8)
        return keys.authenticate(message, for: "verification code").map {
            CodeMAC(keyID: Int16($0.keyID), bytes: $0.code)
        }
    }
}
