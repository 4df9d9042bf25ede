import Crypto
import HTTP
import JSON
import Messaging
import WebClient

/// Twilio's Programmable Messaging: `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`.
struct TwilioContract: Contract {
    let account: Carrier.Configuration.Account
    var provider: Provider { .twilio }

    /// Characters of a body.
    private static let textLimit = 1600

    func errand(of request: HTTPRequest) -> Errand? {
        let pieces = self.pieces(of: request)
        guard pieces.count >= 4, pieces[0] == "2010-04-01", pieces[1] == "Accounts" else { return nil }
        switch (request.method, pieces[3], pieces.count) {
        case ("POST", "Messages.json", 4): return .send
        case ("GET", "Messages", 5) where pieces[4].hasSuffix(".json"):
            return .inquiry(id: String(pieces[4].dropLast(5)))
        default: return nil
        }
    }

    func isAuthorized(_ request: HTTPRequest) -> Bool { self.isBasic(request) }

    func submission(of request: HTTPRequest) throws(ContractRefusal) -> Submission {
        guard let form = Form(parsing: request.body) else { throw .invalid("body") }
        let to = try self.number(form["To"], withPlus: true)
        let from = try self.required(form["From"] ?? form["MessagingServiceSid"], "From")
        let text = try self.required(form["Body"], "Body")
        guard text.count <= Self.textLimit else { throw .asked(code: "21617") }
        if let validity = form["ValidityPeriod"] {
            guard let seconds = Int(validity), (1...36_000).contains(seconds) else { throw .asked(code: "30013") }
        }
        let callback = try self.webAddress(form["StatusCallback"], "StatusCallback")
        return Submission(
            to: to, from: from, text: text, reference: self.reference(in: callback), receiptURL: callback)
    }

    func id(_ unique: String) -> String { "SM\(unique.lowercased())" }

    func answer(taken message: TakenMessage) -> HTTPResponse {
        .json(201, self.json(of: message, status: "queued", code: nil))
    }

    func answer(_ refusal: ContractRefusal, to number: String) -> HTTPResponse {
        switch refusal {
        case .unauthorized: self.problem(401, 20003, "Authenticate")
        case .invalid(let name): self.problem(400, name == "From" ? 21603 : 21602, "\(name) is required")
        case .invalidRecipient: self.problem(400, 21211, "Invalid 'To' Phone Number")
        case .throttled:
            self.problem(429, 20429, "Too Many Requests").with("Retry-After", refusal.retryAfter)
        case .asked(let code): self.problem(400, Int64(code ?? "") ?? 21211, "Refused")
        case .internalError: self.problem(500, 20500, "Internal Server Error")
        }
    }

    func answer(report: Report?) -> HTTPResponse {
        guard let report else { return self.problem(404, 20404, "The requested resource was not found") }
        let (status, code) = Self.words(for: report.outcome)
        return .json(200, self.json(of: report.message, status: status, code: code))
    }

    func request(for report: Report, unique: String) -> WebRequest {
        let (status, code) = Self.words(for: report.outcome)
        var form = [
            ("AccountSid", self.account.user), ("MessageSid", report.id), ("SmsSid", report.id),
            ("MessageStatus", status), ("SmsStatus", status), ("From", report.message.from),
            ("To", report.message.to), ("ApiVersion", "2010-04-01"),
        ]
        if let code { form.append(("ErrorCode", code)) }
        // What stands behind the mark is for the caller and not for the called.
        let url = String(report.url.prefix { $0 != "#" })
        return WebRequest(
            method: "POST", url: url,
            fields: [
                "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": self.signature(url, form),
            ], body: Form(form).serialized())
    }

    // MARK: - Private

    private static func words(for outcome: CarrierReceipt.Outcome) -> (status: String, code: String?) {
        switch outcome {
        case .delivered: return ("delivered", nil)
        case .onTheWay: return ("sent", nil)
        case .failed(let code):
            let code = code ?? "30005"
            return (code.hasPrefix("3") ? "undelivered" : "failed", code)
        }
    }

    /// No parameter comes twice here, so they only have to be sorted.
    private func signature(_ url: String, _ form: [(String, String)]) -> String {
        let text = url + form.sorted { $0.0 < $1.0 }.map { $0.0 + $0.1 }.joined()
        return Base64.encode(Digest.sha1.authenticate(Array(text.utf8), key: self.account.secret))
    }

    private func json(of message: TakenMessage, status: String, code: String?) -> JSON {
        [
            "sid": .string(message.ids[0]), "account_sid": .string(self.account.user), "status": .string(status),
            "to": .string(message.to), "from": .string(message.from), "num_segments": "\(message.segments)",
            "error_code": code.flatMap { Int64($0) }.map { .integer($0) } ?? .null, "error_message": nil,
            "direction": "outbound-api", "api_version": "2010-04-01",
        ]
    }

    private func problem(_ status: Int, _ code: Int64, _ message: String) -> HTTPResponse {
        .json(
            status,
            [
                "code": .integer(code), "message": .string(message),
                "more_info": "https://www.twilio.com/docs/errors/\(code)", "status": JSON(status),
            ])
    }
}
