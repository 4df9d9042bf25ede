import Crypto
public import HTTP
import JSON
public import Messaging
public import Timestamps

/// Infobip's text to speech (providers.md section 3.3): many calls a request, each under the id that we choose, and reports in
/// batches.
///
/// Infobip says a text once, so what is to be said again stands in it again.
///
/// Credentials: `api_key`, required, and those of ``ReceiptAuthentication``. Settings: see ``CallSettings``.
public struct InfobipVoice: HTTPDriver {
    private let receiptAuthentication: ReceiptAuthentication
    private let settings: CallSettings
    private let table: StatusTable
    private let authorization: Secret
    private let url: String
    private let address: ReceiptAddress
    private let defaultSender: String?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.authorization = Secret("App \(reader.requiredCredential("api_key").text)")
        self.receiptAuthentication = ReceiptAuthentication(from: &reader)
        self.settings = CallSettings(from: &reader, languages: Self.languages)
        self.url = reader.baseURL() + "/tts/3/advanced"
        self.address = ReceiptAddress(from: &reader, token: self.receiptAuthentication.token)
        self.defaultSender = account.defaultSender
        self.table = reader.table(.infobipVoice)
        try reader.finish()
    }

    /// Far below Infobip's 20,000: an answer that is lost leaves no more than these in doubt.
    public var batchLimit: Int { 100 }
    public var channels: Set<Channel> { ProviderKind.infobipVoice.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        precondition((1...self.batchLimit).contains(dispatches.count), "1 to \(self.batchLimit) calls a request")
        return .post(
            self.url, ["messages": .array(dispatches.map(self.message))], authorization: self.authorization)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        InfobipReading(table: self.table).outcomes(for: dispatches, response: response)
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        try InfobipReading(table: self.table).receipts(in: request, by: self.receiptAuthentication)
    }

    // MARK: - Private

    /// Characters of a text.
    private static let textLimit = 1400
    /// Minutes: up to 48 hours, as for messages.
    private static let validities: ClosedRange<Int64> = 1...2880
    /// Seconds that the call may last; Infobip documents none beyond.
    private static let callTimeouts: ClosedRange<Int64> = 1...600

    /// As far as is known; an operator's own list takes its place.
    private static let languages = SpokenLanguages(
        builtIn: """
            en en-GB=en-gb en-AU=en-au en-CA=en-ca en-IN=en-in ar bg ca cs da de el es es-MX=es-mx fi fr fr-CA=fr-ca he hi hr \
            hu id it ja ko ms nl nb=no no pl pt-BR=pt-br pt-PT=pt-pt ro ru sk sl sv ta th tr uk vi zh-CN=zh-cn zh-TW=zh-tw
            """,
        fallback: "en")

    private func message(_ dispatch: Dispatch) -> JSON {
        let call = Call(dispatch, repetitions: self.settings.repetitions)
        let reference = JSON.string(dispatch.reference.description)
        let detection = self.settings.machineDetection
        let url = self.address.url
        return .present([
            ("from", (dispatch.sender ?? self.defaultSender).map { .string(String(senderWithoutPlus($0))) }),
            ("destinations", [["to": .string(String(call.number.digits)), "messageId": reference]]),
            ("text", .string(call.text(limit: Self.textLimit))),
            ("language", .string(self.settings.languages.code(for: call.speech.language))),
            ("voice", call.speech.voice.map { ["name": .string($0)] }),
            ("notifyUrl", url.map { .string($0) }), ("notifyContentType", url.map { _ in "application/json" }),
            ("notifyContentVersion", url.map { _ in 2 }), ("callbackData", reference),
            ("ringTimeout", JSON(self.settings.ringSeconds)),
            ("callTimeout", .integer(call.timeLimit.seconds(in: Self.callTimeouts))),
            ("repeatDtmf", call.speech.repeatDTMF.map { .string($0) }),
            ("machineDetection", detection == .off ? nil : .string(detection.rawValue)),
            ("speechRate", call.speech.rate == 1 ? nil : .number(call.speech.rate)),
            ("validityPeriod", .integer(Self.minutes(dispatch.validity))),
        ])
    }

    /// Rounded up, because less than a minute cannot be said.
    private static func minutes(_ validity: Duration) -> Int64 {
        min(max((validity.components.seconds + 59) / 60, self.validities.lowerBound), self.validities.upperBound)
    }
}
