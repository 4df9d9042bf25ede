import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// MessageBird's REST API (providers.md section 2.9): one message a request, one id whatever its parts.
///
/// MessageBird would take many recipients of one text. Codes differ, and a request has one `reference`, without which there
/// are no receipts; hence one a request.
///
/// Credentials
/// - `access_key`: required.
/// - `signing_key`: when given, receipts must be signed with it.
/// - `receipt_token`: see ``ReceiptToken``; required without the signing key. With both, both must be right.
public struct MessageBirdSMS: HTTPDriver {
    let table: StatusTable
    let address: ReceiptAddress
    let signature: MessageBirdSignature?
    let receiptToken: ReceiptToken?
    let authorization: Secret
    let url: String
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = Secret("AccessKey \(reader.requiredCredential("access_key").text)")
        self.signature = reader.credential("signing_key").map { MessageBirdSignature(signingKey: $0) }
        self.receiptToken = ReceiptToken(from: &reader)
        self.url = reader.baseURL() + "/messages"
        self.address = ReceiptAddress(from: &reader, token: self.receiptToken)
        self.defaultSender = account.defaultSender
        self.table = reader.table(.messageBirdSMS)
        if self.signature == nil, self.receiptToken == nil {
            reader.problem("signing_key or receipt_token is needed, or anybody could forge receipts")
        }
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.messageBirdSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let (number, content) = dispatch.shortMessage
        let isPlain = Segments(of: content.text).alphabet == .gsm7
        let body = JSON.present([
            ("originator", (dispatch.sender ?? self.defaultSender).map { .string(String(senderWithoutPlus($0))) }),
            ("recipients", [.string(String(number.digits))]), ("body", .string(content.text)),
            ("reference", .string(dispatch.reference.description)), ("type", "sms"),
            // Without it, characters beyond the GSM alphabet would arrive as question marks.
            ("datacoding", isPlain ? "plain" : "unicode"),
            ("validity", .integer(max(1, dispatch.validity.components.seconds))),
            ("reportUrl", self.address.url.map { .string($0) }),
        ])
        return .post(self.url, body, authorization: self.authorization)
    }
}
