import Messaging

/// Whom a provider's mails are from when they do not say.
struct MailSender: Sendable {
    private let mailbox: Mailbox?

    /// The account's default sender: an address, or `Name <address>`. Without one, every mail must name its own.
    init(_ account: ProviderAccount, from reader: inout AccountReader) {
        self.mailbox = account.defaultSender.flatMap { Mailbox($0) }
        if account.defaultSender != nil, self.mailbox == nil {
            reader.problem("the sender is neither an address nor Name <address>")
        }
    }

    /// The mail's own sender where it is one, else the account's.
    func mailbox(of dispatch: Dispatch) -> Mailbox? { dispatch.sender.flatMap { Mailbox($0) } ?? self.mailbox }
}

extension Dispatch {
    /// What a driver of mails is promised by ``Driver/channels``.
    var mail: (address: EmailAddress, content: Mail) {
        guard case .email(let address) = self.recipient, case .mail(let content) = self.content else {
            preconditionFailure("a driver got a dispatch of a channel that it does not carry")
        }
        return (address, content)
    }
}
