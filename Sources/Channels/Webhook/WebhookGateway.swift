import Crypto
public import HTTP
import JSON
public import Messaging
public import Timestamps

/// The operator's own gateway, by a contract of ours: for whatever no driver speaks. README has it for who writes one.
///
///     POST URL  {"messages": [{"id", "channel", "to", "from", "text", "subject", "language", "voice", "rate",
///                              "validity_seconds", "priority"}]}
///
/// signed as Standard Webhooks has it. The answer is 2xx with `{"messages": [{"id", "status", "code", "retry_after"}]}`, or 202
/// and empty, which takes them all. Receipts come as `{"receipts": [{"id", "part", "status", "code", "at"}]}`, signed with the
/// same secret.
///
/// Because the id is ours, a gateway can drop what it has had already; the same request carries the same `webhook-id`.
///
/// Credentials
/// - `secret`: `whsec_` and base64 of 24 to 64 bytes. Required; signs requests and receipts.
/// - `old_secret`: when given, requests carry its signature too, and receipts may: for changing the secret without a gap.
///
/// Settings
/// - `channels`: of `sms`, `voice` and `email`, parted by commas; `sms` by default.
/// - `batch_limit`: messages in a request; 100 by default, 1 to 1000.
/// - `tolerance_seconds`: how far a receipt's time may be from ours; 300 by default, 30 to 86,400.
public struct WebhookGateway: HTTPDriver {
    public let channels: Set<Channel>
    public let batchLimit: Int
    let table: StatusTable
    private let keys: [Secret]
    private let tolerance: Duration
    private let url: String
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        let secret = reader.requiredCredential("secret")
        let old = reader.credential("old_secret")
        self.keys = Self.keys(secret, old, &reader)
        self.channels = reader.setting("channels", default: [.sms], expected: "of sms, voice and email", Self.channels)
        self.batchLimit = reader.number("batch_limit", default: 100, in: 1...1000)
        self.tolerance = .seconds(reader.number("tolerance_seconds", default: 300, in: 30...86_400))
        self.url = reader.baseURL()
        _ = reader.receiptURL()
        self.defaultSender = account.defaultSender
        self.table = reader.table(.webhook)
        try reader.finish()
    }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        precondition((1...self.batchLimit).contains(dispatches.count), "1 to \(self.batchLimit) messages a request")
        let body = (["messages": .array(dispatches.map(self.message))] as JSON).serialized()
        let id = Self.requestID(dispatches)
        let signatures = self.keys.map {
            StandardWebhookSignature.sign(body, id: id, seconds: now.seconds, key: $0)
        }
        return OutgoingRequest(
            method: "POST", url: self.url,
            fields: [
                "Content-Type": "application/json", "Accept": "application/json", "webhook-id": id,
                "webhook-timestamp": String(now.seconds), "webhook-signature": signatures.joined(separator: " "),
            ], body: body)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        guard (200...299).contains(response.status) else {
            let outcome = Outcome(failure: response, code: nil, dispatchCount: dispatches.count)
            return dispatches.map { _ in outcome }
        }
        // Any other empty success may be some proxy's.
        if response.status == 202, response.body.isEmpty { return dispatches.map { _ in .accepted(parts: []) } }
        let items = (try? JSON(parsing: response.body))?["messages"]?.array ?? []
        let outcomes = Dictionary(items.compactMap(self.entry)) { first, _ in first }
        return dispatches.map { outcomes[$0.reference] ?? .unanswered(.providerError) }
    }

    /// As many receipts as there are entries. One that cannot be read gives a receipt of no message.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        let isSigned = StandardWebhookSignature.verifies(request, keys: self.keys, now: now, tolerance: self.tolerance)
        guard isSigned else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let entries = (try? JSON(parsing: request.body))?["receipts"]?.array else {
            throw .malformed("no receipts")
        }
        guard entries.count <= Self.receiptLimit else { throw .malformed("more than \(Self.receiptLimit) receipts") }
        return entries.map(self.receipt)
    }

    // MARK: - Private

    private static let receiptLimit = 1000

    private static func keys(_ secret: Secret, _ old: Secret?, _ reader: inout AccountReader) -> [Secret] {
        var keys: [Secret] = []
        for (name, text) in [("secret", secret), ("old_secret", old)] {
            guard let text else { continue }
            if let key = StandardWebhookSignature.key(text.text) {
                keys.append(Secret(key))
            } else {
                reader.problem("credential \(name) is not whsec_ and base64 of 24 to 64 bytes")
            }
        }
        return keys
    }

    private static func channels(_ text: String) -> Set<Channel>? {
        let words = text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
        let channels = words.compactMap { Channel(rawValue: $0) }
        return channels.isEmpty || channels.count < words.count ? nil : Set(channels)
    }

    /// The same for the same messages under the same references, so that a repetition can be known.
    private static func requestID(_ dispatches: [Dispatch]) -> String {
        let text = dispatches.map(\.reference.description).joined(separator: ",")
        return "req_\(Hex.encode(Digest.sha256.hash(text.utf8).prefix(16)))"
    }

    private func message(_ dispatch: Dispatch) -> JSON {
        let content = self.content(of: dispatch)
        return .present(
            [
                ("id", .string(dispatch.reference.description)), ("channel", .string(content.channel.rawValue)),
                ("to", .string(dispatch.recipient.text)),
                ("from", (dispatch.sender ?? self.defaultSender).map { .string($0) }),
                ("text", .string(content.body)),
            ] + Self.members(of: content) + [
                ("validity_seconds", .integer(max(1, dispatch.validity.components.seconds))),
                ("priority", .string(Self.name(of: dispatch.priority))),
            ])
    }

    /// A short message is read aloud where the gateway only makes calls.
    private func content(of dispatch: Dispatch) -> Content {
        if self.channels.contains(dispatch.channel) { return dispatch.content }
        guard self.channels.contains(.voice), let speech = dispatch.content.spoken else {
            preconditionFailure("a driver got a dispatch of a channel that it does not carry")
        }
        return .speech(speech)
    }

    private static func members(of content: Content) -> [(name: String, value: JSON?)] {
        switch content {
        case .text(let text): [("language", text.language.map { .string($0) })]
        case .speech(let speech):
            [
                ("language", .string(speech.language)), ("voice", speech.voice.map { .string($0) }),
                ("rate", .number(speech.rate)),
            ]
        case .mail(let mail): [("subject", .string(mail.subject))]
        }
    }

    private static func name(of priority: Priority) -> String {
        switch priority {
        case .otp: "otp"
        case .transactional: "transactional"
        case .bulk: "bulk"
        }
    }

    // MARK: - Answers

    /// Nil for an item that names no message of ours, or says neither yes nor no.
    private func entry(_ item: JSON) -> (MessageReference, Outcome)? {
        guard let reference = item["id"]?.string.flatMap({ MessageReference($0) }) else { return nil }
        switch item["status"]?.string {
        case "accepted": return (reference, .accepted(parts: []))
        case "refused":
            let code = String(providerText: item["code"]?.scalarText ?? "refused")
            let verdict = self.table["refusal", code] ?? Verdict(.failed, .transientProvider, .failover, .providerError)
            if verdict.state == .submitted { return (reference, .accepted(parts: [])) }
            return (reference, .refused(verdict, code: code, retryAfter: Self.wait(item["retry_after"])))
        default: return nil
        }
    }

    /// Seconds, whole or not.
    private static func wait(_ json: JSON?) -> Duration? {
        guard let seconds = json?.scalarText.flatMap({ Double($0) }), (0...86_400).contains(seconds) else { return nil }
        return .milliseconds(Int64(seconds * 1000))
    }

    private func receipt(_ entry: JSON) -> Receipt {
        let status = entry["status"]?.string ?? ""
        let code = entry["code"]?.scalarText ?? ""
        let part = entry["part"]?.scalarText ?? ""
        return Receipt(
            message: entry["id"]?.string.flatMap { MessageReference($0) }, part: String(providerText: part),
            coversMessage: part.isEmpty, verdict: self.verdict(status: status, code: code),
            status: String(providerText: status), code: String(providerText: code),
            occurredAt: entry["at"]?.string.flatMap { Timestamp($0) })
    }

    private func verdict(status: String, code: String) -> Verdict {
        let verdict = self.table["receipt", status] ?? .unread
        return verdict.explained(by: self.table["refusal", code])
    }
}
