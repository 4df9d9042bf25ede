public import Messaging

/// One message to hand to a provider.
public struct Dispatch: Sendable {
    /// Our id, which travels in every field that the provider echoes.
    public var reference: MessageReference
    /// Of the content's channel.
    public var recipient: Recipient
    /// A number, a short code or a name; for a mail a ``Mailbox``. Nil: the account's own.
    public var sender: String?
    /// What the recipient reads or hears. Never logged.
    public var content: Content
    /// How long the message is still worth anything, from now. Providers drop it afterwards, within their own limits.
    public var validity: Duration
    public var priority: Priority

    public init(
        reference: MessageReference, recipient: Recipient, sender: String? = nil, content: Content, validity: Duration,
        priority: Priority = .otp
    ) {
        self.reference = reference
        self.recipient = recipient
        self.sender = sender
        self.content = content
        self.validity = validity
        self.priority = priority
    }

    public var channel: Channel { self.content.channel }
}

extension Dispatch {
    /// What a driver of short messages is promised by ``Driver/channels``.
    var shortMessage: (number: PhoneNumber, content: TextContent) {
        guard case .phone(let number) = self.recipient, case .text(let content) = self.content else {
            preconditionFailure("a driver got a dispatch of a channel that it does not carry")
        }
        return (number, content)
    }
}

extension Dispatch: CustomStringConvertible, CustomReflectable {
    /// The reference; a body has no place in a log.
    public var description: String { "dispatch \(self.reference)" }
    public var customMirror: Mirror { Mirror(self, children: ["reference": self.reference]) }
}
