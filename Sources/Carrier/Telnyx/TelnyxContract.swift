import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// Telnyx's Messaging version 2: `POST /v2/messages`.
struct TelnyxContract: Contract {
    let account: Carrier.Configuration.Account
    var provider: Provider { .telnyx }

    func errand(of request: HTTPRequest) -> Errand? {
        let pieces = self.pieces(of: request)
        guard pieces.count >= 2, pieces[0] == "v2", pieces[1] == "messages" else { return nil }
        switch (request.method, pieces.count) {
        case ("POST", 2): return .send
        case ("GET", 3): return .inquiry(id: pieces[2])
        default: return nil
        }
    }

    func isAuthorized(_ request: HTTPRequest) -> Bool { self.isAuthorized(request, word: "Bearer") }

    func submission(of request: HTTPRequest) throws(ContractRefusal) -> Submission {
        let json = try self.json(request)
        let to = try self.number(json["to"]?.string, withPlus: true)
        let from = try self.required(json["from"]?.string, "from")
        let text = try self.required(json["text"]?.string, "text")
        let url = try self.webAddress(json["webhook_url"]?.string, "webhook_url")
        return Submission(to: to, from: from, text: text, reference: self.reference(in: url), receiptURL: url)
    }

    func id(_ unique: String) -> String { "40385f64-\(unique.lowercased())" }

    func answer(taken message: TakenMessage) -> HTTPResponse {
        .json(200, ["data": self.json(of: message, status: "queued", code: nil)])
    }

    func answer(_ refusal: ContractRefusal, to number: String) -> HTTPResponse {
        switch refusal {
        case .unauthorized: self.problem(401, "10009", "Authentication failed")
        case .invalid(let name): self.problem(422, "40304", "\(name) is wrong")
        case .invalidRecipient: self.problem(422, "40310", "Invalid 'to' address")
        case .throttled: self.problem(429, "10011", "Too many requests").with("Retry-After", refusal.retryAfter)
        case .asked(let code): self.problem(422, code ?? "40310", "Refused")
        case .internalError: self.problem(500, "10007", "Unexpected error")
        }
    }

    func answer(report: Report?) -> HTTPResponse {
        guard let report else { return self.problem(404, "10005", "Resource not found") }
        let (status, code) = Self.words(for: report.outcome)
        return .json(200, ["data": self.json(of: report.message, status: status, code: code)])
    }

    func request(for report: Report, unique: String) -> WebRequest {
        let (status, code) = Self.words(for: report.outcome)
        let body: JSON = [
            "data": [
                "event_type": status == "sent" ? "message.sent" : "message.finalized", "id": .string(unique),
                "occurred_at": "\(report.now)", "record_type": "event",
                "payload": self.json(of: report.message, status: status, code: code),
            ], "meta": ["attempt": 1, "delivered_to": .string(report.url)],
        ]
        var request = WebRequest(
            method: "POST", url: report.url, fields: ["Content-Type": "application/json"], body: body.serialized())
        // A seed of another length signs nothing.
        if let key = self.account.signingKey.flatMap({ Ed25519PrivateKey(rawRepresentation: $0) }) {
            let time = "\(report.now.seconds)"
            request.fields["telnyx-timestamp"] = time
            request.fields["telnyx-signature-ed25519"] = Base64.encode(
                key.signature(of: Array("\(time)|".utf8) + request.body))
        }
        return request
    }

    // MARK: - Private

    private static func words(for outcome: CarrierReceipt.Outcome) -> (status: String, code: String?) {
        switch outcome {
        case .delivered: ("delivered", nil)
        case .onTheWay: ("sent", nil)
        case .failed(let code): ("delivery_failed", code ?? "40008")
        }
    }

    private func json(of message: TakenMessage, status: String, code: String?) -> JSON {
        [
            "id": .string(message.ids[0]), "record_type": "message", "direction": "outbound",
            "from": ["phone_number": .string(message.from)],
            "to": [["phone_number": .string(message.to), "status": .string(status), "carrier": "", "line_type": ""]],
            "text": .string(message.content.body), "parts": JSON(message.segments),
            "errors": .array(code.map { [Self.error($0, "Undeliverable")] } ?? []),
        ]
    }

    private static func error(_ code: String, _ title: String) -> JSON {
        ["code": .string(code), "title": .string(title), "detail": .string(title)]
    }

    private func problem(_ status: Int, _ code: String, _ title: String) -> HTTPResponse {
        .json(status, ["errors": [Self.error(code, title)]])
    }
}
