import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// Sinch's SMS API, formerly XMS (providers.md section 2.8): one message a request.
///
/// Sinch would take many numbers as one batch, with texts that differ by parameters. But a batch has one `client_reference`,
/// so the receipts of a batch whose answer was lost could be joined to no message, and codes would be sent twice for nothing;
/// and one wrong number refuses the whole batch. Hence one a request.
///
/// Credentials
/// - `api_token`: required.
/// - Those of ``ReceiptAuthentication``. Sinch's support switches Basic authentication on; the token needs nobody.
///
/// Settings
/// - `service_plan_id`: as in Sinch's dashboard. Required.
public struct SinchSMS: HTTPDriver {
    let receiptAuthentication: ReceiptAuthentication
    let table: StatusTable
    let authorization: Secret
    let url: String
    private let address: ReceiptAddress
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = Secret("Bearer \(reader.requiredCredential("api_token").text)")
        self.receiptAuthentication = ReceiptAuthentication(from: &reader)
        self.url = "\(reader.baseURL())/xms/v1/\(reader.requiredSetting("service_plan_id"))/batches"
        self.address = ReceiptAddress(from: &reader, token: self.receiptAuthentication.token)
        self.defaultSender = account.defaultSender
        self.table = reader.table(.sinchSMS)
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.sinchSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let (number, content) = dispatch.shortMessage
        // Sinch takes a moment and no duration.
        let expiry = now + min(max(.seconds(1), dispatch.validity), Self.longestValidity)
        let body = JSON.present([
            ("from", (dispatch.sender ?? self.defaultSender).map { .string(String(senderWithoutPlus($0))) }),
            ("to", [.string(String(number.digits))]), ("body", .string(content.text)), ("type", "mt_text"),
            ("delivery_report", "per_recipient"), ("callback_url", self.address.url.map { .string($0) }),
            ("client_reference", .string(dispatch.reference.description)), ("expire_at", "\(expiry)"),
        ])
        return .post(self.url, body, authorization: self.authorization)
    }

    // MARK: - Private

    private static let longestValidity = Duration.seconds(3 * 86_400)
}
