import HTTP
import JSON
import Messaging
import Postgres
import Store
import Timestamps

/// Operation 18, and version 1's look at what became of a PIN's message.
extension InfobipDialect {
    func listVerifications(
        of application: String, _ request: HTTPRequest, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        let recipient = try Self.msisdn(in: request)
        let isVerified = try Self.flag("verified", in: request)
        let isSent = try Self.flag("sent", in: request)
        _ = try await self.application(application, account)
        // A verification begins with a message that is committed, so there is none without.
        guard isSent ?? true else { return ["verifications": []] }
        let filter = VerificationFilter(recipient: recipient.key, application: application, isVerified: isVerified)
        let found = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.verifications(filter, of: account)
        }
        return ["verifications": .array(found.map(\.infobip))]
    }

    func showStatus(of pin: String, _ account: AccountID) async throws(InfobipError) -> JSON {
        let id = try Self.pinID(pin)
        let found = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.verification(id, of: account)
        }
        guard let found else { throw .notFound }
        let timeline = try await self.ask { () async throws(PostgresError) in
            try await self.store.timeline(of: found.message, account: account)
        }
        // Old messages are dropped by the day, and their verifications with them, though not at the same moment.
        let status = InfobipMessageStatus(timeline?.message.state ?? .unknown, reason: timeline?.message.reason)
        return [status.json]
    }

    // MARK: - Private

    private static func msisdn(in request: HTTPRequest) throws(InfobipError) -> Recipient {
        guard let query = Form(parsing: request.query ?? "") else {
            throw .badRequest("The query cannot be read.")
        }
        guard var text = query["msisdn"], !text.isEmpty else { throw .invalid("/msisdn", "is required") }
        // A plus sign that nobody encoded arrives as a space.
        if text.hasPrefix(" ") { text = "+\(text.dropFirst())" }
        guard let recipient = Self.recipient(text, channel: text.contains("@") ? .email : .sms) else {
            throw .invalid("/msisdn", "must be a number with its country code, or a mail address")
        }
        return recipient
    }
}

extension StoredVerification {
    /// Milliseconds, and always both, as the vendor's SDKs want them: what was never verified has the time of the last guess.
    fileprivate var infobip: JSON {
        [
            "msisdn": .string(InfobipDialect.msisdn(self.recipient)), "verified": .bool(self.verifiedAt != nil),
            "verifiedAt": .integer((self.verifiedAt ?? self.checkedAt ?? self.sentAt).milliseconds),
            "sentAt": .integer(self.sentAt.milliseconds),
        ]
    }
}

/// What version 1 calls the state of a message (dialects.md section 2.9).
struct InfobipMessageStatus: Hashable {
    var name: String
    var description: String
    var isFinal: Bool

    init(_ state: MessageState, reason: String?) {
        self.isFinal = state.isFinal
        (self.name, self.description) =
            switch state {
            case .queued, .sending: ("MESSAGE_ACCEPTED", "The message has been accepted.")
            case .accepted: ("MESSAGE_WAITING_DELIVERY", "The message has been sent and waits for its delivery.")
            case .unknown: ("MESSAGE_DELIVERY_UNKNOWN", "Whether the message has been delivered is not known.")
            case .delivered: ("MESSAGE_DELIVERED", "The message has been delivered.")
            case .undelivered: ("MESSAGE_NOT_DELIVERED", "The message has not been delivered.")
            case .failed: Self.failures[reason ?? ""] ?? ("MESSAGE_REJECTED", "The message has been rejected.")
            case .expired: ("MESSAGE_EXPIRED", "The message has expired.")
            case .cancelled: ("MESSAGE_NOT_SENT", "The message has not been sent.")
            }
    }

    var json: JSON {
        [
            "status": .string(self.name), "description": .string(self.description), "finalStatus": .bool(self.isFinal),
        ]
    }

    private static let failures = [
        "invalid_destination": (
            "MESSAGE_INVALID_DESTINATION_ADDRESS", "The destination address of the message is invalid."
        ),
        "sender_invalid": ("INVALID_SOURCE_ADDRESS", "The source address of the message is invalid."),
        "sender_unregistered": ("INVALID_SOURCE_ADDRESS", "The source address of the message is not registered."),
        "geo_not_permitted": ("MESSAGE_NETWORK_NOT_ALLOWED", "The network of the destination is not allowed."),
        "no_route": ("MESSAGE_NETWORK_NOT_AVAILABLE", "The network of the destination is not available."),
        "insufficient_credit": ("NOT_ENOUGH_CREDITS", "There are not enough credits."),
        "config_error": ("SYSTEM_ERROR", "The message could not be sent."),
        "attempts_spent": ("SYSTEM_ERROR", "The message could not be sent."),
    ]
}
