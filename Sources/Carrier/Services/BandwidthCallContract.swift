import Crypto
import HTTP
import JSON
import Messaging
import Synchronization
import Timestamps
import WebClient

/// Bandwidth's calls, `POST /api/v2/accounts/ID/calls`. What is said is asked for when the call is answered; see
/// ``Carrier/answerCall(_:)``.
struct BandwidthCallContract: ServiceContract {
    let account: Carrier.Configuration.BandwidthCalls
    var provider: Provider { .bandwidthCalls }
    var retries: [Duration] { self.account.retries }

    init(_ account: Carrier.Configuration.BandwidthCalls) { self.account = account }

    func recipients(in request: HTTPRequest) -> [String] {
        [(try? JSON(parsing: request.body))?["to"]?.string].compactMap(\.self)
    }

    func read(
        _ request: HTTPRequest, anyCredential: Bool, now: Timestamp
    ) throws(ServiceRefusal) -> [ServiceSubmission] {
        guard anyCredential || self.isKnown(request) else { throw .unauthorized }
        guard
            let json = try? JSON(parsing: request.body), json["applicationId"]?.string != nil,
            let recipient = Recipient(json["to"]?.string ?? "", channel: .voice), let from = json["from"]?.string,
            let url = json["answerUrl"]?.string, isWebAddress(url), json["disconnectUrl"]?.string == url
        else { throw .invalid("validation") }
        // The caller's own credentials go with the message, for each call back carries them.
        let callback = Self.callback(json)
        return [
            ServiceSubmission(
                recipient: recipient, from: from, content: .speech(Speech("")), reference: json["tag"]?.string,
                receiptURL: "\(callback)\(url)", detectsMachines: json["machineDetection"] != nil, isAskedLater: true)
        ]
    }

    private func isKnown(_ request: HTTPRequest) -> Bool {
        guard let (user, password) = basicCredentials(request.fields["Authorization"] ?? "") else { return false }
        return user == self.account.username && Secret(password) == self.account.password
    }

    /// The credentials to present, before a blank, which no address holds.
    private static func callback(_ json: JSON) -> String {
        guard let user = json["username"]?.string, let password = json["password"]?.string else { return " " }
        return "\(Base64.encode(Array("\(user):\(password)".utf8))) "
    }

    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse {
        switch results[0] {
        case .success(let message): .json(201, ["callId": .string("c-\(message.ids[0])")])
        case .failure(let refusal): self.answer(refusal)
        }
    }

    func answer(_ refusal: ServiceRefusal) -> HTTPResponse {
        let type = refusal.status == 429 ? "error" : refusal.code
        return refusal.response((["type": .string(type), "description": "refused"] as JSON).serialized())
    }

    /// Somebody has answered, or something.
    func question(_ receipt: CarrierReceipt, now: Timestamp) -> WebRequest {
        var event = self.event("answer", receipt, now: now)
        if receipt.message.detectsMachines {
            let value: JSON = receipt.callEnd == "machine_answered" ? "answering-machine" : "human"
            event.append(.init("machineDetectionResult", ["value": value]))
        }
        return self.post(event, of: receipt)
    }

    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest {
        let end = receipt.callEnd
        let cause =
            switch end {
            case nil, "machine_answered": "hangup"
            case "busy": "busy"
            case "no_answer": "timeout"
            case let code: code ?? "unknown"
            }
        var event = self.event("disconnect", receipt, now: now)
        event += [.init("cause", .string(cause)), .init("endTime", "\(now)")]
        if end == nil || end == "machine_answered" { event.append(.init("answerTime", "\(now)")) }
        return self.post(event, of: receipt)
    }

    private func event(_ type: String, _ receipt: CarrierReceipt, now: Timestamp) -> [JSON.Member] {
        [
            .init("eventType", .string(type)), .init("eventTime", "\(now)"),
            .init("callId", .string("c-\(receipt.id)")),
            .init("to", .string(receipt.message.to)), .init("tag", .string(receipt.message.reference ?? "")),
        ]
    }

    private func post(_ event: [JSON.Member], of receipt: CarrierReceipt) -> WebRequest {
        let pieces = (receipt.message.receiptURL ?? " ").split(separator: " ", omittingEmptySubsequences: false)
        var fields: HTTPFields = ["Content-Type": "application/json"]
        if !pieces[0].isEmpty { fields["Authorization"] = "Basic \(pieces[0])" }
        return WebRequest(
            method: "POST", url: pieces.last.map(String.init) ?? "", fields: fields,
            body: JSON.object(event).serialized())
    }
}

extension Carrier {
    /// Asks what a call is to say, and lets it be heard. Returns the receipt with the tag that the answer gave the call.
    func answerCall(_ receipt: CarrierReceipt) async -> CarrierReceipt {
        let isAnswered = receipt.callEnd == nil || receipt.callEnd == "machine_answered"
        guard receipt.message.provider == .bandwidthCalls, isAnswered, !receipt.isOnTheWay else { return receipt }
        let contract = BandwidthCallContract(self.configuration.services.bandwidth)
        var receipt = receipt
        guard let answer = await self.ask(contract.question(receipt, now: self.now())), answer.status == 200 else {
            receipt.outcome = .failed(code: "callback-error")
            return receipt
        }
        let markup = String(decoding: answer.body, as: UTF8.self)
        if let spoken = SpokenMarkup(markup, element: "SpeakSentence") {
            var message = receipt.message
            message.content = .speech(Speech(spoken.text, language: spoken.language ?? "", voice: spoken.voice))
            self.state.withLock { $0.hear(message) }
        }
        if let tag = SpokenMarkup(markup, element: "Tag") { receipt.message.reference = tag.text }
        return receipt
    }
}
