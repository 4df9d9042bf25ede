public import HTTP
import JSON
public import Messaging
public import Timestamps

/// Vonage's Voice API (providers.md section 3.2): the words go with the request, as an NCCO, and events tell how the call
/// goes.
///
/// Where machines are looked out for, the event `human` is what says that the words were heard: `completed` follows a machine
/// as well.
///
/// Credentials and settings: see ``VonageApplication`` and ``CallSettings``.
public struct VonageVoice: HTTPDriver {
    private let application: VonageApplication
    private let settings: CallSettings
    private let table: StatusTable
    private let url: String
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.application = VonageApplication(from: &reader)
        self.settings = CallSettings(from: &reader, languages: Self.languages)
        self.url = reader.baseURL() + "/v1/calls"
        self.defaultSender = account.defaultSender
        self.table = reader.table(.vonageVoice)
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.vonageVoice.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let call = Call(dispatch, repetitions: self.settings.repetitions)
        let callback = self.application.address.url(
            for: dispatch.reference, provedBy: self.application.addressKey)
        let sender = (dispatch.sender ?? self.defaultSender).map { JSON.string(String(senderWithoutPlus($0))) }
        let detection = self.settings.machineDetection
        let body = JSON.present([
            ("to", [["type": "phone", "number": .string(String(call.number.digits))]]),
            ("from", sender.map { ["type": "phone", "number": $0] }),
            // Without a number of our own, Vonage takes one of the application's.
            ("random_from_number", sender == nil ? true : nil),
            ("ncco", [self.talk(call)]), ("event_url", callback.map { [.string($0)] }),
            ("event_method", callback.map { _ in "POST" }), ("ringing_timer", JSON(self.settings.ringSeconds)),
            ("length_timer", .integer(call.timeLimit.components.seconds)),
            ("machine_detection", detection == .off ? nil : .string(detection.rawValue)),
        ])
        return self.application.post(self.url, body, now: now)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let code = (body?["type"] ?? body?["error_title"] ?? body?["title"])?.scalarText.map {
            String(providerText: $0)
        }
        let outcome = Outcome(
            response: response, id: body?["uuid"]?.string, code: code,
            verdict: code.flatMap { self.table["submit", $0] })
        return dispatches.map { _ in outcome }
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        let event = try self.application.event(in: request, now: now)
        guard let id = (event["uuid"] ?? event["call_uuid"])?.string, !id.isEmpty else { throw .malformed("no uuid") }
        guard let status = event["status"]?.string, !status.isEmpty else { throw .malformed("no status") }
        let detail = event["detail"]?.string ?? ""
        return [
            Receipt(
                message: ReceiptAddress.reference(in: request, provedBy: self.application.addressKey),
                part: String(providerText: id), coversMessage: true,
                verdict: self.verdict(status, detail: detail, event), status: String(providerText: status),
                code: String(providerText: detail), occurredAt: event["timestamp"]?.string.flatMap { Timestamp($0) })
        ]
    }

    public func status(of refusal: ReceiptRefusal, of request: HTTPRequest) -> Int {
        self.application.status(of: refusal, of: request)
    }

    // MARK: - Private

    /// Characters of the text of a `talk`.
    private static let textLimit = 1500

    /// As far as is known; an operator's own list takes its place.
    private static let languages = SpokenLanguages(
        builtIn: """
            en-US en-GB en-AU en-IN en-ZA de-DE fr-FR fr-CA es-ES es-MX es-US it-IT pt-PT pt-BR nl-NL nl-BE pl-PL ru-RU \
            tr-TR sv-SE nb-NO no=nb-NO da-DK fi-FI el-GR cs-CZ hu-HU ro-RO sk-SK uk-UA ca-ES eu-ES is-IS cy-GB ar he-IL \
            hi-IN id-ID ja-JP ko-KR zh-CN=cmn-CN zh-TW=cmn-TW zh-HK=yue-CN cmn-CN yue-CN th-TH vi-VN
            """,
        fallback: "en-US")

    private func talk(_ call: Call) -> JSON {
        let plain = String(call.speech.text.prefix(Self.textLimit))
        let paced = "<speak>\(pacedXML(call.speech))</speak>"
        let isPaced = call.speech.rate != 1 && paced.count <= Self.textLimit
        return [
            "action": "talk", "text": .string(isPaced ? paced : plain),
            "language": .string(self.settings.languages.code(for: call.speech.language)),
            "loop": JSON(call.repetitions),
        ]
    }

    private func verdict(_ status: String, detail: String, _ event: JSON) -> Verdict {
        let detects = self.settings.machineDetection != .off
        switch status {
        case "completed" where detects: return self.table["detected", status] ?? .unread
        case "completed" where Self.hasNoDuration(event): return self.table["event", "unanswered"] ?? .unread
        case "human" where detects: return self.table["detected", status] ?? .unread
        default: return self.table["detail", detail] ?? self.table["event", status] ?? .unread
        }
    }

    /// A duration is written as a text or a number; without one nothing is known.
    private static func hasNoDuration(_ event: JSON) -> Bool {
        event["duration"]?.scalarText.flatMap { Double($0) } == 0
    }
}
