import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

/// Our own words, signed as Standard Webhooks 1.0 has it. The names are those of our API.
struct StandardWebhook {
    let event: CallbackEvent

    init(_ event: CallbackEvent) { self.event = event }

    /// Nothing but the fields depends on `now`.
    func request(to endpoint: CallbackEndpoint, now: Timestamp) -> CallbackRequest {
        let body = self.json.serialized()
        let id = self.event.id.description
        var request = CallbackRequest(
            method: "POST", url: endpoint.url,
            fields: [
                "Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": String(now.seconds),
            ],
            body: body)
        let signatures = endpoint.secrets.liveKeys(at: now).map { key in
            Self.signature(of: body, id: id, seconds: now.seconds, key: key)
        }
        if !signatures.isEmpty { request.fields["webhook-signature"] = signatures.joined(separator: " ") }
        return request
    }

    static func signature(
        of body: [UInt8], id: String, seconds: Int64, key: CallbackSecrets.SigningKey
    ) -> String {
        StandardWebhookSignature.sign(body, id: id, seconds: seconds, key: Secret(key.key))
    }

    var json: JSON {
        [
            "type": .string(self.event.type.rawValue), "timestamp": .string("\(self.event.occurredAt)"),
            "data": .object(self.data),
        ]
    }

    // MARK: - Private

    private var data: [JSON.Member] {
        switch self.event.subject {
        case .message(let message): self.members(of: message)
        case .verification(let verification): self.members(of: verification)
        case .webhook(let webhook):
            [
                .init("id", .string(webhook.id)), .init("sequence", JSON(self.event.sequence)),
                .init("url", .string(webhook.url)), .init("disabled", .string(webhook.disabledBecause)),
            ]
        }
    }

    private func members(of message: CallbackEvent.Message) -> [JSON.Member] {
        var members: [JSON.Member] = [.init("id", .string("\(message.id)"))]
        members.append("verification_id", message.verification.map { "\($0)" })
        members.append(.init("sequence", JSON(self.event.sequence)))
        members.append("status", self.event.type.messageState?.rawValue)
        members.append("reason", self.event.reason)
        members.append(.init("channel", .string(message.channel.rawValue)))
        members.append(.init("to", .string(message.recipient)))
        members.append("from", message.sender)
        members.append("reference", message.reference)
        if let metadata = message.metadata, let json = try? JSON(parsing: Array(metadata.utf8)) {
            members.append(.init("metadata", json))
        }
        members.append(.init("parts", JSON(message.parts)))
        if let price = message.price {
            members += [.init("price", .string(price.text())), .init("currency", .string(message.currency))]
        }
        members += [
            .init("corrected", .bool(message.isCorrected)), .init("accepted_at", .string("\(message.acceptedAt)")),
        ]
        return members
    }

    private func members(of verification: CallbackEvent.Verification) -> [JSON.Member] {
        // The type is `verification.` and the status.
        let status = self.event.type.rawValue.drop { $0 != "." }.dropFirst()
        var members: [JSON.Member] = [
            .init("id", .string("\(verification.id)")), .init("sequence", JSON(self.event.sequence)),
            .init("status", .string(String(status))),
        ]
        members.append("reason", self.event.reason)
        return members + [
            .init("application", .string(verification.application)),
            .init("template", .string(verification.template)),
            .init("channel", .string(verification.channel.rawValue)), .init("to", .string(verification.recipient)),
            .init("started_at", .string("\(verification.startedAt)")),
        ]
    }
}

extension [JSON.Member] {
    /// What is not there is left out.
    fileprivate mutating func append(_ name: String, _ text: String?) {
        if let text { self.append(.init(name, .string(text))) }
    }
}
