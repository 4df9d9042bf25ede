import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// Plivo's Message API (providers.md section 2.6): one message a request, one id whatever its parts.
///
/// Plivo would take many numbers in one request, of one text and with one address for their receipts. Codes differ, and the
/// address is all that is echoed of ours, so a shared one could not tell whose receipt came; hence one a request.
///
/// Credentials
/// - `auth_id`, `auth_token`: as in Plivo's console. Required; the token signs receipts, too.
/// - `main_auth_token`: of the main account, when `auth_id` is a subaccount and receipts are signed by the main one.
///
/// Settings
/// - `powerpack_uuid`: sends from this Powerpack where neither the message nor the account names a sender.
/// - `longest_validity_seconds`: what Plivo allows in `message_expiry`; 10800 by default.
/// - `log`: `false` keeps texts out of Plivo's own log; `true` by default.
public struct PlivoSMS: HTTPDriver {
    let table: StatusTable
    let address: ReceiptAddress
    let signature: PlivoSignature
    let authorization: Secret
    let url: String
    private let powerpack: String?
    private let longestValidity: Int64
    private let isLogged: Bool
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        let id = reader.requiredCredential("auth_id")
        let token = reader.requiredCredential("auth_token")
        self.authorization = basicAuthorization(id, token)
        self.signature = PlivoSignature(authToken: token, mainAuthToken: reader.credential("main_auth_token"))
        if PercentEncoding.encode(id.text) != id.text { reader.problem("credential auth_id is no id of Plivo's") }
        self.url = "\(reader.baseURL())/v1/Account/\(id.text)/Message/"
        self.address = ReceiptAddress(from: &reader)
        self.powerpack = reader.optionalSetting("powerpack_uuid")
        self.longestValidity = reader.setting("longest_validity_seconds", default: 10_800, expected: "60 to 604800") {
            Int64($0).flatMap { (60...604_800).contains($0) ? $0 : nil }
        }
        self.isLogged = reader.setting("log", default: true, expected: "true or false") {
            ["true": true, "false": false][$0]
        }
        self.defaultSender = account.defaultSender
        self.table = reader.table(.plivoSMS)
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.plivoSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let (number, content) = dispatch.shortMessage
        let sender = dispatch.sender ?? self.defaultSender
        let validity = dispatch.validity.seconds(in: Self.shortestValidity...self.longestValidity)
        let callback = self.address.url(for: dispatch.reference)
        let body = JSON.present([
            ("src", sender.map { .string($0) }),
            ("powerpack_uuid", sender == nil ? self.powerpack.map { .string($0) } : nil),
            ("dst", .string(number.e164)), ("text", .string(content.text)), ("type", "sms"),
            ("url", callback.map { .string($0) }), ("method", callback.map { _ in "POST" }),
            ("log", .bool(self.isLogged)), ("message_expiry", .integer(validity)),
            ("dlt_entity_id", content.indiaDLT.map { .string($0.principalEntityID) }),
            ("dlt_template_id", content.indiaDLT?.contentTemplateID.map { .string($0) }),
        ])
        return .post(self.url, body, authorization: self.authorization)
    }

    // MARK: - Private

    private static let shortestValidity: Int64 = 5
}
