import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// Telnyx's Messaging version 2 (providers.md section 2.7): one message a request, one id whatever its parts.
///
/// Telnyx has no field for how long a message is worth anything, and echoes nothing of ours but the address of its receipts,
/// so that holds our reference, proved by the key of our requests because Telnyx signs no address.
///
/// Credentials
/// - `api_key`: required.
/// - `public_key`: the account's key in Base64, as in Telnyx's portal, with which receipts must be signed.
/// - `receipt_token`: see ``ReceiptToken``; required without the key. With both, both must be right.
///
/// Settings
/// - `messaging_profile_id`: required by Telnyx for names as senders.
/// - `tolerance_seconds`: how far a receipt's time may be from ours; 300 by default.
public struct TelnyxSMS: HTTPDriver {
    let table: StatusTable
    let signature: TelnyxSignature?
    let receiptToken: ReceiptToken?
    private let address: ReceiptAddress
    let addressKey: Secret
    private let authorization: Secret
    private let url: String
    private let profile: String?
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.addressKey = reader.requiredCredential("api_key")
        self.authorization = Secret("Bearer \(self.addressKey.text)")
        let tolerance = reader.setting("tolerance_seconds", default: 300, expected: "10 to 86400") {
            Int($0).flatMap { (10...86_400).contains($0) ? $0 : nil }
        }
        self.signature = TelnyxSignature(from: &reader, tolerance: .seconds(tolerance))
        self.receiptToken = ReceiptToken(from: &reader)
        self.url = reader.baseURL() + "/v2/messages"
        self.address = ReceiptAddress(from: &reader, token: self.receiptToken)
        self.profile = reader.optionalSetting("messaging_profile_id")
        self.defaultSender = account.defaultSender
        self.table = reader.table(.telnyxSMS)
        if self.signature == nil, self.receiptToken == nil {
            reader.problem("public_key or receipt_token is needed, or anybody could forge receipts")
        }
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.telnyxSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let (number, content) = dispatch.shortMessage
        let callback = self.address.url(for: dispatch.reference, provedBy: self.addressKey)
        let body = JSON.present([
            ("from", (dispatch.sender ?? self.defaultSender).map { .string($0) }), ("to", .string(number.e164)),
            ("text", .string(content.text)), ("messaging_profile_id", self.profile.map { .string($0) }),
            ("type", "SMS"), ("webhook_url", callback.map { .string($0) }),
            // Otherwise the profile's own addresses are told as well.
            ("use_profile_webhooks", callback.map { _ in false }),
        ])
        return .post(self.url, body, authorization: self.authorization)
    }

    public func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? {
        guard let id = inquiry.parts.first else { return nil }
        return .get("\(self.url)/\(PercentEncoding.encode(id))", authorization: self.authorization)
    }
}
