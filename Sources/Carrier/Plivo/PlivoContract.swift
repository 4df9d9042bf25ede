import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// Plivo's Message API: `POST /v1/Account/{auth_id}/Message/`.
struct PlivoContract: Contract {
    let account: Carrier.Configuration.Account
    var provider: Provider { .plivo }

    func errand(of request: HTTPRequest) -> Errand? {
        let pieces = self.pieces(of: request)
        guard pieces.count >= 4, pieces[0] == "v1", pieces[1] == "Account", pieces[3] == "Message" else { return nil }
        switch (request.method, pieces.count) {
        case ("POST", 4): return .send
        case ("GET", 5): return .inquiry(id: pieces[4])
        default: return nil
        }
    }

    func isAuthorized(_ request: HTTPRequest) -> Bool { self.isBasic(request) }

    func submission(of request: HTTPRequest) throws(ContractRefusal) -> Submission {
        let json = try self.json(request)
        let to = try self.number(json["dst"]?.string, withPlus: true)
        guard (json["src"] == nil) != (json["powerpack_uuid"] == nil) else { throw .invalid("src") }
        let from = try self.required((json["src"] ?? json["powerpack_uuid"])?.string, "src")
        let text = try self.required(json["text"]?.string, "text")
        let url = try self.webAddress(json["url"]?.string, "url")
        return Submission(to: to, from: from, text: text, reference: self.reference(in: url), receiptURL: url)
    }

    func id(_ unique: String) -> String { unique.lowercased() }

    func answer(taken message: TakenMessage) -> HTTPResponse {
        .json(202, ["api_id": "a", "message": "message(s) queued", "message_uuid": [.string(message.ids[0])]])
    }

    /// Plivo has no codes for these, so the code that is asked for is the status.
    func answer(_ refusal: ContractRefusal, to number: String) -> HTTPResponse {
        switch refusal {
        case .unauthorized: self.problem(401, "authentication failed")
        case .invalid(let name): self.problem(400, "\(name) is wrong")
        case .invalidRecipient, .asked(code: nil):
            .json(202, ["api_id": "a", "message_uuid": [], "invalid_number": [.string(number)]])
        case .throttled: self.problem(429, "too many requests").with("Retry-After", refusal.retryAfter)
        case .asked(let code): self.problem(code.flatMap { Int($0) } ?? 400, "refused")
        case .internalError: self.problem(500, "internal error")
        }
    }

    func answer(report: Report?) -> HTTPResponse {
        guard let report else { return self.problem(404, "not found") }
        let (status, code) = Self.words(for: report.outcome)
        return .json(
            200,
            [
                "message_uuid": .string(report.id), "message_state": .string(status), "error_code": .string(code),
                "to_number": .string(report.message.to), "units": JSON(report.message.segments),
            ])
    }

    func request(for report: Report, unique: String) -> WebRequest {
        let (status, code) = Self.words(for: report.outcome)
        let time = report.now.description
        let form = [
            ("MessageUUID", report.id), ("To", String(report.message.to.dropFirst())), ("From", report.message.from),
            ("Type", "sms"), ("Status", status), ("Units", "\(report.message.segments)"), ("ErrorCode", code),
            ("Sequence", status == "sent" ? "1" : "2"),
            ("DeliveryReportTime", "\(time.prefix(10)) \(time.dropFirst(11).prefix(12))000"),
        ]
        return WebRequest(
            method: "POST", url: report.url,
            fields: [
                "Content-Type": "application/x-www-form-urlencoded", "X-Plivo-Signature-V3-Nonce": unique,
                "X-Plivo-Signature-V3": self.signature(report.url, form, nonce: unique),
            ], body: Form(form).serialized())
    }

    // MARK: - Private

    private static func words(for outcome: CarrierReceipt.Outcome) -> (status: String, code: String) {
        switch outcome {
        case .delivered: ("delivered", "000")
        case .onTheWay: ("sent", "000")
        case .failed(let code): ("undelivered", code ?? "50")
        }
    }

    /// Over the address, its query sorted, a point, the parameters sorted, a point and the nonce.
    private func signature(_ url: String, _ form: [(String, String)], nonce: String) -> String {
        let pieces = url.split(separator: "?", maxSplits: 1)
        let query = pieces.count > 1 ? Form(parsing: String(pieces[1]))?.pairs ?? [] : []
        let sorted = query.sorted { $0 < $1 }.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let parameters = form.sorted { $0 < $1 }.map { $0.0 + $0.1 }.joined()
        let text = "\(pieces[0])?\(sorted)\(sorted.isEmpty ? "" : ".")\(parameters).\(nonce)"
        return Base64.encode(Digest.sha256.authenticate(Array(text.utf8), key: self.account.secret))
    }

    private func problem(_ status: Int, _ text: String) -> HTTPResponse {
        .json(status, ["api_id": "a", "error": .string(text)])
    }
}
