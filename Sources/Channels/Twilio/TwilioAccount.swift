import Crypto
import HTTP
import JSON
import Messaging

/// What everything at Twilio shares, messages and calls: the account, how it is proved in both directions, and its errors.
///
/// Credentials
/// - `account_sid`, `auth_token`: as in Twilio's console. Required; the token signs callbacks, too.
/// - `api_key_sid`, `api_key_secret`: when given, requests go by this key instead of the token.
///
/// Settings
/// - `connection_overrides`: how Twilio calls us back, the part behind `#` of a callback's address (Twilio's word for it); by
///   default `rc=3&rp=all`, so that a callback which we did not take comes again. Twilio itself tries once. `none` for
///   nothing.
struct TwilioAccount: Sendable {
    let address: ReceiptAddress
    let signature: TwilioSignature
    let table: StatusTable
    let defaultSender: String?
    /// With the account in it, without a slash at its end.
    let url: String
    let authorization: Secret
    private let overrides: String

    init(_ account: ProviderAccount, from reader: inout AccountReader) {
        let sid = reader.requiredCredential("account_sid")
        let token = reader.requiredCredential("auth_token")
        let key = reader.credential("api_key_sid")
        let secret = reader.credential("api_key_secret")
        if (key == nil) != (secret == nil) { reader.problem("api_key_sid and api_key_secret go together") }
        if PercentEncoding.encode(sid.text) != sid.text { reader.problem("credential account_sid is no SID") }
        self.url = "\(reader.baseURL())/2010-04-01/Accounts/\(sid.text)"
        self.authorization = basicAuthorization(key ?? sid, secret ?? token)
        self.signature = TwilioSignature(authToken: token)
        self.address = ReceiptAddress(from: &reader)
        self.overrides = reader.setting(
            "connection_overrides", default: "#rc=3&rp=all", expected: "name=value&… or none", Self.fragment)
        self.defaultSender = account.defaultSender
        self.table = reader.table(.twilio)
        if Self.hasUnderscore(account.receiptURL) { reader.problem("Twilio calls no host with an underscore") }
    }

    /// The address for callbacks about one message.
    func callback(for reference: MessageReference) -> String? {
        self.address.url(for: reference).map { $0 + self.overrides }
    }

    func post(_ path: String, _ form: [(String, String)]) -> OutgoingRequest {
        OutgoingRequest(
            method: "POST", url: self.url + path,
            fields: [
                "Authorization": self.authorization.text, "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            ],
            body: Form(form).serialized())
    }

    /// What became of a request for one message or call.
    func outcome(of response: HTTPResponse) -> Outcome {
        let body = try? JSON(parsing: response.body)
        // A message that failed at once is named and refused in one breath.
        let failure = body?["status"]?.string.flatMap { ["failed", "undelivered"].contains($0) ? $0 : nil }
        let code = (body?["code"] ?? body?["error_code"])?.scalarText.map { String(providerText: $0) } ?? failure
        return Outcome(
            response: response, id: failure == nil ? body?["sid"]?.string : nil, code: code,
            verdict: code.flatMap { self.verdict(ofError: $0) } ?? failure.flatMap { self.table["status", $0] })
    }

    /// The parameters of a callback that Twilio has signed: of the form for POST, of the query for GET.
    func parameters(in request: HTTPRequest) throws(ReceiptRefusal) -> Form {
        guard
            let target = self.address.target(of: request), self.signature.verifies(request, at: target)
        else { throw .unauthenticated }
        let form: Form? =
            switch request.method {
            case "GET": Form(parsing: request.query ?? "")
            case "POST": Form(parsing: request.body)
            default: throw .malformed("neither GET nor POST")
            }
        guard let form else { throw .malformed("unreadable parameters") }
        return form
    }

    /// By the code, else by its class, else nil. Twilio splits codes into finer ones from time to time.
    func verdict(ofError code: String) -> Verdict? {
        self.table["error", code] ?? (code.utf8.count > 3 ? self.table["class", String(code.dropLast(3))] : nil)
    }

    // MARK: - Private

    private static func fragment(_ text: String) -> String? {
        if text == "none" { return "" }
        let isFragment =
            !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        return isFragment ? "#\(text)" : nil
    }

    private static func hasUnderscore(_ url: String?) -> Bool {
        let pieces = url?.split(separator: "/", maxSplits: 2) ?? []
        return pieces.count > 1 && pieces[1].contains("_")
    }
}
