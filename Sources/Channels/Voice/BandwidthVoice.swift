import Crypto
public import HTTP
import JSON
public import Messaging
public import Timestamps

/// Bandwidth's calls (providers.md section 3.4): when somebody picks up, Bandwidth asks us what to say, and when the call has
/// ended it tells us how.
///
/// A machine that answered is told nothing and hung up on; that the end of the call is then no delivery, Bandwidth tells us
/// itself, by the tag that our answer gave the call.
///
/// Credentials
/// - `username`, `password`: of a user of the API. Required.
/// - `receipt_username`, `receipt_password`: what Bandwidth is told to present to us. Required.
///
/// Settings
/// - `account_id`, `application_id`: as in Bandwidth's console. Required.
/// - Those of ``CallSettings``; of `machine_detection`, `continue` is the same as `hangup`.
public struct BandwidthVoice: HTTPDriver, ScriptWriter {
    private let receiptAuthentication: ReceiptAuthentication
    private let receiptUser: Secret
    private let receiptPassword: Secret
    private let settings: CallSettings
    private let table: StatusTable
    private let authorization: Secret
    private let url: String
    private let callback: String?
    private let application: String
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = basicAuthorization(
            reader.requiredCredential("username"), reader.requiredCredential("password"))
        self.receiptUser = reader.requiredCredential("receipt_username")
        self.receiptPassword = reader.requiredCredential("receipt_password")
        self.receiptAuthentication = ReceiptAuthentication(from: &reader)
        self.settings = CallSettings(from: &reader, languages: Self.languages)
        self.url = "\(reader.baseURL())/api/v2/accounts/\(reader.requiredSetting("account_id"))/calls"
        self.application = reader.requiredSetting("application_id")
        self.callback = reader.receiptURL()
        self.defaultSender = account.defaultSender
        self.table = reader.table(.bandwidthVoice)
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.bandwidthVoice.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let call = Call(dispatch, repetitions: 1)
        let callback = self.callback.map { JSON.string($0) }
        let body = JSON.present([
            ("to", .string(call.number.e164)),
            ("from", (dispatch.sender ?? self.defaultSender).map { .string($0) }),
            ("applicationId", .string(self.application)),
            // Without an address nobody would know what to say; Bandwidth refuses that, and says so.
            ("answerUrl", callback), ("answerMethod", "POST"), ("disconnectUrl", callback),
            ("disconnectMethod", "POST"),
            ("username", .string(self.receiptUser.text)), ("password", .string(self.receiptPassword.text)),
            ("callTimeout", JSON(self.settings.ringSeconds)), ("callbackTimeout", JSON(Self.callbackSeconds)),
            ("tag", .string(dispatch.reference.description)),
            ("machineDetection", self.settings.machineDetection == .off ? nil : ["mode": "sync"]),
            ("priority", JSON(dispatch.priority == .otp ? 1 : dispatch.priority == .transactional ? 3 : 5)),
        ])
        return .post(self.url, body, authorization: self.authorization)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let code = body?["type"]?.string.map { String(providerText: $0) }
        let outcome = Outcome(
            response: response, id: body?["callId"]?.string, code: code,
            verdict: code.flatMap { self.table["submit", $0] })
        return dispatches.map { _ in outcome }
    }

    public func callback(_ request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> ProviderCallback {
        let event = try self.event(in: request)
        switch event["eventType"]?.string {
        case "answer":
            let tag = try Self.tag(of: event)
            if self.isMachine(event) { return .answer(Self.bxml("<Tag>\(tag)\(Self.machineMark)</Tag><Hangup/>")) }
            return .script(tag)
        case "disconnect": return .receipts([try self.receipt(event)])
        case .some: return .answer(HTTPResponse(status: 204))
        case nil: throw .malformed("no eventType")
        }
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        if case .receipts(let receipts) = try self.callback(request, now: now) { return receipts }
        return []
    }

    public func receiptAnswer() -> HTTPResponse { HTTPResponse(status: 204) }

    public func script(_ speech: Speech?) -> HTTPResponse {
        guard let speech else { return Self.bxml("<Hangup/>") }
        let times = Call.repetitions(of: speech, asked: self.settings.repetitions)
        var attributes = " locale=\"\(xmlText(self.settings.languages.code(for: speech.language)))\""
        if let voice = speech.voice { attributes = " voice=\"\(xmlText(voice))\"" }
        let sentence = "<SpeakSentence\(attributes)>\(pacedXML(speech))</SpeakSentence>"
        let pause = "<Pause duration=\"\(Call.pause.components.seconds)\"/>"
        return Self.bxml([String](repeating: sentence, count: times).joined(separator: pause) + "<Hangup/>")
    }

    // MARK: - Private

    /// Within which we answer what is to be said; Bandwidth allows 25.
    private static let callbackSeconds = 15
    /// Behind the reference in the tag of a call that a machine answered.
    private static let machineMark = "/machine"

    /// As far as is known; an operator's own list takes its place.
    private static let languages = SpokenLanguages(
        builtIn: """
            en-US=en_US en-GB=en_GB en-AU=en_AU en-IN=en_IN de-DE=de_DE es-ES=es_ES es-MX=es_MX es-US=es_US fr-FR=fr_FR \
            fr-CA=fr_CA it-IT=it_IT nl-NL=nl_NL pt-BR=pt_BR pt-PT=pt_PT da-DK=da_DK sv-SE=sv_SE nb-NO=nb_NO no=nb_NO \
            pl-PL=pl_PL ru-RU=ru_RU ro-RO=ro_RO tr-TR=tr_TR is-IS=is_IS cy-GB=cy_GB ca-ES=ca_ES hi-IN=hi_IN ja-JP=ja_JP \
            ko-KR=ko_KR ar=arb zh-CN=cmn_CN cmn-CN=cmn_CN
            """,
        fallback: "en_US")

    private static func bxml(_ content: String) -> HTTPResponse {
        HTTPResponse(
            status: 200, fields: ["Content-Type": "application/xml"],
            body: Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>\(content)</Response>".utf8))
    }

    private func event(in request: HTTPRequest) throws(ReceiptRefusal) -> JSON {
        guard self.receiptAuthentication.authenticates(request) else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let event = try? JSON(parsing: request.body), event.members != nil else { throw .malformed("no JSON") }
        return event
    }

    private static func tag(of event: JSON) throws(ReceiptRefusal) -> MessageReference {
        guard let tag = event["tag"]?.string.flatMap({ MessageReference($0) }) else { throw .malformed("no tag") }
        return tag
    }

    private func isMachine(_ event: JSON) -> Bool {
        let result = event["machineDetectionResult"]?["value"]?.string ?? ""
        return self.settings.machineDetection != .off && self.table["answer", result] != nil
    }

    private func receipt(_ event: JSON) throws(ReceiptRefusal) -> Receipt {
        guard let cause = event["cause"]?.string, !cause.isEmpty else { throw .malformed("no cause") }
        let tag = event["tag"]?.string ?? ""
        let isMachine = tag.hasSuffix(Self.machineMark)
        let wasAnswered = event["answerTime"]?.string != nil
        let verdict =
            isMachine
            ? self.table["answer", "answering-machine"]
            : self.table[wasAnswered ? "answered" : "unanswered", cause] ?? self.table["cause", cause]
        return Receipt(
            message: MessageReference(isMachine ? String(tag.dropLast(Self.machineMark.count)) : tag),
            part: String(providerText: event["callId"]?.string ?? ""), coversMessage: true,
            verdict: verdict ?? .unread, status: String(providerText: cause),
            code: String(providerText: event["errorId"]?.scalarText ?? event["sipResponseCode"]?.scalarText ?? ""),
            occurredAt: (event["endTime"] ?? event["eventTime"])?.string.flatMap { Timestamp($0) })
    }
}
