import Crypto
public import HTTP
import JSON
public import Messaging
public import Timestamps

/// SendGrid (providers.md section 4.4): one mail a request, and its events in batches, signed.
///
/// A request may have a thousand recipients, but they share one text unless it is a template at SendGrid; with a code in it,
/// each mail has its own, and so its own request.
///
/// Credentials
/// - `api_key`: required.
/// - `verification_key`: the public key of the event webhook, in base64; its events must be signed with it.
/// - `receipt_token`: see ``ReceiptToken``; required when events are not signed. With both, both must be right.
///
/// Settings
/// - `receipt_window_seconds`: how old an event's signature may be; 90,000 by default, because SendGrid tries for 24 hours.
/// - `sandbox`: `on` has SendGrid check mails and send none; `off` by default.
public struct SendGrid: HTTPDriver {
    private let verificationKey: ECDSAPublicKey?
    private let receiptToken: ReceiptToken?
    private let receiptWindow: Duration
    private let table: StatusTable
    private let authorization: Secret
    private let url: String
    private let sender: MailSender
    private let isSandbox: Bool

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = Secret("Bearer \(reader.requiredCredential("api_key").text)")
        self.verificationKey = Self.verificationKey(&reader)
        self.receiptToken = ReceiptToken(from: &reader)
        self.receiptWindow = .seconds(reader.number("receipt_window_seconds", default: 90_000, in: 300...1_000_000))
        self.isSandbox = reader.setting("sandbox", default: false, expected: "on or off") {
            ["on": true, "off": false][$0]
        }
        self.url = reader.baseURL() + "/v3/mail/send"
        // Where events go is a setting at SendGrid; no mail can say it.
        _ = reader.receiptURL()
        self.sender = MailSender(account, from: &reader)
        self.table = reader.table(.sendGrid)
        if self.verificationKey == nil, self.receiptToken == nil {
            reader.problem("verification_key or receipt_token is needed, or anybody could forge receipts")
        }
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.sendGrid.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        .post(self.url, self.message(dispatches.only), authorization: self.authorization)
    }

    /// 202 with an empty body is the whole of a success; anything beside it is some proxy's.
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let outcome: Outcome
        switch response.status {
        case 202 where response.body.isEmpty: outcome = .accepted(parts: [])
        // In the sandbox, which sends nothing, it says 200.
        case 200 where self.isSandbox && response.body.isEmpty: outcome = .accepted(parts: [])
        case 200...299: outcome = .unanswered(.providerError)
        default: outcome = self.refusal(response)
        }
        return dispatches.map { _ in outcome }
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        if let token = self.receiptToken, !token.authenticates(request) { throw .unauthenticated }
        if let key = self.verificationKey, !self.isSigned(request, key, now: now) { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let events = (try? JSON(parsing: request.body))?.array else { throw .malformed("no array") }
        guard events.count <= Self.eventLimit else { throw .malformed("more than \(Self.eventLimit) events") }
        return events.map(self.receipt)
    }

    // MARK: - Requests

    /// The name of our reference among the custom arguments, which come back at the top level of each event.
    private static let referenceName = "mid"

    private func message(_ dispatch: Dispatch) -> JSON {
        let (address, mail) = dispatch.mail
        let mailbox = self.sender.mailbox(of: dispatch)
        return .present([
            (
                "personalizations",
                [
                    [
                        "to": [["email": .string(address.address)]],
                        "custom_args": .object([.init(Self.referenceName, .string(dispatch.reference.description))]),
                    ]
                ]
            ),
            (
                "from",
                mailbox.map {
                    .present([("email", .string($0.address.address)), ("name", $0.name.map { .string($0) })])
                }
            ), ("subject", .string(mail.subject)),
            ("content", [["type": "text/plain", "value": .string(mail.text)]]),
            // A link of ours is not to lead through theirs, nor a code to be counted.
            (
                "tracking_settings",
                ["click_tracking": ["enable": false, "enable_text": false], "open_tracking": ["enable": false]]
            ),
            ("mail_settings", self.isSandbox ? ["sandbox_mode": ["enable": true]] : nil),
        ])
    }

    /// The field that an error names tells whose fault it is.
    private func refusal(_ response: HTTPResponse) -> Outcome {
        let errors = (try? JSON(parsing: response.body))?["errors"]?.array ?? []
        let field = errors.lazy.compactMap { $0["field"]?.string }.first.map { String(providerText: $0) }
        return Outcome(failure: response, code: field, verdict: field.flatMap { self.verdict(ofField: $0) })
    }

    /// Also by what precedes the first dot, since fields are named with their places.
    private func verdict(ofField field: String) -> Verdict? {
        self.table["field", field] ?? self.table["field", String(field.prefix { $0 != "." })]
    }

    // MARK: - Events

    /// More than SendGrid is known to put into one request.
    private static let eventLimit = 10_000

    private static func verificationKey(_ reader: inout AccountReader) -> ECDSAPublicKey? {
        guard let text = reader.credential("verification_key") else { return nil }
        let key = Base64.decode(text.text).flatMap { ECDSAPublicKey(subjectPublicKeyInfo: $0) }
        if key == nil { reader.problem("credential verification_key is no key of P-256 in base64") }
        return key
    }

    /// Over the timestamp's text and the body's bytes.
    private func isSigned(_ request: HTTPRequest, _ key: ECDSAPublicKey, now: Timestamp) -> Bool {
        guard
            let time = request.fields["X-Twilio-Email-Event-Webhook-Timestamp"],
            let text = request.fields["X-Twilio-Email-Event-Webhook-Signature"],
            let signature = Base64.decode(text), let seconds = Int64(time),
            (0...Int64(UInt32.max)).contains(seconds)
        else { return false }
        let age: Duration = now - Timestamp(seconds: seconds)
        guard age <= self.receiptWindow, age >= .zero - .seconds(300) else { return false }
        return key.verifies(signature: signature, of: Array(time.utf8) + request.body)
    }

    private func receipt(_ event: JSON) -> Receipt {
        let status = event["event"]?.string ?? ""
        let code = Self.code(of: event, status: status)
        let reference = event[Self.referenceName]?.string.flatMap { MessageReference($0) }
        return Receipt(
            message: reference,
            part: reference == nil ? String(providerText: event["sg_message_id"]?.string ?? "") : "",
            coversMessage: true, verdict: self.table[status, code] ?? self.table["event", status] ?? .unread,
            status: String(providerText: status), code: String(providerText: code),
            occurredAt: event["timestamp"]?.integer.flatMap { Self.moment($0) })
    }

    /// What makes an event more precise: of a bounce its type, of a drop its reason, else the mail server's code.
    private static func code(of event: JSON, status: String) -> String {
        switch status {
        case "bounce": event["type"]?.string ?? ""
        case "dropped": event["reason"]?.string ?? ""
        default: event["status"]?.scalarText ?? ""
        }
    }

    private static func moment(_ seconds: Int64) -> Timestamp? {
        (0...Int64(UInt32.max)).contains(seconds) ? Timestamp(seconds: seconds) : nil
    }
}
