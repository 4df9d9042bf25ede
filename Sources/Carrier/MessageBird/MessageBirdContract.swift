import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// MessageBird's REST API: `POST /messages`, one recipient a request.
struct MessageBirdContract: Contract {
    let account: Carrier.Configuration.Account
    var provider: Provider { .messageBird }

    private static let referenceLimit = 128

    func errand(of request: HTTPRequest) -> Errand? {
        let pieces = self.pieces(of: request)
        guard pieces.first == "messages" else { return nil }
        switch (request.method, pieces.count) {
        case ("POST", 1): return .send
        case ("GET", 2): return .inquiry(id: pieces[1])
        default: return nil
        }
    }

    func isAuthorized(_ request: HTTPRequest) -> Bool { self.isAuthorized(request, word: "AccessKey") }

    func submission(of request: HTTPRequest) throws(ContractRefusal) -> Submission {
        let json = try self.json(request)
        guard json["recipients"]?.array?.count == 1 else { throw .invalid("recipients") }
        let to = try self.number(json["recipients"]?[0]?.string, withPlus: false)
        let from = try self.required(json["originator"]?.string, "originator")
        let text = try self.required(json["body"]?.string, "body")
        let reference = json["reference"]?.string
        guard (reference?.count ?? 0) <= Self.referenceLimit else { throw .invalid("reference") }
        // What names no reference is not reported.
        let url = try self.webAddress(json["reportUrl"]?.string, "reportUrl")
        return Submission(
            to: to, from: from, text: text, reference: reference, receiptURL: reference == nil ? nil : url)
    }

    func id(_ unique: String) -> String { unique.lowercased() }

    func answer(taken message: TakenMessage) -> HTTPResponse {
        .json(201, self.json(of: message, status: "sent", code: nil, at: "\(message.takenAt)"))
    }

    func answer(_ refusal: ContractRefusal, to number: String) -> HTTPResponse {
        switch refusal {
        case .unauthorized: self.problem(401, 2, "access_key")
        case .invalid(let name): self.problem(422, 9, name)
        case .invalidRecipient: self.problem(422, 10, "recipients")
        case .throttled: HTTPResponse(status: 429).with("Retry-After", refusal.retryAfter)
        case .asked(let code): self.problem(422, code.flatMap { Int64($0) } ?? 10, "recipients")
        case .internalError: HTTPResponse(status: 500)
        }
    }

    func answer(report: Report?) -> HTTPResponse {
        guard let report else { return self.problem(404, 20, "id") }
        let (status, code) = Self.words(for: report.outcome)
        return .json(200, self.json(of: report.message, status: status, code: code, at: "\(report.now)"))
    }

    func request(for report: Report, unique: String) -> WebRequest {
        let (status, code) = Self.words(for: report.outcome)
        var query = [
            ("id", report.id), ("reference", report.message.echo ?? ""),
            ("recipient", String(report.message.to.dropFirst())), ("status", status),
            ("statusDatetime", "\(report.now.description.prefix(19))+00:00"), ("mccmnc", "22801"),
        ]
        if let code { query.append(("statusErrorCode", "\(code)")) }
        let mark = report.url.contains("?") ? "&" : "?"
        let url = report.url + mark + String(decoding: Form(query).serialized(), as: UTF8.self)
        var request = WebRequest(method: "GET", url: url)
        if let key = self.account.signingKey {
            let claims: JSON = [
                "iss": "MessageBird", "nbf": .integer(report.now.seconds), "exp": .integer(report.now.seconds + 60),
                "jti": .string(unique), "url_hash": .string(Hex.encode(Digest.sha256.hash(url.utf8))),
            ]
            request.fields["MessageBird-Signature-JWT"] = Self.token(claims, key)
        }
        return request
    }

    // MARK: - Private

    private static func words(for outcome: CarrierReceipt.Outcome) -> (status: String, code: Int64?) {
        switch outcome {
        case .delivered: ("delivered", nil)
        case .onTheWay: ("buffered", nil)
        case .failed(let code): ("delivery_failed", code.flatMap { Int64($0) } ?? 1)
        }
    }

    private static func token(_ claims: JSON, _ key: Secret) -> String {
        let header: JSON = ["alg": "HS256", "typ": "JWT"]
        let text = "\(Base64.encode(header.serialized(), .url)).\(Base64.encode(claims.serialized(), .url))"
        return "\(text).\(Base64.encode(Digest.sha256.authenticate(Array(text.utf8), key: key), .url))"
    }

    private func json(of message: TakenMessage, status: String, code: Int64?, at moment: String) -> JSON {
        var item: [JSON.Member] = [
            .init("recipient", .integer(Int64(message.to.dropFirst()) ?? 0)), .init("status", .string(status)),
            .init("statusDatetime", .string(moment)),
        ]
        if let code { item.append(.init("statusErrorCode", .integer(code))) }
        return [
            "id": .string(message.ids[0]), "originator": .string(message.from),
            "reference": .string(message.echo ?? ""), "recipients": ["totalCount": 1, "items": [.object(item)]],
        ]
    }

    private func problem(_ status: Int, _ code: Int64, _ parameter: String) -> HTTPResponse {
        .json(
            status,
            [
                "errors": [
                    ["code": .integer(code), "description": "wrong", "parameter": .string(parameter)]
                ]
            ])
    }
}
