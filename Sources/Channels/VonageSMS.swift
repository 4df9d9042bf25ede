import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// The SMS API of Vonage, formerly Nexmo (providers.md section 2.2): one message a request, one id and one receipt a
/// part.
///
/// Credentials
/// - `api_key`, `api_secret`: as in Vonage's dashboard. Required.
/// - `signature_secret`: when given, receipts must be signed with it.
/// - `signature_method`: `md5hash` (Vonage's default), `md5`, `sha1`, `sha256` or `sha512`.
/// - `receipt_token`: see ``ReceiptToken``; required when receipts are not signed, so that nobody can forge one. With
///   both, both must be right.
///
/// Settings
/// - `authentication`: `secret` (the default) sends `api_secret`; `signature` signs requests and sends no secret.
/// - `receipt_window_seconds`: how old a signed receipt may be; 259,500 by default, which is 72 hours and five minutes.
///   Vonage sends a receipt again for up to 72 hours and is not known to sign it anew, and a shorter window would throw
///   away what a day's outage of ours left behind. A replay within the window is harmless: it can only repeat what was
///   said of the same message, and a repeated receipt changes nothing.
public struct VonageSMS: HTTPDriver {
    let apiKey: Secret
    let apiSecret: Secret
    let signature: VonageSignature?
    let signsRequests: Bool
    let receiptToken: ReceiptToken?
    let receiptWindow: Duration
    let table: StatusTable
    private let url: String
    /// Secret for the token in it.
    private let callback: Secret?
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.apiKey = reader.requiredCredential("api_key")
        self.apiSecret = reader.requiredCredential("api_secret")
        self.signature = Self.signature(&reader)
        self.receiptToken = ReceiptToken(from: &reader)
        self.signsRequests = reader.setting("authentication", default: false, expected: "secret or signature") {
            ["secret": false, "signature": true][$0]
        }
        let window = reader.setting("receipt_window_seconds", default: 259_500, expected: "300 to 1000000") {
            Int($0).flatMap { (300...1_000_000).contains($0) ? $0 : nil }
        }
        self.receiptWindow = .seconds(window)
        self.url = reader.baseURL() + "/sms/json"
        let receiptURL = reader.receiptURL()
        self.callback = receiptURL.map { [token = self.receiptToken] in Secret(token?.url(under: $0) ?? $0) }
        self.defaultSender = account.defaultSender
        self.table = reader.table(.vonageSMS)
        if self.signsRequests, self.signature == nil { reader.problem("credential signature_secret is missing") }
        if self.signature == nil, self.receiptToken == nil {
            reader.problem("signature_secret or receipt_token is needed, or anybody could forge receipts")
        }
        if let callback = self.callback, callback.reveal().count > Self.callbackLimit {
            reader.problem("the receipt URL with its token is longer than \(Self.callbackLimit) characters")
        }
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.vonageSMS.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        precondition(dispatches.count == 1, "Vonage takes one message a request")
        let parameters = self.authenticated(self.parameters(of: dispatches[0]), now: now)
        return OutgoingRequest(
            method: "POST", url: self.url,
            fields: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
            body: Form(parameters).serialized()
        )
    }

    // MARK: - Private

    /// Characters that Vonage's own SDK allows in `callback`.
    private static let callbackLimit = 100
    /// Milliseconds that Vonage allows in `ttl`.
    private static let validities: ClosedRange<Int64> = 20_000...604_800_000

    private static func signature(_ reader: inout AccountReader) -> VonageSignature? {
        let secret = reader.credential("signature_secret")
        let name = reader.credential("signature_method")?.text ?? VonageSignature.Method.md5hash.rawValue
        guard let method = VonageSignature.Method(rawValue: name) else {
            reader.problem("credential signature_method is not md5hash, md5, sha1, sha256 or sha512")
            return nil
        }
        return secret.map { VonageSignature(secret: $0, method: method) }
    }

    private func parameters(of dispatch: Dispatch) -> [(String, String)] {
        let (number, content) = dispatch.shortMessage
        var parameters: [(String, String)] = []
        if let sender = dispatch.sender ?? self.defaultSender {
            parameters.append(("from", String(senderWithoutPlus(sender))))
        }
        parameters.append(("to", String(number.digits)))
        parameters.append(("text", content.text))
        // Without it, characters beyond the GSM alphabet would arrive as question marks.
        if Segments(of: content.text).alphabet == .ucs2 { parameters.append(("type", "unicode")) }
        let validity = min(max(dispatch.validity.milliseconds, Self.validities.lowerBound), Self.validities.upperBound)
        parameters.append(("ttl", String(validity)))
        parameters.append(("status-report-req", "true"))
        if let callback = self.callback { parameters.append(("callback", callback.text)) }
        parameters.append(("client-ref", dispatch.reference.description))
        if let dlt = content.indiaDLT { parameters += Self.parameters(of: dlt) }
        return parameters
    }

    private static func parameters(of dlt: IndiaDLT) -> [(String, String)] {
        [("entity-id", dlt.principalEntityID)] + (dlt.contentTemplateID.map { [("content-id", $0)] } ?? [])
    }

    /// The secret and a signature together would be refused (status 32).
    private func authenticated(_ parameters: [(String, String)], now: Timestamp) -> [(String, String)] {
        var parameters = [("api_key", self.apiKey.text)] + parameters
        guard self.signsRequests, let signature = self.signature else {
            parameters.insert(("api_secret", self.apiSecret.text), at: 1)
            return parameters
        }
        parameters.append(("timestamp", String(now.seconds)))
        parameters.append(("sig", signature.sign(Form(parameters))))
        return parameters
    }
}
