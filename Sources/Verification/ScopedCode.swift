public import Crypto
public import Messaging

/// What a code is found by where nobody names it by an id: whose it is, in which vendor's API, for whom, and what for.
public struct CodeScope: Sendable, Hashable {
    public var account: AccountID
    public var vendor: Vendor
    /// What limits go by; see ``Recipient/key``.
    public var recipient: String
    /// The customer's word for what the code is for.
    public var name: String

    public init(account: AccountID, vendor: Vendor, recipient: String, name: String) {
        self.account = account
        self.vendor = vendor
        self.recipient = recipient
        self.name = name
    }

    /// However old a verifier lets a code be: after so long it is of no use to anybody.
    public static let codeLifetime = Duration.seconds(900)
}

extension CodeScope: CustomStringConvertible, CustomReflectable {
    public var description: String { "scope of account \(self.account.rawValue)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension FailurePolicy {
    /// Several codes of one scope live at once, and each guess is held against all of them without costing any of them an
    /// attempt. So the recipient waits for ``scopedWait`` after every so many failures in a row, those before the soft limit
    /// too.
    public static let scopedLimit: Int16 = 5
    /// The vendor speaks of two minutes and its own tests come back after 35 seconds (dialects.md section 3.3).
    public static let scopedWait = Duration.seconds(30)
}

/// In two steps as for a verification, `SHA-256(HMAC(key, scope ‖ code) ‖ id)`: whoever guesses knows the scope and not which
/// messages carried codes of it, so the database takes the second step with the id of each row.
extension CodeMAC {
    /// What is stored of a code that `message` carries, under the key that new codes are made with.
    public init(_ code: Code, in scope: CodeScope, message: MessageID, keys: MasterKeys) {
        let inner = Self.guesses(code, in: scope, keys: keys)[0]
        let id = withUnsafeBytes(of: (message.high.bigEndian, message.low.bigEndian)) { Array($0) }
        self.init(keyID: inner.keyID, bytes: Digest.sha256.hash(inner.bytes + id))
    }

    /// The inner hashes of what was typed, one for each key of the ring in its order: each row says which of them counts.
    public static func guesses(_ code: Code, in scope: CodeScope, keys: MasterKeys) -> [CodeMAC] {
        let pieces = [scope.vendor.rawValue, "\(scope.account.rawValue)", scope.name, scope.recipient, code.text]
        // Each behind its length, so that no two scopes read alike.
        let message = pieces.flatMap { Array("\($0.utf8.count):\($0)".utf8) }
        return keys.authenticate(message, for: "scoped code").map {
            CodeMAC(keyID: Int16($0.keyID), bytes: $0.code)
        }
    }
}
