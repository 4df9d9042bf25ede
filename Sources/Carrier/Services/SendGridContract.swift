import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// SendGrid, `POST /v3/mail/send`.
struct SendGridContract: ServiceContract {
    let account: Carrier.Configuration.SendGrid
    var provider: Provider { .sendGrid }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.SendGrid) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] {
        self.personalizations(request).compactMap { $0["to"]?[0]?["email"]?.string }
    }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.isKnown(request) else { throw .unauthorized }
        guard let json = try? JSON(parsing: request.body) else { throw .invalid("body") }
        guard
            let address = json["from"]?["email"]?.string, EmailAddress(address) != nil,
            let subject = json["subject"]?.string
        else { throw .invalid("from") }
        guard let text = json["content"]?[0]?["value"]?.string, !text.isEmpty else { throw .invalid("content") }
        let from = json["from"]?["name"]?.string.map { "\($0) <\(address)>" } ?? address
        var submissions: [ServiceSubmission] = []
        for person in self.personalizations(request) {
            guard let recipient = Recipient(person["to"]?[0]?["email"]?.string ?? "", channel: .email) else {
                throw .invalid("personalizations.0.to.0.email")
            }
            submissions.append(
                ServiceSubmission(
                    recipient: recipient, from: from, content: .mail(Mail(subject: subject, text: text)),
                    reference: person["custom_args"]?["mid"]?.string, receiptURL: self.account.receiptURL))
        }
        return submissions
    }

    private func personalizations(_ request: HTTPRequest) -> [JSON] {
        (try? JSON(parsing: request.body))?["personalizations"]?.array ?? []
    }

    private func isKnown(_ request: HTTPRequest) -> Bool {
        !self.account.apiKey.isEmpty
            && Secret(request.fields["Authorization"] ?? "") == Secret("Bearer \(self.account.apiKey.text)")
    }

    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse {
        for case .failure(let refusal) in results { return self.answer(refusal) }
        return HTTPResponse(status: 202, fields: ["X-Message-Id": "message"])
    }

    func answer(_ refusal: ServiceRefusal) -> HTTPResponse {
        let field = refusal.code == "invalid_destination" ? "personalizations.0.to.0.email" : refusal.code
        let error: JSON = ["message": "refused", "field": refusal.status == 400 ? .string(field) : .null]
        return refusal.response((["errors": [error]] as JSON).serialized())
    }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        var event: [JSON.Member] = [
            .init("email", .string(receipt.message.to)), .init("timestamp", .integer(now.seconds)),
            .init("sg_event_id", .string(nonce)), .init("sg_message_id", .string("\(receipt.id).filter")),
        ]
        if let reference = receipt.message.reference { event.append(.init("mid", .string(reference))) }
        switch receipt.outcome {
        case .delivered: event += [.init("event", "delivered"), .init("response", "250 OK")]
        case .onTheWay: event.append(.init("event", "processed"))
        case .failed(let code) where ["spamreport", "unsubscribe"].contains(code):
            event.append(.init("event", .string(code ?? "")))
        case .failed(let code) where code == nil || code == "blocked":
            event += [.init("event", "bounce"), .init("type", .string(code ?? "bounce")), .init("status", "5.1.1")]
        case .failed(let code): event += [.init("event", "dropped"), .init("reason", .string(code ?? ""))]
        }
        return self.post(JSON.array([.object(event)]).serialized(), now: now, to: receipt.message.receiptURL ?? "")
    }

    private func post(_ body: [UInt8], now: Timestamp, to url: String) -> WebRequest {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        if let key = self.account.signingKey {
            let time = String(now.seconds)
            fields["X-Twilio-Email-Event-Webhook-Timestamp"] = time
            fields["X-Twilio-Email-Event-Webhook-Signature"] = Base64.encode(
                key.signature(of: Array(time.utf8) + body))
        }
        return WebRequest(method: "POST", url: url, fields: fields, body: body)
    }
}
