public import HTTP
public import Messaging
public import Timestamps

/// Twilio's calls (providers.md section 3.1): the words go with the request, as TwiML, and one callback tells how the call
/// ended.
///
/// Twilio makes one call a second for an account and queues the others; a rate in the configuration keeps codes from waiting
/// there, where they expire unheard.
///
/// Credentials and settings: see ``TwilioAccount`` and ``CallSettings``. `machine_detection` may not be `hangup`: words that go with
/// the request are spoken to whoever picks up, and what that was is told afterwards.
public struct TwilioVoice: HTTPDriver {
    private let account: TwilioAccount
    private let settings: CallSettings

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.account = TwilioAccount(account, from: &reader)
        self.settings = CallSettings(from: &reader, languages: Self.languages)
        if account.settings["machine_detection"] == CallSettings.MachineDetection.hangup.rawValue {
            reader.problem(
                "setting machine_detection is not continue or off: Twilio's calls do not hang up on machines")
        }
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.twilioVoice.channels }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        let dispatch = dispatches.only
        let call = Call(dispatch, repetitions: self.settings.repetitions)
        var form = [("To", call.number.e164)]
        if let sender = dispatch.sender ?? self.account.defaultSender { form.append(("From", sender)) }
        form.append(("Twiml", self.twiml(call)))
        form.append(("Timeout", String(self.settings.ringSeconds)))
        form.append(("TimeLimit", String(call.timeLimit.components.seconds)))
        if self.settings.machineDetection != .off { form.append(("MachineDetection", "Enable")) }
        if let callback = self.account.callback(for: dispatch.reference) {
            form += [("StatusCallback", callback), ("StatusCallbackMethod", "POST")]
        }
        return self.account.post("/Calls.json", form)
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let outcome = self.account.outcome(of: response)
        return dispatches.map { _ in outcome }
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        let parameters = try self.account.parameters(in: request)
        guard let sid = parameters["CallSid"], !sid.isEmpty else { throw .malformed("no CallSid") }
        guard let status = parameters["CallStatus"], !status.isEmpty else { throw .malformed("no CallStatus") }
        let (verdict, code) = self.verdict(status, parameters)
        return [
            Receipt(
                message: ReceiptAddress.reference(in: request), part: String(providerText: sid), coversMessage: true,
                verdict: verdict, status: String(providerText: status), code: String(providerText: code),
                occurredAt: nil)
        ]
    }

    // MARK: - Private

    /// Characters of `Twiml`.
    private static let twimlLimit = 4000

    /// As far as is known; an operator's own list takes its place.
    private static let languages = SpokenLanguages(
        builtIn: """
            en-US en-GB en-AU en-CA en-IN da-DK de-DE ca-ES es-ES es-MX es-US fi-FI fr-FR fr-CA it-IT ja-JP ko-KR nb-NO \
            no=nb-NO nl-NL pl-PL pt-BR pt-PT ru-RU sv-SE tr-TR ro-RO is-IS cy-GB hi-IN zh-CN zh-HK zh-TW cmn=zh-CN yue=zh-HK
            """,
        fallback: "en-US")

    private func twiml(_ call: Call) -> String {
        var attributes = " language=\"\(xmlText(self.settings.languages.code(for: call.speech.language)))\""
        if let voice = call.speech.voice { attributes += " voice=\"\(xmlText(voice))\"" }
        let text = pacedXML(call.speech)
        let say = "<Say\(attributes) loop=\"\(call.repetitions)\">\(text)</Say>"
        let twiml = "<Response><Pause length=\"1\"/>\(say)</Response>"
        // A text of accents and ampersands may be too long once it is escaped; without its pace and pause it is shorter.
        return twiml.count <= Self.twimlLimit
            ? twiml : "<Response><Say\(attributes)>\(xmlText(call.speech.text))</Say></Response>"
    }

    /// `completed` says only that somebody or something picked up.
    private func verdict(_ status: String, _ parameters: Form) -> (Verdict, code: String) {
        let table = self.account.table
        let sip = parameters["SipResponseCode"] ?? ""
        switch status {
        case "completed":
            let answerer = parameters["AnsweredBy"] ?? ""
            if let verdict = table["answer", answerer] { return (verdict, answerer) }
            if parameters["CallDuration"].flatMap({ Int($0) }) == 0 {
                return (table["call", "no-answer"] ?? .unread, "0")
            }
            return (table["call", status] ?? .unread, answerer)
        case "failed": return (table["sip", sip] ?? table["call", status] ?? .unread, sip)
        default: return (table["call", status] ?? .unread, sip)
        }
    }
}
