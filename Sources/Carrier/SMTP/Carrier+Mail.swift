import Crypto
import Messaging
import Synchronization

// What the mail server asks of the carrier.
extension Carrier {
    func mailSession() -> SMTPSession {
        let mail = self.configuration.mail
        guard !self.configuration.acceptsAnyCredential, !mail.user.isEmpty else {
            return SMTPSession(name: "carrier.example", isLogin: { _, _ in true }, requiresLogin: false)
        }
        return SMTPSession(name: "carrier.example") { $0 == mail.user && Secret($1) == mail.password }
    }

    /// The fault of a mail to a recipient, if any; one of its request or one of its own.
    func mailFault(for recipient: String) -> Fault? {
        self.state.withLock { state in
            state[.smtp].requests += 1
            let fault =
                state.faults.takeForRequest(to: [recipient], of: .smtp)
                ?? state.faults.takeForMessage(to: recipient, of: .smtp)
            if [.refuse, .throttle, .internalError].contains(fault?.kind) { state[.smtp].refused += 1 }
            return fault
        }
    }

    func take(_ mail: SMTPMail) {
        let received = ReceivedMail(mail.message)
        let now = self.now()
        self.state.withLock { state in
            state.take(
                TakenMessage(
                    provider: .smtp, to: EmailAddress(mail.recipient)?.address ?? mail.recipient, from: received.from,
                    content: .mail(Mail(subject: received.subject, text: received.text)),
                    reference: String(received.messageID.prefix { $0 != "@" }), ids: [mail.queueID], segments: 1,
                    receiptURL: nil, takenAt: now))
        }
    }
}
