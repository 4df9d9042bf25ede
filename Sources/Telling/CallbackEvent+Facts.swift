public import Callbacks
public import Messaging
public import Store

extension CallbackEvent {
    /// What an event of `subject` tells.
    public init(_ id: EventID, subject: MessageID, _ facts: EventFacts) {
        self.init(
            id: id, type: facts.type, sequence: Int(facts.sequence), occurredAt: facts.occurredAt, reason: facts.reason,
            subject: Subject(subject, facts))
    }
}

extension CallbackEvent.Subject {
    fileprivate init(_ id: MessageID, _ facts: EventFacts) {
        switch facts.subject {
        case .message(let message):
            self = .message(
                .init(
                    id: id, verification: message.verification, channel: message.channel, recipient: message.recipient,
                    sender: message.sender, reference: message.reference, metadata: message.metadata,
                    parts: Int(message.parts), price: message.price, currency: facts.currency, network: message.network,
                    acceptedAt: message.acceptedAt,
                    // Only the last change can have been the correction; a retry of an earlier one says what it said before.
                    isCorrected: message.isCorrected && facts.type == .messageDelivered, isTracked: message.isTracked))
        case .verification(let verification):
            self = .verification(
                .init(
                    id: VerificationID(rawValue: id), application: verification.application,
                    template: verification.template, channel: verification.channel, recipient: verification.recipient,
                    startedAt: verification.startedAt))
        case .endpoint(let endpoint):
            self = .webhook(
                .init(id: endpoint.publicID, url: Self.origin(of: endpoint.url), disabledBecause: facts.reason ?? ""))
        }
    }

    /// The scheme, host and port: the rest of an address may hold a token, and goes to nobody but itself.
    private static func origin(of url: String) -> String {
        url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).prefix(3).joined(separator: "/")
    }
}
