import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// Infobip's text to speech, `POST /tts/3/advanced`.
struct InfobipCallContract: ServiceContract {
    let account: Carrier.Configuration.Infobip
    var provider: Provider { .infobipCalls }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.Infobip) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] {
        self.messages(request).flatMap { $0["destinations"]?.array ?? [] }.compactMap {
            $0["to"]?.string.map { "+\($0)" }
        }
    }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.account.isKnown(request) else { throw .unauthorized }
        let messages = self.messages(request)
        guard !messages.isEmpty else { throw .invalid("BAD_REQUEST") }
        var submissions: [ServiceSubmission] = []
        for message in messages {
            for destination in message["destinations"]?.array ?? [] {
                submissions.append(try self.submission(message, destination))
            }
        }
        return submissions
    }

    private func messages(_ request: HTTPRequest) -> [JSON] {
        (try? JSON(parsing: request.body))?["messages"]?.array ?? []
    }

    private func submission(_ message: JSON, _ destination: JSON) throws(ServiceRefusal) -> ServiceSubmission {
        guard
            let recipient = Recipient("+\(destination["to"]?.string ?? "")", channel: .voice),
            let text = message["text"]?.string, (1...1400).contains(text.count),
            let from = message["from"]?.string, let language = message["language"]?.string,
            (1...2880).contains(message["validityPeriod"]?.integer ?? 1)
        else { throw .invalid("BAD_REQUEST") }
        let voice = message["voice"]?["name"]?.string
        return ServiceSubmission(
            recipient: recipient, from: from, content: .speech(Speech(text, language: language, voice: voice)),
            reference: destination["messageId"]?.string, id: destination["messageId"]?.string,
            receiptURL: message["notifyUrl"]?.string ?? self.account.receiptURL,
            detectsMachines: message["machineDetection"]?.string != nil)
    }

    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse { infobipAnswer(results) }
    func answer(_ refusal: ServiceRefusal) -> HTTPResponse { infobipAnswer(refusal) }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        let (status, error): (Int, Int) =
            switch receipt.callEnd {
            case nil: receipt.isOnTheWay ? (3, 0) : (5, 10000)
            case "busy": (9, 10201)
            case "no_answer": (9, 10200)
            case "machine_answered": (5, 10002)
            case let code: (9, code.flatMap { Int($0) } ?? 10308)
            }
        return self.account.report(receipt, status: status, error: error, now: now)
    }
}

/// Infobip's mails, `POST /email/4/messages`.
struct InfobipMailContract: ServiceContract {
    let account: Carrier.Configuration.Infobip
    var provider: Provider { .infobipMails }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.Infobip) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] {
        self.destinations(request).compactMap { $0.to["destination"]?.string }
    }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.account.isKnown(request) else { throw .unauthorized }
        let destinations = self.destinations(request)
        guard !destinations.isEmpty else { throw .invalid("BAD_REQUEST") }
        var submissions: [ServiceSubmission] = []
        for (message, to) in destinations { submissions.append(try self.submission(message, to)) }
        return submissions
    }

    private func destinations(_ request: HTTPRequest) -> [(message: JSON, to: JSON)] {
        let messages = (try? JSON(parsing: request.body))?["messages"]?.array ?? []
        return messages.flatMap { message in
            (message["destinations"]?.array ?? []).flatMap { $0["to"]?.array ?? [] }.map { (message, $0) }
        }
    }

    private func submission(_ message: JSON, _ to: JSON) throws(ServiceRefusal) -> ServiceSubmission {
        guard
            let recipient = Recipient(to["destination"]?.string ?? "", channel: .email),
            let from = message["sender"]?.string, Mailbox(from) != nil,
            let subject = message["content"]?["subject"]?.string, let text = message["content"]?["text"]?.string
        else { throw .invalid("BAD_REQUEST") }
        return ServiceSubmission(
            recipient: recipient, from: from, content: .mail(Mail(subject: subject, text: text)),
            reference: to["messageId"]?.string, id: to["messageId"]?.string,
            receiptURL: message["webhooks"]?["delivery"]?["url"]?.string ?? self.account.receiptURL)
    }

    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse { infobipAnswer(results) }
    func answer(_ refusal: ServiceRefusal) -> HTTPResponse { infobipAnswer(refusal) }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        guard case .failed(let code) = receipt.outcome else {
            return self.account.report(receipt, status: receipt.isOnTheWay ? 3 : 5, error: 0, now: now)
        }
        return self.account.report(receipt, status: 9, error: code.flatMap { Int($0) } ?? 6012, now: now)
    }
}

// MARK: - What both share

extension Carrier.Configuration.Infobip {
    fileprivate func isKnown(_ request: HTTPRequest) -> Bool {
        let authorization = request.fields["Authorization"] ?? ""
        return authorization.hasPrefix("App ") && !self.apiKey.isEmpty
            && Secret(String(authorization.dropFirst(4))) == self.apiKey
    }

    fileprivate func report(_ receipt: CarrierReceipt, status: Int, error: Int, now: Timestamp) -> WebRequest {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        switch self.receiptAuthorization {
        case .none: break
        case .basic(let user, let password):
            fields["Authorization"] = "Basic \(Base64.encode(Array("\(user):\(password.text)".utf8)))"
        case .header(let name, let value): fields[name] = value.text
        }
        let time = "\(now.description.dropLast())+0000"
        let result: JSON = [
            "messageId": .string(receipt.id), "to": .string(receipt.message.to), "doneAt": .string(time),
            "status": ["id": JSON(status), "groupId": JSON(status == 5 ? 3 : status == 3 ? 1 : 2), "name": "STATUS"],
            "error": ["id": JSON(error), "name": "ERROR"],
        ]
        return WebRequest(
            method: "POST", url: receipt.message.receiptURL ?? "", fields: fields,
            body: (["results": [result]] as JSON).serialized())
    }
}

private func infobipAnswer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse {
    let messages = results.map { result -> JSON in
        switch result {
        case .success(let message):
            ["messageId": .string(message.ids[0]), "status": ["groupId": 1, "id": 26, "name": "PENDING_ACCEPTED"]]
        case .failure(let refusal):
            [
                "messageId": refusal.reference.map { .string($0) } ?? .null,
                "status": [
                    "groupId": 5, "id": JSON(refusal.code == "duplicate" ? 23 : Int(refusal.code) ?? 51),
                    "name": "REJECTED",
                ],
            ]
        }
    }
    return .json(200, ["bulkId": "bulk", "messages": .array(messages)])
}

private func infobipAnswer(_ refusal: ServiceRefusal) -> HTTPResponse {
    refusal.response((["errorCode": .string("E\(refusal.status)"), "description": "refused"] as JSON).serialized())
}
