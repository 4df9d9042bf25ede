public import Messaging
import Postgres
public import Timestamps

/// What is held and settled of events: those of one subject, for one endpoint.
public struct EventKey: Sendable, Hashable, Comparable {
    /// The message's or the verification's id.
    public var subject: MessageID
    public var endpoint: EndpointID

    public init(subject: MessageID, endpoint: EndpointID) {
        self.subject = subject
        self.endpoint = endpoint
    }

    public static func < (left: EventKey, right: EventKey) -> Bool {
        (left.subject, left.endpoint.rawValue) < (right.subject, right.endpoint.rawValue)
    }
}

/// An event that this worker holds and may tell its endpoint.
public struct EventClaim: Sendable {
    public var key: EventKey
    public var account: AccountID
    public var event: EventID
    /// From 1; counted when it was claimed.
    public var attempt: Int16
    public var endpoint: ClaimedEndpoint
    /// Nil when it has outlived its history and there is nothing left to tell.
    public var facts: EventFacts?
}

/// The endpoint of a claim, as it is now.
public struct ClaimedEndpoint: Sendable {
    public var kind: EndpointKind
    public var publicID: String
    public var url: String
    /// Sealed JSON.
    public var secrets: [UInt8]?
    /// JSON: an object of texts.
    public var settings: String
    public var isDisabled: Bool
    /// Nothing but failures came back lately.
    public var isFailing: Bool
}

/// What an event tells.
public struct EventFacts: Sendable {
    public enum Subject: Sendable {
        case message(Message)
        case verification(Verification)
        case endpoint(Endpoint)
    }

    public struct Message: Sendable {
        public var verification: VerificationID?
        public var channel: Channel
        public var recipient: String
        public var sender: String?
        public var reference: String?
        public var metadata: String?
        public var parts: Int16
        public var price: Money?
        public var network: String?
        public var acceptedAt: Timestamp
        public var isCorrected: Bool
        public var isTracked: Bool
        /// Where exactly the customer wants to be told of this message; nil for the endpoint's own address.
        public var callbackURL: String?
    }

    public struct Verification: Sendable {
        /// What customers call them.
        public var application: String
        public var template: String
        public var channel: Channel
        public var recipient: String
        public var startedAt: Timestamp
    }

    public struct Endpoint: Sendable {
        public var publicID: String
        public var url: String
    }

    public var type: EventType
    public var sequence: Int16
    public var reason: String?
    public var occurredAt: Timestamp
    /// The account's.
    public var currency: String
    public var subject: Subject
}

/// What a worker has room for.
public struct EventClaimRequest: Sendable {
    /// Over all endpoints.
    public var limit: Int32
    /// Where to begin among the endpoints: behind the last that the previous claim served.
    public var after: EndpointID
    /// What this worker has on its way already; endpoints that are not named have nothing.
    public var inFlight: [EndpointID: Int32]
    /// False passes by endpoints that fail.
    public var takesFailing: Bool

    public init(limit: Int32, after: EndpointID, inFlight: [EndpointID: Int32], takesFailing: Bool = true) {
        self.limit = limit
        self.after = after
        self.inFlight = inFlight
        self.takesFailing = takesFailing
    }
}

/// What a claim of events brought.
public struct ClaimedEvents: Sendable {
    public var claims: [EventClaim]
    /// The last endpoint that it came to, whether it may have more on its way or not; nil when there is none behind it.
    public var last: EndpointID?
}

/// What came of a claim of an event, on its way into the database.
public struct SettledEvent: Sendable {
    public var key: EventKey
    public var event: EventID
    public var attempt: Int16
    /// As in the `CHECK` of `event_attempts.outcome`.
    public var outcome: Outcome
    /// The HTTP status; nil without an answer.
    public var status: Int16?
    public var duration: Duration
    /// When it is tried again; nil ends it, and the subject's next event is ready.
    public var retryAfter: Duration?

    public enum Outcome: String, Sendable, Hashable {
        case delivered, refused, unanswered, forbidden, dropped
        case notSent = "not_sent"
    }

    public init(
        key: EventKey, event: EventID, attempt: Int16, outcome: Outcome, status: Int16?, duration: Duration,
        retryAfter: Duration?
    ) {
        self.key = key
        self.event = event
        self.attempt = attempt
        self.outcome = outcome
        self.status = status
        self.duration = duration
        self.retryAfter = retryAfter
    }
}

extension EventKey {
    init(row: borrowing Row) throws(PostgresError) {
        self.init(subject: try row.decode(0), endpoint: EndpointID(rawValue: try row.decode(1)))
    }
}

extension EventClaim {
    init(row: borrowing Row) throws(PostgresError) {
        self.init(
            key: try EventKey(row: row), account: AccountID(rawValue: try row.decode(2)),
            event: EventID(rawValue: try row.decode(3)), attempt: try row.decode(4),
            endpoint: ClaimedEndpoint(
                kind: try row.decode(5, oneOf: EndpointKind.self), publicID: try row.decode(6), url: try row.decode(7),
                secrets: try row.decodeIfPresent(8, as: Bytes.self)?.bytes, settings: try row.decode(9),
                isDisabled: try row.decode(10), isFailing: try row.decode(11)),
            facts: nil)
    }
}

extension EventFacts {
    /// Nil when the event or its subject is not there any more, or is of a type that a later version knows.
    init?(row: borrowing Row) throws(PostgresError) {
        guard let name = try row.decodeIfPresent(1, as: String.self), let type = EventType(rawValue: name),
            let subject = try Subject(row: row)
        else { return nil }
        self.init(
            type: type, sequence: try row.decode(2), reason: try row.decodeIfPresent(3),
            occurredAt: try row.decode(4),
            currency: try row.decode(5), subject: subject)
    }
}

extension EventFacts.Subject {
    init?(row: borrowing Row) throws(PostgresError) {
        if try row.decodeIfPresent(12, as: Int16.self) != nil {
            self = .message(try EventFacts.Message(row: row))
        } else if let application = try row.decodeIfPresent(19, as: String.self) {
            self = .verification(
                EventFacts.Verification(
                    application: application, template: try row.decode(20),
                    channel: try row.decode(7, oneOf: Channel.self),
                    recipient: try row.decode(8), startedAt: try row.decode(15)))
        } else if let publicID = try row.decodeIfPresent(21, as: String.self) {
            self = .endpoint(EventFacts.Endpoint(publicID: publicID, url: try row.decode(22)))
        } else {
            return nil
        }
    }
}

extension EventFacts.Message {
    init(row: borrowing Row) throws(PostgresError) {
        self.init(
            verification: try row.decodeIfPresent(6, as: MessageID.self).map(VerificationID.init(rawValue:)),
            channel: try row.decode(7, oneOf: Channel.self), recipient: try row.decode(8),
            sender: try row.decodeIfPresent(9), reference: try row.decodeIfPresent(10),
            metadata: try row.decodeIfPresent(11), parts: try row.decode(12),
            price: try row.decodeIfPresent(13, as: Int64.self).map(Money.init(rawValue:)),
            network: try row.decodeIfPresent(14), acceptedAt: try row.decode(15), isCorrected: try row.decode(16),
            isTracked: try row.decode(17), callbackURL: try row.decodeIfPresent(18))
    }
}
