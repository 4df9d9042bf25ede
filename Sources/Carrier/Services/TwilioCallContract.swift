import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// Twilio's calls, `POST /2010-04-01/Accounts/SID/Calls.json`.
struct TwilioCallContract: ServiceContract {
    let account: Carrier.Configuration.TwilioCalls
    var provider: Provider { .twilioCalls }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.TwilioCalls) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] { [Form(parsing: request.body)?["To"]].compactMap(\.self) }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.isKnown(request) else { throw ServiceRefusal(status: 401, code: "20003") }
        guard let form = Form(parsing: request.body), let twiml = form["Twiml"], twiml.count <= 4000 else {
            throw .invalid("32018")
        }
        guard let recipient = Recipient(form["To"] ?? "", channel: .voice) else { throw .invalid("21211") }
        guard let from = form["From"], !from.isEmpty else { throw .invalid("21212") }
        guard let say = SpokenMarkup(twiml, element: "Say") else { throw .invalid("12100") }
        // What stands behind the # says how to call back, and is no part of the address.
        let url = form["StatusCallback"].map { String($0.prefix { $0 != "#" }) }
        return [
            ServiceSubmission(
                recipient: recipient, from: from,
                content: .speech(Speech(say.text, language: say.language ?? "", voice: say.voice)), receiptURL: url,
                detectsMachines: form["MachineDetection"] != nil)
        ]
    }

    private func isKnown(_ request: HTTPRequest) -> Bool {
        guard let (user, password) = basicCredentials(request.fields["Authorization"] ?? "") else { return false }
        return user == self.account.accountSID && Secret(password) == self.account.authToken
            && request.path.split(separator: "/").dropFirst(2).first.map(String.init) == self.account.accountSID
    }

    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse {
        switch results[0] {
        case .success(let message): .json(201, ["sid": .string("CA\(message.ids[0])"), "status": "queued"])
        case .failure(let refusal): self.answer(refusal)
        }
    }

    func answer(_ refusal: ServiceRefusal) -> HTTPResponse {
        let code = Int(refusal.code) ?? (refusal.status == 429 ? 20429 : 21211)
        return refusal.response((["code": JSON(code), "status": JSON(refusal.status)] as JSON).serialized())
    }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        var pairs = [
            ("AccountSid", self.account.accountSID), ("CallSid", "CA\(receipt.id)"), ("To", receipt.message.to),
            ("From", receipt.message.from), ("CallStatus", Self.status(of: receipt)), ("Direction", "outbound-api"),
        ]
        switch receipt.callEnd {
        case nil where !receipt.isOnTheWay:
            pairs += [("CallDuration", "7"), ("AnsweredBy", receipt.message.detectsMachines ? "human" : "")]
        case "machine_answered":
            pairs += [("CallDuration", "7"), ("AnsweredBy", receipt.message.detectsMachines ? "machine_start" : "")]
        case .some(let code) where Int(code) != nil: pairs.append(("SipResponseCode", code))
        default: break
        }
        let url = receipt.message.receiptURL ?? ""
        return WebRequest(
            method: "POST", url: url,
            fields: [
                "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": self.signature(url, pairs),
            ], body: Form(pairs).serialized())
    }

    private static func status(of receipt: CarrierReceipt) -> String {
        switch receipt.callEnd {
        case nil: receipt.isOnTheWay ? "ringing" : "completed"
        case "machine_answered": "completed"
        case "busy": "busy"
        case "no_answer": "no-answer"
        default: "failed"
        }
    }

    /// The address, and then each parameter by its name; here no name stands twice.
    private func signature(_ url: String, _ pairs: [(String, String)]) -> String {
        let sorted = pairs.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        let text = url + sorted.map { $0.0 + $0.1 }.joined()
        return Base64.encode(Digest.sha1.authenticate(Array(text.utf8), key: self.account.authToken))
    }
}

/// The words of a piece of TwiML or BXML.
struct SpokenMarkup {
    var text: String
    var language: String?
    var voice: String?

    /// Of the first element of that name; nil when there is none.
    init?(_ markup: String, element: String) {
        guard
            let start = markup.firstRange(of: "<\(element)"),
            let open = markup[start.upperBound...].firstIndex(of: ">"),
            let end = markup[open...].firstRange(of: "</\(element)>")
        else { return nil }
        let attributes = markup[start.upperBound..<open]
        self.text = Self.plain(markup[markup.index(after: open)..<end.lowerBound])
        self.language = Self.attribute("language", in: attributes) ?? Self.attribute("locale", in: attributes)
        self.voice = Self.attribute("voice", in: attributes)
    }

    private static func attribute(_ name: String, in attributes: Substring) -> String? {
        guard let start = attributes.firstRange(of: "\(name)=\"") else { return nil }
        return Self.plain(attributes[start.upperBound...].prefix { $0 != "\"" })
    }

    /// Without markup, and with what was escaped.
    private static func plain(_ text: Substring) -> String {
        var plain = ""
        var isInside = false
        for character in text {
            if character == "<" { isInside = true }
            if !isInside { plain.append(character) }
            if character == ">" { isInside = false }
        }
        let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        return escapes.reduce(plain) { $0.replacing($1.0, with: $1.1) }
    }
}
