import Crypto
import HTTP
import JSON
public import Messaging
public import Timestamps

/// The simulated carrier's own contract, for calls and mails as long as no real provider of ours takes them: one message
/// a request, under our reference, and one receipt.
///
///     POST /calls  {"reference", "to", "from", "text", "language", "voice", "rate", "repeat", "seconds", "receipt_url"}
///     POST /mails  {"reference", "to", "from", "subject", "text", "seconds", "receipt_url"}
///
/// The answer is 202 with `{"id"}`, or a status from 400 with `{"code", "problem"}`. Because the reference is ours, a
/// message sent twice under one is refused as a duplicate, which counts as accepted.
///
/// Credentials
/// - `api_key`: sent as a bearer token. Required.
/// - `receipt_token`: see ``ReceiptToken``. Required, because receipts are not signed.
///
/// Settings
/// - `mail_sender`: for mails that name no sender, an address or `Name <address>`; `sender` is for calls.
public struct CarrierGateway: HTTPDriver {
    let receiptToken: ReceiptToken?
    let table: StatusTable
    private let authorization: Secret
    private let url: String
    /// Secret for the token in it.
    private let receiptURL: Secret?
    private let callSender: String?
    private let mailSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = Secret("Bearer \(reader.requiredCredential("api_key").text)")
        self.receiptToken = ReceiptToken(from: &reader)
        self.url = reader.baseURL()
        let receiptURL = reader.receiptURL()
        self.receiptURL = receiptURL.map { [token = self.receiptToken] in Secret(token?.url(under: $0) ?? $0) }
        self.callSender = account.defaultSender
        self.mailSender = reader.setting("mail_sender", default: nil, expected: "an address or Name <address>") {
            // The outer optional says whether it was understood.
            Mailbox($0) == nil ? String??.none : .some($0)
        }
        self.table = reader.table(.carrier)
        if self.receiptToken == nil {
            reader.problem("credential receipt_token is missing, or anybody could forge receipts")
        }
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.carrier.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        precondition(dispatches.count == 1, "the carrier takes one message a request")
        let (path, members) = self.members(of: dispatches[0])
        return OutgoingRequest(
            method: "POST", url: self.url + path,
            fields: ["Authorization": self.authorization.text, "Content-Type": "application/json"],
            body: JSON.object(members.compactMap { name, value in value.map { .init(name, $0) } }).serialized()
        )
    }

    // MARK: - Private

    private typealias Members = [(name: String, value: JSON?)]

    private func members(of dispatch: Dispatch) -> (path: String, members: Members) {
        switch dispatch.content {
        case .speech(let speech):
            return ("/calls", self.envelope(of: dispatch, sender: self.callSender) + Self.members(of: speech))
        case .mail(let mail):
            let members: Members = [("subject", .string(mail.subject)), ("text", .string(mail.text))]
            return ("/mails", self.envelope(of: dispatch, sender: self.mailSender) + members)
        case .text: preconditionFailure("a driver got a dispatch of a channel that it does not carry")
        }
    }

    private func envelope(of dispatch: Dispatch, sender: String?) -> Members {
        [
            ("reference", .string(dispatch.reference.description)), ("to", .string(dispatch.recipient.text)),
            ("from", (dispatch.sender ?? sender).map { .string($0) }),
            ("seconds", .integer(max(1, dispatch.validity.components.seconds))),
            ("receipt_url", self.receiptURL.map { .string($0.text) }),
        ]
    }

    private static func members(of speech: Speech) -> Members {
        [
            ("text", .string(speech.text)), ("language", .string(speech.language)),
            ("voice", speech.voice.map { .string($0) }), ("rate", .number(speech.rate)),
            ("repeat", speech.repeatDTMF.map { .string($0) }),
        ]
    }
}
