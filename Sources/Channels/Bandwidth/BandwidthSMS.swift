import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// Bandwidth's Messaging version 2 (providers.md section 2.5): one message a request, because several recipients in one
/// would be a group in which everybody sees everybody.
///
/// Receipts go to the address of the application at Bandwidth, whatever a message says; enter the one that our receiver has
/// there, with the token behind it if there is one. Bandwidth can be asked nothing afterwards.
///
/// Credentials
/// - `username`, `password`: of a user of the API. Required.
/// - Those of ``ReceiptAuthentication``.
///
/// Settings
/// - `account_id`, `application_id`: as in Bandwidth's console. Required.
public struct BandwidthSMS: HTTPDriver {
    let receiptAuthentication: ReceiptAuthentication
    let table: StatusTable
    private let authorization: Secret
    private let url: String
    private let application: String
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = basicAuthorization(
            reader.requiredCredential("username"), reader.requiredCredential("password"))
        self.receiptAuthentication = ReceiptAuthentication(from: &reader)
        self.url = "\(reader.baseURL())/api/v2/users/\(reader.requiredSetting("account_id"))/messages"
        self.application = reader.requiredSetting("application_id")
        self.defaultSender = account.defaultSender
        self.table = reader.table(.bandwidthSMS)
        _ = reader.receiptURL()
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.bandwidthSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let (number, content) = dispatch.shortMessage
        // Bandwidth takes a moment and no duration, so this is the one place where our clock is told to a provider.
        let expiration = now + max(.seconds(1), dispatch.validity)
        let body = JSON.present([
            ("applicationId", .string(self.application)), ("to", [.string(number.e164)]),
            ("from", (dispatch.sender ?? self.defaultSender).map { .string($0) }), ("text", .string(content.text)),
            ("tag", .string(dispatch.reference.description)),
            ("priority", dispatch.priority == .bulk ? "default" : "high"), ("expiration", "\(expiration)"),
        ])
        return .post(self.url, body, authorization: self.authorization)
    }
}
