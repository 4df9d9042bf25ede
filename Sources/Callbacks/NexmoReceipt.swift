import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

/// Nexmo's delivery receipt (dialects.md section 4.3).
///
/// Settings: `method` is `GET`, the default, `POST-FORM` or `POST-JSON`; `api_key` is told in each; `signature_method` is that
/// of the secret field `signature_secret`, with which receipts are signed.
struct NexmoReceipt {
    let message: CallbackEvent.Message
    let state: MessageState
    let reason: Verdict.Reason?
    let occurredAt: Timestamp
    let event: EventID

    /// Nil for an event that is no message's.
    init?(_ message: CallbackEvent.Message, of event: CallbackEvent) {
        guard let state = event.type.messageState else { return nil }
        self.message = message
        self.state = state
        self.reason = event.reason.flatMap(Verdict.Reason.init)
        self.occurredAt = event.occurredAt
        self.event = event.id
    }

    func request(to endpoint: CallbackEndpoint, now: Timestamp) -> CallbackRequest {
        self.request(to: endpoint, now: now, nonce: self.nonce(now))
    }

    /// As ``request(to:now:)``, with a nonce of the caller's.
    func request(to endpoint: CallbackEndpoint, now: Timestamp, nonce: String) -> CallbackRequest {
        let fields = self.fields(endpoint, now: now)
        let url = endpoint.url.prefix { $0 != "#" }
        switch endpoint.settings["method"] {
        case "POST-FORM":
            let body = Self.signed(fields, endpoint, now: now, nonce: nonce).serialized()
            return CallbackRequest(
                method: "POST", url: String(url), fields: ["Content-Type": "application/x-www-form-urlencoded"],
                body: body)
        case "POST-JSON":
            let pairs = Self.signed(fields, endpoint, now: now, nonce: nonce).pairs
            let json = JSON.object(pairs.map { .init($0.name, .string($0.value)) })
            return CallbackRequest(
                method: "POST", url: String(url), fields: ["Content-Type": "application/json"],
                body: json.serialized())
        default:
            return CallbackRequest(
                method: "GET", url: Self.address(url, fields, endpoint, now: now, nonce: nonce), fields: [:], body: [])
        }
    }

    /// The vendor's word for the state and the number for the reason. With `accepted` the number says nothing.
    var words: (status: String, code: Int) {
        switch self.state {
        case .queued, .sending: ("buffered", 0)
        case .accepted: ("accepted", 0)
        case .delivered: ("delivered", 0)
        case .undelivered: ("failed", Self.code(self.reason))
        case .failed, .cancelled: ("rejected", Self.code(self.reason))
        case .expired: ("expired", Self.code(self.reason))
        case .unknown: ("unknown", Self.code(self.reason))
        }
    }

    // MARK: - Private

    /// What the customer has in its query stays, and is signed with the rest: its SDK verifies all parameters that it gets.
    private static func address(
        _ url: Substring, _ fields: Form, _ endpoint: CallbackEndpoint, now: Timestamp, nonce: String
    ) -> String {
        let pieces = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let own = pieces.count == 2 ? Form(parsing: String(pieces[1])) ?? Form([]) : Form([])
        let all = Form((own.pairs + fields.pairs).map { ($0.name, $0.value) })
        let signed = Self.signed(all, endpoint, now: now, nonce: nonce).pairs.dropFirst(own.pairs.count)
        let query = String(decoding: Form(signed.map { ($0.name, $0.value) }).serialized(), as: UTF8.self)
        let kept = pieces.count == 2 && !pieces[1].isEmpty ? "\(pieces[1])&" : ""
        return "\(pieces[0])?\(kept)\(query)"
    }

    private static func signed(
        _ fields: Form, _ endpoint: CallbackEndpoint, now: Timestamp, nonce: String
    ) -> Form {
        guard let secret = endpoint.secrets.fields["signature_secret"] else { return fields }
        let method = endpoint.settings["signature_method"].flatMap(VonageSignature.Method.init) ?? .md5hash
        var form = fields
        form.pairs += [("timestamp", String(now.seconds)), ("nonce", nonce)]
        form.pairs.append(("sig", VonageSignature(secret: Secret(secret), method: method).sign(form)))
        return form
    }

    private func fields(_ endpoint: CallbackEndpoint, now: Timestamp) -> Form {
        let (status, code) = self.words
        var form = Form([
            ("msisdn", self.message.msisdn), ("to", self.message.sender ?? ""),
            // The vendor's own PHP library fails without it, known or not.
            ("network-code", self.message.network ?? ""),
            ("messageId", self.message.id.compactText ?? "\(self.message.id)"),
            ("price", (self.message.price ?? .zero).text(decimals: 8)), ("status", status),
            ("scts", self.occurredAt.minutes), ("err-code", String(code)),
            // When it is told, and not when it happened.
            ("message-timestamp", now.date),
        ])
        if let reference = self.message.reference { form.pairs.append(("client-ref", reference)) }
        if let key = endpoint.settings["api_key"] { form.pairs.append(("api-key", key)) }
        return form
    }

    /// As good as chance for who wants to see each request once, and the same for the same request.
    private func nonce(_ now: Timestamp) -> String {
        let hash = Digest.sha256.hash(Array("\(self.event) \(now.microseconds)".utf8))
        let words = [hash[0..<8], hash[8..<16]].map { $0.reduce(0 as UInt64) { $0 << 8 | UInt64($1) } }
        return MessageID(high: words[0], low: words[1]).description
    }

    private static func code(_ reason: Verdict.Reason?) -> Int {
        switch reason {
        case .ok, .accepted: 0
        case nil, .unknown, .expired, .noReceipt, .attemptsSpent, .canceled: 1
        case .unreachableTemporary, .noAnswer, .machineAnswered: 2
        case .unknownSubscriber, .deactivatedNumber: 3
        case .callBarred: 4
        case .spamFiltered, .fraudBlocked: 6
        case .handsetBusy, .handsetFull, .busy: 7
        case .carrierError, .networkTimeout, .providerError, .throttledProvider, .throttledCarrier,
            .throttledRecipient:
            8
        case .optedOut, .doNotDisturb, .complained: 9
        case .contentRejected, .tooLong, .encodingError, .duplicate: 10
        case .noRoute, .geoNotPermitted: 11
        case .invalidDestination, .landline: 12
        case .blockedByCarrier: 14
        case .senderUnregistered: 50
        case .senderInvalid: 51
        case .quotaExhausted, .insufficientCredit, .authFailed, .accountSuspended, .configError, .hardBounce,
            .softBounce:
            99
        }
    }
}

extension Timestamp {
    /// `YYMMDDHHMM` in UTC.
    fileprivate var minutes: String {
        String(self.description.prefix(16).filter(\.isNumber).dropFirst(2))
    }

    /// `YYYY-MM-DD HH:MM:SS` in UTC.
    fileprivate var date: String { String(self.description.prefix(19)).replacing("T", with: " ") }
}
