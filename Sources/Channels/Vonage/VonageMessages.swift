public import HTTP
import JSON
public import Messaging
public import Timestamps

/// Version 1 of Vonage's Messages API, for short messages (providers.md section 2.3): one message a request, one id and one
/// final receipt whatever its parts.
///
/// Credentials and settings: see ``VonageApplication``.
public struct VonageMessages: HTTPDriver {
    private let application: VonageApplication
    private let table: StatusTable
    private let url: String
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.application = VonageApplication(from: &reader)
        self.url = reader.baseURL() + "/v1/messages"
        self.defaultSender = account.defaultSender
        self.table = reader.table(.vonageMessages)
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.vonageMessages.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let (number, content) = dispatch.shortMessage
        let url = self.application.address.url
        var sms: [JSON.Member] = [.init("encoding_type", "auto")]
        if let dlt = content.indiaDLT {
            sms.append(.init("entity_id", .string(dlt.principalEntityID)))
            if let template = dlt.contentTemplateID { sms.append(.init("content_id", .string(template))) }
        }
        let body = JSON.present([
            ("channel", "sms"), ("message_type", "text"), ("to", .string(String(number.digits))),
            ("from", (dispatch.sender ?? self.defaultSender).map { .string(String(senderWithoutPlus($0))) }),
            ("text", .string(content.text)), ("ttl", .integer(dispatch.validity.seconds(in: Self.validities))),
            ("client_ref", .string(dispatch.reference.description)), ("webhook_url", url.map { .string($0) }),
            ("webhook_version", url.map { _ in "v1" }), ("sms", .object(sms)),
        ])
        return self.application.post(self.url, body, now: now)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let code = Self.code(of: body)
        let outcome = Outcome(
            response: response, id: body?["message_uuid"]?.string, code: code,
            verdict: code.flatMap { self.table["error", $0] })
        return dispatches.map { _ in outcome }
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        let event = try self.application.event(in: request, now: now)
        guard let id = event["message_uuid"]?.string, !id.isEmpty else { throw .malformed("no message_uuid") }
        guard let status = event["status"]?.string, !status.isEmpty else { throw .malformed("no status") }
        let code = Self.code(of: event["error"]) ?? ""
        let verdict = self.table["status", status] ?? .unread
        return [
            Receipt(
                message: event["client_ref"]?.string.flatMap { MessageReference($0) }, part: String(providerText: id),
                coversMessage: true, verdict: verdict.explained(by: self.table["error", code]),
                status: String(providerText: status), code: code,
                occurredAt: event["timestamp"]?.string.flatMap { Timestamp($0) })
        ]
    }

    public func status(of refusal: ReceiptRefusal, of request: HTTPRequest) -> Int {
        self.application.status(of: refusal, of: request)
    }

    // MARK: - Private

    /// Seconds; those of the SMS API, in whose stead this stands.
    private static let validities: ClosedRange<Int64> = 20...604_800

    /// The number of an error: version 0.1 has it in `code`, version 1 in `title` or at the end of `type`.
    private static func code(of error: JSON?) -> String? {
        guard let error else { return nil }
        if let code = error["code"]?.scalarText { return String(providerText: code) }
        let type = error["type"]?.string ?? ""
        let end = String(type.reversed().prefix { $0 != "/" && $0 != "#" }.reversed())
        for text in [error["title"]?.scalarText ?? "", end] where !text.isEmpty && text.utf8.allSatisfy(Self.isDigit) {
            return String(providerText: text)
        }
        return error["title"]?.scalarText.map { String(providerText: $0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
