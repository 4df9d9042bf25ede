import HTTP
import JSON
import Messaging
import Timestamps

/// Bandwidth's MFA webhook (dialects.md section 3.4), of messages only: the vendor tells nothing of calls.
struct BandwidthReceipt {
    let message: CallbackEvent.Message
    let isDelivered: Bool
    let state: MessageState
    let reason: Verdict.Reason?
    let occurredAt: Timestamp

    /// Nil for what the vendor has no webhook for.
    init?(_ message: CallbackEvent.Message, of event: CallbackEvent) {
        guard message.channel == .sms, let state = event.type.messageState, state.isFinal else { return nil }
        self.message = message
        self.isDelivered = state == .delivered
        self.state = state
        self.reason = event.reason.flatMap(Verdict.Reason.init)
        self.occurredAt = event.occurredAt
    }

    func request(to endpoint: CallbackEndpoint) -> CallbackRequest {
        CallbackRequest(
            method: "POST", url: endpoint.url, fields: ["Content-Type": "application/json; charset=utf-8"],
            body: self.json.serialized())
    }

    var json: JSON {
        let isDomestic = self.message.recipient.hasPrefix("+1")
        let failure = self.isDelivered ? nil : isDomestic ? self.failure : Failure.international
        var members: [JSON.Member] = [
            .init("type", .string(self.isDelivered ? "message-delivered" : "message-failed")),
            .init("time", .string("\(self.occurredAt.description.prefix(19))Z")),
            .init("description", .string(failure?.description ?? "ok")),
            .init("platform", .string(isDomestic ? "NorthAmericaSMS" : "GlobalSMS")),
            .init("message", ["id": .string(self.message.id.bandwidthText)]),
        ]
        if let failure { members.append(.init("errorCode", JSON(failure.code))) }
        return .object(members)
    }

    // MARK: - Private

    fileprivate struct Failure {
        var code: Int
        var description: String

        init(_ code: Int, _ description: String) {
            self.code = code
            self.description = description
        }

        /// The only one that the vendor has published for numbers abroad.
        static let international = Failure(995, "Undeliverable")
    }

    /// The vendor's table (providers.md section 2.5), the other way round.
    private var failure: Failure {
        if self.state == .expired { return Failure(4360, "message-not-sent-expiration-date-passed") }
        return switch self.reason {
        case .expired: Failure(4360, "message-not-sent-expiration-date-passed")
        case .landline: Failure(4700, "invalid-service-type")
        case .invalidDestination, .unknownSubscriber: Failure(4720, "invalid-destination-address")
        case .deactivatedNumber: Failure(4721, "destination-tn-deactivated")
        case .unreachableTemporary, .handsetBusy, .handsetFull, .callBarred, .noAnswer, .busy, .machineAnswered:
            Failure(4702, "destination-subscriber-unavailable")
        case .optedOut, .complained: Failure(4775, "destination-rejected-due-to-user-opt-out")
        case .doNotDisturb, .fraudBlocked: Failure(4482, "rejected-to-number-in-blacklist")
        case .blockedByCarrier, .contentRejected, .duplicate: Failure(4750, "destination-rejected-message")
        case .spamFiltered: Failure(4770, "destination-spam-detected")
        case .tooLong: Failure(4751, "destination-rejected-message-size-invalid")
        case .encodingError: Failure(4301, "malformed-invalid-encoding")
        case .senderInvalid: Failure(4740, "invalid-source-address-address")
        case .senderUnregistered: Failure(4774, "provisioning-issue")
        case .geoNotPermitted: Failure(4432, "rejected-forbidden-country")
        case .noRoute: Failure(4730, "no-route-to-destination-carrier")
        case .throttledProvider, .throttledCarrier, .throttledRecipient, .quotaExhausted:
            Failure(4785, "volumetric-violation")
        case .insufficientCredit, .authFailed, .accountSuspended, .configError: Failure(4493, "rejected-unauthorized")
        case .attemptsSpent, .networkTimeout, .providerError: Failure(5106, "impossible-to-route")
        case .carrierError: Failure(5650, "destination-failed")
        case .noReceipt: Failure(9902, "delivery-receipt-expired")
        case .unknown: Failure(9999, "unknown-error")
        case .ok, .accepted, .canceled, .hardBounce, .softBounce, nil: Failure(5500, "message-send-failed")
        }
    }
}
