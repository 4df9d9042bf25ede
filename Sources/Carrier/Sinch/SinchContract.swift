import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// Sinch's SMS API: `POST /xms/v1/{service_plan_id}/batches`, one recipient a batch.
struct SinchContract: Contract {
    let account: Carrier.Configuration.Account
    var provider: Provider { .sinch }

    func errand(of request: HTTPRequest) -> Errand? {
        let pieces = self.pieces(of: request)
        guard pieces.count >= 4, pieces[0] == "xms", pieces[1] == "v1", pieces[3] == "batches" else { return nil }
        switch (request.method, pieces.count) {
        case ("POST", 4): return .send
        case ("GET", 7) where pieces[5] == "delivery_report": return .inquiry(id: pieces[4])
        default: return nil
        }
    }

    func isAuthorized(_ request: HTTPRequest) -> Bool { self.isAuthorized(request, word: "Bearer") }

    func submission(of request: HTTPRequest) throws(ContractRefusal) -> Submission {
        let json = try self.json(request)
        guard json["to"]?.array?.count == 1 else { throw .invalid("to") }
        let to = try self.number(json["to"]?[0]?.string, withPlus: false)
        let from = try self.required(json["from"]?.string, "from")
        let text = try self.required(json["body"]?.string, "body")
        let url = try self.webAddress(json["callback_url"]?.string, "callback_url")
        return Submission(
            to: to, from: from, text: text, reference: json["client_reference"]?.string,
            receiptURL: json["delivery_report"]?.string == "none" ? nil : url)
    }

    func id(_ unique: String) -> String { unique }

    func answer(taken message: TakenMessage) -> HTTPResponse {
        .json(
            201,
            [
                "id": .string(message.ids[0]), "to": [.string(String(message.to.dropFirst()))],
                "from": .string(message.from), "canceled": false, "type": "mt_text",
                "client_reference": .string(message.echo ?? ""),
            ])
    }

    func answer(_ refusal: ContractRefusal, to number: String) -> HTTPResponse {
        switch refusal {
        case .unauthorized: HTTPResponse(status: 401)
        case .invalid(let name): self.problem(400, "syntax_invalid_parameter_format", name)
        case .invalidRecipient: self.problem(400, "syntax_invalid_parameter_format", "to")
        case .throttled: HTTPResponse(status: 429).with("Retry-After", refusal.retryAfter)
        case .asked(let code): self.problem(400, code ?? "syntax_invalid_parameter_format", "to")
        case .internalError: HTTPResponse(status: 500)
        }
    }

    func answer(report: Report?) -> HTTPResponse {
        guard let report else { return HTTPResponse(status: 404) }
        return .json(200, Self.json(of: report))
    }

    func request(for report: Report, unique: String) -> WebRequest {
        WebRequest(
            method: "POST", url: report.url, fields: self.receiptFields("application/json"),
            body: Self.json(of: report).serialized())
    }

    // MARK: - Private

    private static func json(of report: Report) -> JSON {
        let (status, code) = self.words(for: report.outcome)
        return [
            "type": "recipient_delivery_report_sms", "batch_id": .string(report.id),
            "recipient": .string(String(report.message.to.dropFirst())), "code": .integer(code),
            "status": .string(status), "at": "\(report.now)", "client_reference": .string(report.message.echo ?? ""),
            "number_of_message_parts": JSON(report.message.segments),
        ]
    }

    private static func words(for outcome: CarrierReceipt.Outcome) -> (status: String, code: Int64) {
        switch outcome {
        case .delivered: return ("Delivered", 0)
        case .onTheWay: return ("Dispatched", 401)
        case .failed(let code):
            let code = code.flatMap { Int64($0) } ?? 1
            return (code >= 400 ? "Aborted" : "Failed", code)
        }
    }

    private func problem(_ status: Int, _ code: String, _ name: String) -> HTTPResponse {
        .json(status, ["code": .string(code), "text": "\(name) is wrong"])
    }
}
