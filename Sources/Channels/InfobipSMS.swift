import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// Version 3 of Infobip's SMS API (providers.md section 2.4): many messages a request, each under the id that we
/// choose, and receipts in batches.
///
/// Because the id is ours, a message sent twice under one reference is refused as a duplicate, which counts as
/// accepted.
///
/// Credentials
/// - `api_key`: required.
/// - Those of ``ReceiptAuthentication``; the token is for addresses that no security profile of Infobip covers.
public struct InfobipSMS: HTTPDriver {
    let receiptAuthentication: ReceiptAuthentication
    let table: StatusTable
    private let authorization: Secret
    private let url: String
    private let reportsURL: String
    /// Secret for the token in it.
    private let receiptURL: Secret?
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = Secret("App \(reader.requiredCredential("api_key").text)")
        let base = reader.baseURL()
        self.url = base + "/sms/3/messages"
        self.reportsURL = base + "/sms/3/reports"
        self.receiptAuthentication = ReceiptAuthentication(from: &reader)
        let receiptURL = reader.receiptURL()
        self.receiptURL = receiptURL.map { [token = self.receiptAuthentication.token] in
            Secret(token?.url(under: $0) ?? $0)
        }
        self.defaultSender = account.defaultSender
        self.table = reader.table(.infobipSMS)
        try reader.finish()
    }

    /// Infobip names no limit. A hundred texts of the greatest length are some hundred kilobytes, and an answer that is
    /// lost leaves no more than a hundred messages in doubt.
    public var batchLimit: Int { 100 }
    public var channels: Set<Channel> { ProviderKind.infobipSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        precondition((1...self.batchLimit).contains(dispatches.count), "1 to \(self.batchLimit) messages a request")
        let body: JSON = ["messages": .array(dispatches.map(self.message))]
        return OutgoingRequest(
            method: "POST", url: self.url,
            fields: [
                "Authorization": self.authorization.text, "Content-Type": "application/json",
                "Accept": "application/json",
            ],
            body: body.serialized()
        )
    }

    /// Each report is given out once within 48 hours, and those that were posted to us are not given out.
    public func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? {
        .get(
            "\(self.reportsURL)?messageId=\(PercentEncoding.encode(inquiry.reference.description))",
            authorization: self.authorization)
    }

    // MARK: - Private

    /// Seconds that Infobip allows: up to 48 hours.
    private static let validities: ClosedRange<Int64> = 1...172_800

    private func message(_ dispatch: Dispatch) -> JSON {
        let (number, content) = dispatch.shortMessage
        let reference = JSON.string(dispatch.reference.description)
        var members: [JSON.Member] = []
        if let sender = dispatch.sender ?? self.defaultSender {
            members.append(.init("sender", .string(String(senderWithoutPlus(sender)))))
        }
        members += [
            .init("destinations", [["to": .string(String(number.digits)), "messageId": reference]]),
            .init("content", ["text": .string(content.text)]),
            .init("options", Self.options(dispatch.validity, content)),
            .init("webhooks", self.webhooks(reference)),
        ]
        return .object(members)
    }

    private static func options(_ validity: Duration, _ content: TextContent) -> JSON {
        let seconds = min(max(validity.components.seconds, self.validities.lowerBound), self.validities.upperBound)
        var members: [JSON.Member] = [
            .init("validityPeriod", ["amount": .integer(seconds), "timeUnit": "SECONDS"])
        ]
        if let dlt = content.indiaDLT { members.append(.init("regional", ["indiaDlt": self.members(of: dlt)])) }
        return .object(members)
    }

    private static func members(of dlt: IndiaDLT) -> JSON {
        let members: [(String, String?)] = [
            ("principalEntityId", dlt.principalEntityID), ("contentTemplateId", dlt.contentTemplateID),
            ("teleMarketerId", dlt.teleMarketerID),
        ]
        return .object(members.compactMap { name, value in value.map { .init(name, .string($0)) } })
    }

    private func webhooks(_ reference: JSON) -> JSON {
        guard let url = self.receiptURL else { return ["callbackData": reference] }
        return [
            "delivery": ["url": .string(url.text)], "contentType": "application/json", "callbackData": reference,
        ]
    }
}
