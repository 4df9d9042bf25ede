import Crypto
import Guard
import Messaging
import Store
import Timestamps
import Verification

/// A code as a customer asks for it, checked as far as that goes without the application and the template.
struct CodeRequest: Sendable {
    /// What the customer calls them.
    var application: String
    var template: String
    var recipient: Recipient
    var channel: Channel
    /// Goes before the template's own.
    var sender: String?
    var placeholders: Placeholders = [:]
    /// Whether the customer wants reports of the delivery.
    var isTracked = false
    /// Whether the code is right once, whatever its application allows.
    var isSingleUse = false
    var reference: String?
    var metadata: String?
    /// Whose user it is for.
    var caller = GuardCaller()
    var idempotency: (key: String, fingerprint: [UInt8])?
}

/// A code that is to be sent again.
struct ResendRequest: Sendable {
    var verification: VerificationID
    /// Nil: the one that it was last sent by.
    var channel: Channel?
    /// Nil: those of the first time.
    var placeholders: Placeholders?
    var isTracked = false
    var caller = GuardCaller()
}

/// A code that is on its way, committed.
struct SentCode: Sendable {
    var verification: VerificationID
    var message: MessageID
    /// As it is stored: E.164, or an address.
    var recipient: String
    var channel: Channel
    /// Segments of a text message.
    var parts: Int16
    var expiresIn: Duration
    /// Of the verification; a code that may be used again may be sent again after it was right.
    var state = StoredVerification.State.pending
    /// The answer to a request that had been made before under the same idempotency key.
    var isRepeated = false
}

typealias Placeholders = [String: String]

extension CodeRequest: CustomStringConvertible, CustomReflectable {
    var description: String { "code for \(self.recipient)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension SentCode: CustomStringConvertible, CustomReflectable {
    var description: String { "code of verification \(self.verification)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
