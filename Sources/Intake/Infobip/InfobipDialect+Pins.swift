import HTTP
import JSON
import Messaging
import Store
import Verification

/// Operations 11 to 17: a PIN is sent, sent again, and looked at.
extension InfobipDialect {
    func sendPIN(
        by channel: Channel, _ request: HTTPRequest, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        let json = try Self.object(in: request)
        let asksNetwork = channel == .sms ? try Self.flag("ncNeeded", in: request) ?? true : false
        let code = try Self.codeRequest(json, channel)
        let to = json["to"] ?? .null
        var reachability: Reachability?
        if asksNetwork {
            reachability = try await self.verifying { () async throws(VerifierRefusal) in
                try await self.verifier.reachability(for: code, of: account)
            }
        }
        if case .unreachable = reachability {
            // The vendor's reply has an id here too; this one names nothing.
            return .object(Self.smsMembers(pin: PublicID.make(), to: to, reachability, message: nil, isSent: false))
        }
        let sent = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.send(code, for: account)
        }
        return Self.reply(sent, to: to, reachability, isTracked: code.isTracked)
    }

    func resendPIN(
        _ pin: String, by channel: Channel, _ request: HTTPRequest, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        let id = try Self.pinID(pin)
        let json: JSON = request.body.isEmpty ? [:] : try Self.object(in: request)
        let (placeholders, isTracked) = try Self.reading { reader in
            (reader.infobipPlaceholders(json, channel), reader.flag(json, "trackDelivery", at: "") ?? false)
        }
        let resend = ResendRequest(
            verification: id, channel: channel, placeholders: placeholders.isEmpty ? nil : placeholders,
            isTracked: isTracked)
        let sent = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.resend(resend, for: account)
        }
        return Self.reply(sent, to: .string(Self.msisdn(sent.recipient)), nil, isTracked: isTracked)
    }

    /// Right and wrong are both 200 (dialects.md section 2.6).
    func verifyPIN(
        _ pin: String, _ request: HTTPRequest, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        let id = try Self.pinID(pin)
        let json = try Self.object(in: request)
        // Some write a PIN as the number that it looks like.
        let typed = json["pin"].flatMap { $0.string ?? $0.integer.map { String($0) } }
        guard let typed, !typed.isEmpty else { throw .invalid("/pin", "must not be blank") }
        guard let code = Code(typed: typed) else {
            throw .invalid("/pin", "must have 1 to \(Code.byteLimit) characters")
        }
        let result = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.check(code, of: id, for: account)
        }
        switch result {
        case .right(let recipient, _): return Self.verdict(pin, recipient, isVerified: true)
        case .wrong(let recipient, let left): return Self.verdict(pin, recipient, left: left, "WRONG_PIN")
        case .ended(let end):
            return Self.verdict(pin, end.recipient, end.cause == .expired ? "TTL_EXPIRED" : "NO_MORE_PIN_ATTEMPTS")
        case .limited(let wait): throw .tooManyRequests(wait: wait)
        case .locked(let wait): throw .tooManyRequests(wait: wait)
        case .unknown: throw .notFound
        // The verifier has asked until it was told something else.
        case .again, .keyless: throw .unavailable
        }
    }

    /// Anything but 32 upper-case hexadecimal digits was never a PIN's id; the vendor says 400 to it.
    static func pinID(_ text: String) throws(InfobipError) -> VerificationID {
        guard let id = VerificationID(hexadecimal: text) else {
            throw .invalid("/pinId", "must be 32 upper-case hexadecimal digits")
        }
        return id
    }

    /// A number without its plus sign, as this vendor has it, or an address.
    static func msisdn(_ recipient: String) -> String {
        recipient.hasPrefix("+") && !recipient.contains("@") ? String(recipient.dropFirst()) : recipient
    }

    /// A number as this vendor writes it, with or without a plus sign.
    static func recipient(_ text: String, channel: Channel) -> Recipient? {
        channel == .email || text.hasPrefix("+")
            ? Recipient(canonical: text, channel: channel) : Recipient(canonical: "+\(text)", channel: channel)
    }

    /// A parameter of the query that is true or false in any case, or 1 or 0; nil when it is not there.
    static func flag(_ name: String, in request: HTTPRequest) throws(InfobipError) -> Bool? {
        guard let query = Form(parsing: request.query ?? "") else {
            throw .badRequest("The query cannot be read.")
        }
        guard let value = query[name] else { return nil }
        switch value.lowercased() {
        case "true", "1": return true
        case "false", "0": return false
        default: throw .invalid("/\(name)", "must be true or false")
        }
    }

    // MARK: - Private

    private static func codeRequest(_ json: JSON, _ channel: Channel) throws(InfobipError) -> CodeRequest {
        let request = try Self.reading { reader -> CodeRequest? in
            let application = reader.string(json, "applicationId", required: true, at: "")
            let template = reader.string(json, "messageId", required: true, at: "")
            let recipient = reader.parsed(json, "to", expected: Self.expected(channel), required: true, at: "") {
                Self.recipient($0, channel: channel)
            }
            let sender = reader.infobipSender(json, channel)
            let placeholders = reader.infobipPlaceholders(json, channel)
            let isTracked = reader.flag(json, "trackDelivery", at: "") ?? false
            guard let application, let template, let recipient else { return nil }
            return CodeRequest(
                application: application, template: template, recipient: recipient, channel: channel, sender: sender,
                placeholders: placeholders, isTracked: isTracked)
        }
        // It is nil only when a problem was noted, and then `reading` has thrown.
        guard let request else { throw .general }
        return request
    }

    private static func expected(_ channel: Channel) -> String {
        channel == .email ? "a mail address" : "a number with its country code: 7 to 15 digits"
    }

    private static func reply(_ sent: SentCode, to: JSON, _ reachability: Reachability?, isTracked: Bool) -> JSON {
        let pin = sent.verification.hexadecimal
        switch sent.channel {
        case .sms:
            let message = isTracked ? sent.message : nil
            return .object(Self.smsMembers(pin: pin, to: to, reachability, message: message, isSent: true))
        case .voice: return ["pinId": .string(pin), "to": to, "callStatus": "PENDING_ACCEPTED"]
        case .email:
            let status: JSON = [
                "name": "PENDING_ACCEPTED", "description": "Message accepted, pending for delivery.",
            ]
            return ["pinId": .string(pin), "to": to, "emailStatus": status]
        }
    }

    private static func smsMembers(
        pin: String, to: JSON, _ reachability: Reachability?, message: MessageID?, isSent: Bool
    ) -> [JSON.Member] {
        var members: [JSON.Member] = [.init("pinId", .string(pin)), .init("to", to)]
        if let reachability { members.append(.init("ncStatus", .string(reachability.ncStatus))) }
        members.append(.init("smsStatus", isSent ? "MESSAGE_SENT" : "MESSAGE_NOT_SENT"))
        if let message { members.append(.init("externalMessageId", .string("\(message)"))) }
        return members
    }

    private static func verdict(
        _ pin: String, _ recipient: String, isVerified: Bool = false, left: Int16 = 0, _ error: String? = nil
    ) -> JSON {
        var members: [JSON.Member] = [
            .init("pinId", .string(pin)), .init("msisdn", .string(Self.msisdn(recipient))),
            .init("verified", .bool(isVerified)), .init("attemptsRemaining", .integer(Int64(left))),
        ]
        if let error { members.append(.init("pinError", .string(error))) }
        return .object(members)
    }
}

extension Reachability {
    fileprivate var ncStatus: String {
        switch self {
        case .unreachable: "NC_DESTINATION_NOT_REACHABLE"
        case .unknown: "NC_DESTINATION_UNKNOWN"
        case .reachable: "NC_DESTINATION_REACHABLE"
        case .notConfigured: "NC_NOT_CONFIGURED"
        }
    }
}

extension FieldReader {
    /// A landing page's are values like any others; a mail has but one text here.
    fileprivate mutating func infobipPlaceholders(_ json: JSON, _ channel: Channel) -> Placeholders {
        let own = self.placeholders(json) ?? [:]
        guard channel == .email else { return own }
        return (self.placeholders(json, "landingPagePlaceholders") ?? [:]).merging(own) { $1 }
    }

    fileprivate mutating func infobipSender(_ json: JSON, _ channel: Channel) -> String? {
        guard channel == .email else {
            let sender = self.string(json, "from", characters: MessageLimits.senderCharacters, at: "")
            if let sender, !sender.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
                self.fail("/from", "may hold printable ASCII characters only")
            }
            return sender
        }
        let sender = self.string(json, "from", characters: MessageLimits.mailSenderCharacters, at: "")
        if let sender, Mailbox(sender) == nil {
            self.fail("/from", "must be a mail address, or a name and an address in angle brackets")
        }
        return sender
    }
}
