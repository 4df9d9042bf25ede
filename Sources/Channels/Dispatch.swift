public import Messaging

/// One message to hand to a provider.
public struct Dispatch: Sendable {
    /// Our id, which travels in every field that the provider echoes.
    public var reference: MessageReference
    public var recipient: PhoneNumber
    /// A number, a short code or a name. Nil: the account's own.
    public var sender: String?
    /// What the recipient reads. Never logged.
    public var text: String
    /// How long the message is still worth anything, from now. Providers drop it afterwards, within their own limits.
    public var validity: Duration
    public var priority: Priority

    public init(
        reference: MessageReference, recipient: PhoneNumber, sender: String? = nil, text: String, validity: Duration,
        priority: Priority = .otp
    ) {
        self.reference = reference
        self.recipient = recipient
        self.sender = sender
        self.text = text
        self.validity = validity
        self.priority = priority
    }
}

extension Dispatch: CustomStringConvertible, CustomReflectable {
    /// The reference; a body has no place in a log.
    public var description: String { "dispatch \(self.reference)" }
    public var customMirror: Mirror { Mirror(self, children: ["reference": self.reference]) }
}
