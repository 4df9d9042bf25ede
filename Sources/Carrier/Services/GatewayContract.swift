import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// An operator's own gateway, `POST /gateway`, as README has it.
struct GatewayContract: ServiceContract {
    let account: Carrier.Configuration.Gateway
    var provider: Provider { .gateway }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.Gateway) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] { self.messages(request).compactMap { $0["to"]?.string } }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.isSigned(request) else { throw .unauthorized }
        let messages = self.messages(request)
        guard !messages.isEmpty else { throw .invalid("invalid_request") }
        var submissions: [ServiceSubmission] = []
        for message in messages { submissions.append(try self.submission(message)) }
        return submissions
    }

    private func messages(_ request: HTTPRequest) -> [JSON] {
        (try? JSON(parsing: request.body))?["messages"]?.array ?? []
    }

    private func submission(_ message: JSON) throws(ServiceRefusal) -> ServiceSubmission {
        guard
            let channel = message["channel"]?.string.flatMap({ Channel(rawValue: $0) }),
            let recipient = Recipient(message["to"]?.string ?? "", channel: channel),
            let id = message["id"]?.string, let text = message["text"]?.string,
            (message["validity_seconds"]?.integer ?? 0) > 0, message["priority"]?.string != nil
        else { throw .invalid("invalid_request") }
        let content: Content =
            switch channel {
            case .sms: .text(TextContent(text))
            case .voice: .speech(Speech(text, language: message["language"]?.string ?? ""))
            case .email: .mail(Mail(subject: message["subject"]?.string ?? "", text: text))
            }
        return ServiceSubmission(
            recipient: recipient, from: message["from"]?.string ?? "", content: content, reference: id, id: id,
            receiptURL: self.account.receiptURL)
    }

    private func isSigned(_ request: HTTPRequest) -> Bool {
        let signature = self.signature(
            request.fields["webhook-id"] ?? "", request.fields["webhook-timestamp"] ?? "", request.body)
        return (request.fields["webhook-signature"] ?? "").split(separator: " ").contains { $0 == signature }
    }

    private func signature(_ id: String, _ time: String, _ body: [UInt8]) -> String {
        let key = Secret(Base64.decode(self.account.secret.text.dropFirst(6)) ?? [])
        return "v1,\(Base64.encode(Digest.sha256.authenticate(Array("\(id).\(time).".utf8) + body, key: key)))"
    }

    /// What was refused is named by its place, since a message that is not taken has no id of ours.
    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse {
        let taken = results.compactMap { try? $0.get() }
        if taken.count == results.count { return HTTPResponse(status: 202) }
        return .json(200, ["messages": .array(results.map(self.entry))])
    }

    private func entry(_ result: Result<TakenMessage, ServiceRefusal>) -> JSON {
        switch result {
        case .success(let message): ["id": .string(message.ids[0]), "status": "accepted"]
        case .failure(let refusal):
            ["id": refusal.reference.map { .string($0) } ?? .null, "status": "refused", "code": .string(refusal.code)]
        }
    }

    func answer(_ refusal: ServiceRefusal) -> HTTPResponse {
        refusal.response((["code": .string(refusal.code)] as JSON).serialized())
    }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        let (status, code): (String, String) =
            switch receipt.outcome {
            case .delivered: ("delivered", "")
            case .onTheWay: ("sent", "")
            case .failed(let code): ("undelivered", code ?? "carrier_error")
            }
        let entry: JSON = [
            "id": .string(receipt.message.reference ?? ""), "status": .string(status), "code": .string(code),
            "at": "\(now)",
        ]
        let body = (["receipts": [entry]] as JSON).serialized()
        let time = String(now.seconds)
        return WebRequest(
            method: "POST", url: receipt.message.receiptURL ?? "",
            fields: [
                "Content-Type": "application/json", "webhook-id": "evt_\(nonce)", "webhook-timestamp": time,
                "webhook-signature": self.signature("evt_\(nonce)", time, body),
            ], body: body)
    }
}
