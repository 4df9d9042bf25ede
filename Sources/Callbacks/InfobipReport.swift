import HTTP
import JSON
import Messaging
import Timestamps

/// Infobip's delivery report (dialects.md section 2.10), of one message whose reports were asked for, once its state is final.
///
/// The secret field `authorization` is sent as the field of that name.
struct InfobipReport {
    let message: CallbackEvent.Message
    let state: MessageState
    let reason: Verdict.Reason?
    /// When it came to its state.
    let doneAt: Timestamp

    /// Nil for what the vendor reports nothing of.
    init?(_ message: CallbackEvent.Message, of event: CallbackEvent) {
        guard message.isTracked, let state = event.type.messageState, state.isFinal else { return nil }
        self.message = message
        self.state = state
        self.reason = event.reason.flatMap(Verdict.Reason.init)
        self.doneAt = event.occurredAt
    }

    func request(to endpoint: CallbackEndpoint) -> CallbackRequest {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        fields["Authorization"] = endpoint.secrets.fields["authorization"]
        return CallbackRequest(
            method: "POST", url: endpoint.url, fields: fields,
            body: (["results": [self.json]] as JSON).serialized())
    }

    var json: JSON {
        let (status, error) = Self.words(self.state, self.reason)
        var members: [JSON.Member] = [
            .init("messageId", .string("\(self.message.id)")), .init("to", .string(self.message.msisdn)),
        ]
        if let sender = self.message.sender { members.append(.init("sender", .string(sender))) }
        members += [
            .init("sentAt", .string(Self.date(self.message.acceptedAt))),
            .init("doneAt", .string(Self.date(self.doneAt))), .init("messageCount", JSON(self.message.parts)),
        ]
        if let network = self.message.network { members.append(.init("mccMnc", .string(network))) }
        if let price = self.price { members.append(.init("price", price)) }
        return .object(members + [.init("status", status.json), .init("error", error.json)])
    }

    // MARK: - Private

    /// Of one segment.
    private var price: JSON? {
        guard let price = self.message.price else { return nil }
        let hundredMillionths = price.rawValue / Int64(max(self.message.parts, 1))
        return [
            "pricePerMessage": .number(Double(hundredMillionths) / 1e8), "currency": .string(self.message.currency),
        ]
    }

    /// As in `2019-11-09T16:00:00.000+0000`: an offset without a colon.
    private static func date(_ time: Timestamp) -> String { "\(time.description.dropLast())+0000" }

    private static func words(_ state: MessageState, _ reason: Verdict.Reason?) -> (Status, Failure) {
        switch state {
        case .queued, .sending: (.accepted, .none)
        case .accepted, .unknown: (.onItsWay, .none)
        case .delivered: (.delivered, .none)
        case .undelivered: (.notDelivered, Failure(reason))
        case .failed: (Status(rejected: reason), .none)
        case .expired: (.expired, .none)
        case .cancelled: (.expired, .cancelled)
        }
    }

    fileprivate struct Status {
        var group: Int
        var id: Int
        var name: String
        var description: String

        var json: JSON {
            [
                "groupId": JSON(self.group), "groupName": .string(Self.groups[self.group]), "id": JSON(self.id),
                "name": .string(self.name), "description": .string(self.description),
            ]
        }

        private static let groups = ["OK", "PENDING", "UNDELIVERABLE", "DELIVERED", "EXPIRED", "REJECTED"]

        static let accepted = Status(
            group: 1, id: 26, name: "PENDING_ACCEPTED", description: "Message accepted, pending for delivery.")
        static let onItsWay = Status(
            group: 1, id: 7, name: "PENDING_ENROUTE", description: "Message sent to next instance")
        static let delivered = Status(
            group: 3, id: 5, name: "DELIVERED_TO_HANDSET", description: "Message delivered to handset")
        static let notDelivered = Status(
            group: 2, id: 9, name: "UNDELIVERABLE_NOT_DELIVERED", description: "Message sent not delivered")
        static let expired = Status(group: 4, id: 15, name: "EXPIRED_EXPIRED", description: "Message expired")
    }

    fileprivate struct Failure {
        var group: Int
        var id: Int
        var name: String
        var isPermanent: Bool

        var json: JSON {
            [
                "groupId": JSON(self.group), "groupName": .string(Self.groups[self.group]), "id": JSON(self.id),
                "name": .string(self.name), "description": .string(self.id == 0 ? "No Error" : self.name),
                "permanent": .bool(self.isPermanent),
            ]
        }

        private static let groups = ["OK", "HANDSET_ERRORS", "USER_ERRORS", "OPERATOR_ERRORS"]

        static let none = Failure(group: 0, id: 0, name: "NO_ERROR", isPermanent: false)
        static let cancelled = Failure(group: 2, id: 4100, name: "MESSAGE_CANCELED", isPermanent: true)
    }
}

extension InfobipReport.Status {
    /// What was never handed over, by who refused it: the reverse of the table that the vendor's own statuses are read by.
    fileprivate init(rejected reason: Verdict.Reason?) {
        let (id, name) =
            switch reason {
            case .invalidDestination, .unknownSubscriber, .deactivatedNumber, .landline: (52, "REJECTED_DESTINATION")
            case .senderInvalid, .senderUnregistered: (13, "REJECTED_SENDER")
            case .insufficientCredit, .quotaExhausted: (12, "REJECTED_NOT_ENOUGH_CREDITS")
            case .noRoute: (19, "REJECTED_ROUTE_NOT_AVAILABLE")
            case .geoNotPermitted: (6, "REJECTED_NETWORK")
            case .optedOut, .doNotDisturb: (10, "REJECTED_DND")
            case .blockedByCarrier, .fraudBlocked: (14, "REJECTED_DESTINATION_BLOCKLISTED")
            case .throttledRecipient: (20, "REJECTED_FLOODING_FILTER")
            case .tooLong: (25, "REJECTED_MESSAGE_TOO_LONG")
            default: (21, "REJECTED_SYSTEM_ERROR")
            }
        self.init(group: 5, id: id, name: name, description: "Message rejected: \(name)")
    }
}

extension InfobipReport.Failure {
    /// Why a message that was handed over did not arrive.
    fileprivate init(_ reason: Verdict.Reason?) {
        switch reason {
        case .unknownSubscriber, .invalidDestination, .deactivatedNumber:
            self.init(group: 1, id: 1, name: "EC_UNKNOWN_SUBSCRIBER", isPermanent: true)
        case .landline: self.init(group: 1, id: 11, name: "EC_TELESERVICE_NOT_PROVISIONED", isPermanent: true)
        case .callBarred: self.init(group: 1, id: 13, name: "EC_CALL_BARRED", isPermanent: false)
        case .unreachableTemporary, .noAnswer:
            self.init(group: 1, id: 27, name: "EC_ABSENT_SUBSCRIBER", isPermanent: false)
        case .handsetBusy, .busy:
            self.init(group: 1, id: 31, name: "EC_SUBSCRIBER_BUSY_FOR_MT_SMS", isPermanent: false)
        case .handsetFull:
            self.init(group: 1, id: 256, name: "EC_SM_DF_MEMORYCAPACITYEXCEEDED", isPermanent: false)
        case .carrierError: self.init(group: 1, id: 32, name: "EC_SM_DELIVERY_FAILURE", isPermanent: false)
        default: self.init(group: 1, id: 255, name: "EC_UNKNOWN_ERROR", isPermanent: false)
        }
    }
}
