public import Messaging
public import Timestamps

/// A change that a customer is told of, with all that any vendor's words tell of it. Never a code nor a body.
public struct CallbackEvent: Sendable {
    /// The same at each try.
    public var id: EventID
    public var type: EventType
    /// Counts the changes of its subject from 1.
    public var sequence: Int
    public var occurredAt: Timestamp
    /// A raw value of `Verdict.Reason`.
    public var reason: String?
    public var subject: Subject

    public init(
        id: EventID, type: EventType, sequence: Int, occurredAt: Timestamp, reason: String? = nil, subject: Subject
    ) {
        self.id = id
        self.type = type
        self.sequence = sequence
        self.occurredAt = occurredAt
        self.reason = reason
        self.subject = subject
    }

    /// What the event is about.
    public enum Subject: Sendable {
        case message(Message)
        case verification(Verification)
        case webhook(Webhook)
    }

    public struct Message: Sendable {
        public var id: MessageID
        /// Of the code that it carries.
        public var verification: VerificationID?
        public var channel: Channel
        /// In E.164 with its plus sign, or an address.
        public var recipient: String
        public var sender: String?
        public var reference: String?
        /// JSON, as the customer gave it.
        public var metadata: String?
        /// Segments.
        public var parts: Int
        /// For all segments.
        public var price: Money?
        /// By ISO 4217.
        public var currency: String
        /// The recipient's mobile country and network code (ITU-T E.212).
        public var network: String?
        public var acceptedAt: Timestamp
        /// Whether a final state was overturned by a late receipt.
        public var isCorrected: Bool
        /// Whether reports were asked for (Infobip's `trackDelivery`).
        public var isTracked: Bool

        public init(
            id: MessageID, verification: VerificationID? = nil, channel: Channel, recipient: String,
            sender: String? = nil, reference: String? = nil, metadata: String? = nil, parts: Int = 1,
            price: Money? = nil, currency: String, network: String? = nil, acceptedAt: Timestamp,
            isCorrected: Bool = false, isTracked: Bool = false
        ) {
            self.id = id
            self.verification = verification
            self.channel = channel
            self.recipient = recipient
            self.sender = sender
            self.reference = reference
            self.metadata = metadata
            self.parts = parts
            self.price = price
            self.currency = currency
            self.network = network
            self.acceptedAt = acceptedAt
            self.isCorrected = isCorrected
            self.isTracked = isTracked
        }
    }

    public struct Verification: Sendable {
        public var id: VerificationID
        /// The public ids.
        public var application: String
        public var template: String
        public var channel: Channel
        /// In E.164 with its plus sign, or an address.
        public var recipient: String
        public var startedAt: Timestamp

        public init(
            id: VerificationID, application: String, template: String, channel: Channel, recipient: String,
            startedAt: Timestamp
        ) {
            self.id = id
            self.application = application
            self.template = template
            self.channel = channel
            self.recipient = recipient
            self.startedAt = startedAt
        }
    }

    /// An endpoint that was switched off.
    public struct Webhook: Sendable {
        /// The public id.
        public var id: String
        /// Scheme, host and port of its URL; the rest may be a secret.
        public var url: String
        /// The word in `endpoints.disabled`.
        public var disabledBecause: String

        public init(id: String, url: String, disabledBecause: String) {
            self.id = id
            self.url = url
            self.disabledBecause = disabledBecause
        }
    }
}

extension CallbackEvent.Message {
    /// The number without its plus sign, as two of the vendors have it, or the address.
    var msisdn: String {
        self.recipient.hasPrefix("+") && !self.recipient.contains("@")
            ? String(self.recipient.dropFirst()) : self.recipient
    }
}

// What prints without recipients, references and metadata.

extension CallbackEvent: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(self.type.rawValue) \(self.id)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CallbackEvent.Subject: CustomStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .message(let message): message.description
        case .verification(let verification): verification.description
        case .webhook(let webhook): webhook.description
        }
    }

    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CallbackEvent.Message: CustomStringConvertible, CustomReflectable {
    public var description: String { "message \(self.id)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CallbackEvent.Verification: CustomStringConvertible, CustomReflectable {
    public var description: String { "verification \(self.id)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CallbackEvent.Webhook: CustomStringConvertible, CustomReflectable {
    public var description: String { "webhook \(self.id)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
