public import HTTP
import JSON
public import Messaging
public import Timestamps

/// Twilio's Programmable Messaging (providers.md section 2.1): one message a request, one id and one line of receipts
/// whatever its parts.
///
/// A sender of the form `MG…` is a Messaging Service. Receipts echo nothing but their address, so that holds our reference,
/// under Twilio's signature.
///
/// Credentials and settings: see ``TwilioAccount``.
public struct TwilioSMS: HTTPDriver {
    private let account: TwilioAccount

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.account = TwilioAccount(account, from: &reader)
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.twilioSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let (number, content) = dispatch.shortMessage
        var form = [("To", number.e164)]
        if let sender = dispatch.sender ?? self.account.defaultSender {
            form.append((Self.isMessagingService(sender) ? "MessagingServiceSid" : "From", sender))
        }
        form.append(("Body", content.text))
        form.append(("ValidityPeriod", String(dispatch.validity.seconds(in: Self.validities))))
        if let callback = self.account.callback(for: dispatch.reference) { form.append(("StatusCallback", callback)) }
        return self.account.post("/Messages.json", form)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let outcome = self.account.outcome(of: response)
        return dispatches.map { _ in outcome }
    }

    /// One receipt of one message. Of a state on the way there are several, in any order.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        let parameters = try self.account.parameters(in: request)
        guard let sid = parameters["MessageSid"] ?? parameters["SmsSid"], !sid.isEmpty else {
            throw .malformed("no MessageSid")
        }
        guard let status = parameters["MessageStatus"] ?? parameters["SmsStatus"], !status.isEmpty else {
            throw .malformed("no MessageStatus")
        }
        let reference = ReceiptAddress.reference(in: request)
        return [self.receipt(reference, sid: sid, status: status, code: parameters["ErrorCode"] ?? "")]
    }

    /// A callback is tried once unless it is asked for again, so some are lost.
    public func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? {
        guard let sid = inquiry.parts.first else { return nil }
        return .get(
            "\(self.account.url)/Messages/\(PercentEncoding.encode(sid)).json",
            authorization: self.account.authorization)
    }

    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard
            response.status == 200, let body = try? JSON(parsing: response.body),
            let sid = body["sid"]?.string, inquiry.parts.first == sid, let status = body["status"]?.string
        else { return [] }
        let code = body["error_code"]?.scalarText ?? ""
        return [self.receipt(inquiry.reference, sid: sid, status: status, code: code)]
    }

    // MARK: - Private

    /// Seconds that Twilio allows.
    private static let validities: ClosedRange<Int64> = 1...36_000

    /// As Twilio writes the ids of such services: `MG` and 32 digits.
    private static func isMessagingService(_ sender: String) -> Bool {
        sender.hasPrefix("MG") && sender.utf8.count == 34 && sender.dropFirst(2).allSatisfy(\.isHexDigit)
    }

    private func receipt(_ reference: MessageReference?, sid: String, status: String, code: String) -> Receipt {
        let verdict = self.account.table["status", status] ?? .unread
        return Receipt(
            message: reference, part: String(providerText: sid), coversMessage: true,
            verdict: verdict.explained(by: self.account.verdict(ofError: code)), status: String(providerText: status),
            code: String(providerText: code),
            // Nothing in it says when, and `RawDlrDoneDate` is in the carrier's own zone.
            occurredAt: nil)
    }
}
