import Crypto
import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// Vonage's calls, `POST /v1/calls`.
struct VonageCallContract: ServiceContract {
    let account: Carrier.Configuration.VonageApplication
    var provider: Provider { .vonageCalls }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.VonageApplication) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] {
        [(try? JSON(parsing: request.body))?["to"]?[0]?["number"]?.string].compactMap { $0.map { "+\($0)" } }
    }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.account.isKnown(request, now: now) else { throw .unauthorized }
        guard
            let json = try? JSON(parsing: request.body), json["to"]?.array?.count == 1,
            let recipient = Recipient("+\(json["to"]?[0]?["number"]?.string ?? "")", channel: .voice),
            let talk = json["ncco"]?[0], talk["action"] == "talk",
            let text = talk["text"]?.string, (1...1500).contains(text.count), let language = talk["language"]?.string,
            (1...120).contains(json["ringing_timer"]?.integer ?? 60),
            json["from"] != nil || json["random_from_number"] == true
        else { throw .invalid("validation") }
        return [
            ServiceSubmission(
                recipient: recipient, from: json["from"]?["number"]?.string ?? "",
                content: .speech(Speech(text, language: language)), receiptURL: json["event_url"]?[0]?.string,
                detectsMachines: json["machine_detection"] != nil)
        ]
    }

    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse {
        switch results[0] {
        case .success(let message):
            .json(201, ["uuid": .string(message.ids[0]), "status": "started", "direction": "outbound"])
        case .failure(let refusal): self.answer(refusal)
        }
    }

    func answer(_ refusal: ServiceRefusal) -> HTTPResponse {
        refusal.response((["type": .string(refusal.code), "title": "Refused"] as JSON).serialized())
    }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        let (status, detail) = Self.words(of: receipt)
        var members: [JSON.Member] = [
            .init(status == "human" || status == "machine" ? "call_uuid" : "uuid", .string(receipt.id)),
            .init("to", .string(String(receipt.message.to.dropFirst()))), .init("status", .string(status)),
            .init("direction", "outbound"), .init("timestamp", "\(now)"),
        ]
        if let detail { members.append(.init("detail", .string(detail))) }
        if status == "completed" { members.append(.init("duration", "7")) }
        return self.account.post(.object(members), of: receipt, now: now, nonce: nonce)
    }

    private static func words(of receipt: CarrierReceipt) -> (status: String, detail: String?) {
        switch receipt.callEnd {
        case nil where receipt.isOnTheWay: ("ringing", nil)
        case nil: (receipt.message.detectsMachines ? "human" : "completed", nil)
        case "busy": ("busy", nil)
        case "no_answer": ("unanswered", "timeout")
        case "machine_answered": (receipt.message.detectsMachines ? "machine" : "completed", nil)
        case let code: ("failed", code)
        }
    }
}

/// Vonage's Messages API for short messages, `POST /v1/messages`.
struct VonageMessageContract: ServiceContract {
    let account: Carrier.Configuration.VonageApplication
    var provider: Provider { .vonageMessages }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.VonageApplication) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] {
        [(try? JSON(parsing: request.body))?["to"]?.string].compactMap { $0.map { "+\($0)" } }
    }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.account.isKnown(request, now: now) else { throw .unauthorized }
        guard
            let json = try? JSON(parsing: request.body), json["channel"] == "sms", json["message_type"] == "text",
            let recipient = Recipient("+\(json["to"]?.string ?? "")", channel: .sms), let from = json["from"]?.string,
            let text = json["text"]?.string, !text.isEmpty
        else { throw ServiceRefusal(status: 422, code: "1020") }
        return [
            ServiceSubmission(
                recipient: recipient, from: from, content: .text(TextContent(text)),
                reference: json["client_ref"]?.string, receiptURL: json["webhook_url"]?.string)
        ]
    }

    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse {
        switch results[0] {
        case .success(let message): .json(202, ["message_uuid": .string(message.ids[0])])
        case .failure(let refusal): self.answer(refusal)
        }
    }

    func answer(_ refusal: ServiceRefusal) -> HTTPResponse {
        let usual = [401: "unauthorized", 429: "1000"][refusal.status] ?? "1170"
        let code = Int(refusal.code) == nil ? usual : refusal.code
        let body: JSON = ["type": .string("https://errors.example/#\(code)"), "title": "Refused", "detail": ""]
        return refusal.response(body.serialized())
    }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        var members: [JSON.Member] = [
            .init("message_uuid", .string(receipt.id)), .init("timestamp", "\(now)"), .init("channel", "sms"),
        ]
        if let reference = receipt.message.reference { members.append(.init("client_ref", .string(reference))) }
        switch receipt.outcome {
        case .delivered: members.append(.init("status", "delivered"))
        case .onTheWay: members.append(.init("status", "submitted"))
        case .failed(let code):
            members.append(.init("status", "rejected"))
            members.append(.init("error", ["title": .string(code ?? "1330"), "type": "https://errors.example/"]))
        }
        return self.account.post(.object(members), of: receipt, now: now, nonce: nonce)
    }
}

// MARK: - What both share

extension Carrier.Configuration.VonageApplication {
    /// Whether the token of a request is of the application, good for now and signed with its key.
    fileprivate func isKnown(_ request: HTTPRequest, now: Timestamp) -> Bool {
        let pieces = (request.fields["Authorization"] ?? "").dropFirst("Bearer ".count).split(separator: ".")
        guard
            pieces.count == 3, let signature = Base64.decode(pieces[2], .url),
            let claims = Base64.decode(pieces[1], .url).flatMap({ try? JSON(parsing: $0) }),
            claims["application_id"]?.string == self.applicationID,
            let end = claims["exp"]?.integer, end > now.seconds, claims["jti"]?.string != nil
        else { return false }
        return self.publicKey?.verifies(signature: signature, of: Array("\(pieces[0]).\(pieces[1])".utf8)) ?? true
    }

    fileprivate func post(_ body: JSON, of receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        let bytes = body.serialized()
        let claims: JSON = [
            "iat": .integer(now.seconds), "jti": .string(nonce), "iss": "Vonage", "api_key": .string(self.apiKey),
            "payload_hash": .string(Hex.encode(Digest.sha256.hash(bytes))),
        ]
        let header: JSON = ["typ": "JWT", "alg": "HS256"]
        let signed = "\(Base64.encode(header.serialized(), .url)).\(Base64.encode(claims.serialized(), .url))"
        let code = Digest.sha256.authenticate(Array(signed.utf8), key: self.signatureSecret)
        return WebRequest(
            method: "POST", url: receipt.message.receiptURL ?? "",
            fields: [
                "Content-Type": "application/json", "Authorization": "Bearer \(signed).\(Base64.encode(code, .url))",
            ], body: bytes)
    }
}
