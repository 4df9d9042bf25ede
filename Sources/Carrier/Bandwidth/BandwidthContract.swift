import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// Bandwidth's Messaging version 2: `POST /api/v2/users/{accountId}/messages`. There is nothing to ask afterwards.
struct BandwidthContract: Contract {
    let account: Carrier.Configuration.Account
    var provider: Provider { .bandwidth }

    private static let textLimit = 2048
    private static let tagLimit = 1024

    func errand(of request: HTTPRequest) -> Errand? {
        let pieces = self.pieces(of: request)
        guard request.method == "POST", pieces.count == 5, Array(pieces[..<3]) == ["api", "v2", "users"] else {
            return nil
        }
        return pieces[4] == "messages" ? .send : nil
    }

    func isAuthorized(_ request: HTTPRequest) -> Bool { self.isBasic(request) }

    func submission(of request: HTTPRequest) throws(ContractRefusal) -> Submission {
        let json = try self.json(request)
        _ = try self.required(json["applicationId"]?.string, "applicationId")
        // Several would be a group, in which everybody sees everybody.
        guard json["to"]?.array?.count == 1 else { throw .invalid("to") }
        let to = try self.number(json["to"]?[0]?.string, withPlus: true)
        let from = try self.required(json["from"]?.string, "from")
        let text = try self.required(json["text"]?.string, "text")
        guard text.count <= Self.textLimit else { throw .invalid("text") }
        let tag = json["tag"]?.string
        guard (tag?.count ?? 0) <= Self.tagLimit else { throw .invalid("tag") }
        guard ["default", "high", nil].contains(json["priority"]?.string) else { throw .invalid("priority") }
        return Submission(to: to, from: from, text: text, reference: tag, receiptURL: nil)
    }

    func id(_ unique: String) -> String { unique.lowercased() }

    func answer(taken message: TakenMessage) -> HTTPResponse { .json(202, self.json(of: message, withText: true)) }

    func answer(_ refusal: ContractRefusal, to number: String) -> HTTPResponse {
        switch refusal {
        case .unauthorized: self.problem(401, "unauthorized")
        case .invalid(let name): self.problem(400, "request-validation", name)
        case .invalidRecipient: self.problem(400, "request-validation", "to")
        case .throttled: self.problem(429, "max-message-queue-size-exceeded")
        case .asked(let code): self.problem(400, code ?? "request-validation", "to")
        case .internalError: self.problem(500, "internal-server-error")
        }
    }

    func answer(report: Report?) -> HTTPResponse { self.problem(404, "not-found") }

    func request(for report: Report, unique: String) -> WebRequest {
        let (type, code) = Self.words(for: report.outcome)
        var event: [JSON.Member] = [
            .init("time", "\(report.now)"), .init("type", .string(type)), .init("to", .string(report.message.to)),
            .init("description", .string(type)), .init("message", self.json(of: report.message, withText: false)),
        ]
        if let code { event.append(.init("errorCode", .integer(code))) }
        return WebRequest(
            method: "POST", url: report.url, fields: self.receiptFields("application/json"),
            body: JSON.array([.object(event)]).serialized())
    }

    // MARK: - Private

    private static func words(for outcome: CarrierReceipt.Outcome) -> (type: String, code: Int64?) {
        switch outcome {
        case .delivered: ("message-delivered", nil)
        case .onTheWay: ("message-sent", nil)
        case .failed(let code): ("message-failed", code.flatMap { Int64($0) } ?? 4720)
        }
    }

    /// Receipts hold no text.
    private func json(of message: TakenMessage, withText: Bool) -> JSON {
        [
            "id": .string(message.ids[0]), "owner": .string(message.from), "time": "\(message.takenAt)",
            "segmentCount": JSON(message.segments), "direction": "out", "to": [.string(message.to)],
            "from": .string(message.from), "text": .string(withText ? message.content.body : ""),
            "tag": .string(message.echo ?? ""),
        ]
    }

    private func problem(_ status: Int, _ type: String, _ field: String? = nil) -> HTTPResponse {
        let fields = field.map { name -> JSON in [["fieldName": .string(name), "description": "is wrong"]] }
        return .json(
            status, ["type": .string(type), "description": .string(type), "fieldErrors": fields ?? []])
    }
}
