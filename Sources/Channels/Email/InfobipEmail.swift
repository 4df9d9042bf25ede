import Crypto
public import HTTP
import JSON
public import Messaging
public import Timestamps

/// Version 4 of Infobip's mail API (providers.md section 4.5): many mails a request, each under the id that we choose, and
/// reports in batches, bounces among them.
///
/// What people do with a mail afterwards (opened, clicked, complained, unsubscribed) comes in a form of its own, of which
/// complaints and unsubscriptions are taken.
///
/// Credentials: `api_key`, required, and those of ``ReceiptAuthentication``.
public struct InfobipEmail: HTTPDriver {
    private let receiptAuthentication: ReceiptAuthentication
    private let table: StatusTable
    private let authorization: Secret
    private let url: String
    private let address: ReceiptAddress
    private let sender: MailSender

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = Secret("App \(reader.requiredCredential("api_key").text)")
        self.receiptAuthentication = ReceiptAuthentication(from: &reader)
        self.url = reader.baseURL() + "/email/4/messages"
        self.address = ReceiptAddress(from: &reader, token: self.receiptAuthentication.token)
        self.sender = MailSender(account, from: &reader)
        self.table = reader.table(.infobipEmail)
        try reader.finish()
    }

    /// As for short messages; Infobip takes 1000.
    public var batchLimit: Int { 100 }
    public var channels: Set<Channel> { ProviderKind.infobipEmail.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        precondition((1...self.batchLimit).contains(dispatches.count), "1 to \(self.batchLimit) mails a request")
        return .post(
            self.url, ["messages": .array(dispatches.map(self.message))], authorization: self.authorization)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        InfobipReading(table: self.table).outcomes(for: dispatches, response: response)
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        guard self.receiptAuthentication.authenticates(request) else { throw .unauthenticated }
        let body = try? JSON(parsing: request.body)
        if let type = body?["notificationType"]?.string, let body { return [self.tracked(type, body)] }
        return try InfobipReading(table: self.table).receipts(in: request, by: self.receiptAuthentication)
    }

    // MARK: - Private

    /// Seconds that Infobip allows: up to 48 hours.
    private static let validities: ClosedRange<Int64> = 1...172_800

    private func message(_ dispatch: Dispatch) -> JSON {
        let (address, mail) = dispatch.mail
        let reference = JSON.string(dispatch.reference.description)
        let webhooks = JSON.present([
            ("delivery", self.address.url.map { ["url": .string($0)] }),
            ("contentType", self.address.url.map { _ in "application/json" }), ("callbackData", reference),
        ])
        return .present([
            ("sender", self.sender.mailbox(of: dispatch).map { .string(Self.text(of: $0)) }),
            ("destinations", [["to": [["destination": .string(address.address), "messageId": reference]]]]),
            ("content", ["subject": .string(mail.subject), "text": .string(mail.text)]),
            (
                "options",
                [
                    "validityPeriod": [
                        "amount": .integer(dispatch.validity.seconds(in: Self.validities)), "timeUnit": "SECONDS",
                    ]
                ]
            ), ("webhooks", webhooks),
        ])
    }

    private static func text(of mailbox: Mailbox) -> String {
        mailbox.name.map { "\($0) <\(mailbox.address.address)>" } ?? mailbox.address.address
    }

    private func tracked(_ type: String, _ event: JSON) -> Receipt {
        let id = event["messageId"]?.scalarText ?? ""
        let named = MessageReference(id) ?? event["callbackData"]?.string.flatMap { MessageReference($0) }
        return Receipt(
            message: named, part: named == nil ? String(providerText: id) : "", coversMessage: true,
            verdict: self.table["tracking", type] ?? .unread, status: String(providerText: type), code: "",
            occurredAt: nil)
    }
}
