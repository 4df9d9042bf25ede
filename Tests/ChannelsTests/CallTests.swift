import HTTP
import Messaging
import TestKeys
import Testing

@testable import Channels

@Suite struct CallTests {
    @Test(arguments: [
        ("en", "en-US"), ("en-GB", "en-GB"), ("en_gb", "en-GB"), ("de", "de-DE"), ("de-AT", "de-DE"),
        ("pt-br", "pt-BR"),
        ("pt", "pt-PT"), ("zh-CN", "cmn-CN"), ("ZH_cn", "cmn-CN"), ("no", "nb-NO"), ("tlh", "en-US"), ("", "en-US"),
    ])
    func aLanguageHasTheProvidersCode(_ language: String, _ code: String) {
        let languages = SpokenLanguages(
            builtIn: "en-US en-GB de-DE pt-PT pt-BR zh-CN=cmn-CN nb-NO no=nb-NO", fallback: "en-US")
        #expect(languages.code(for: language) == code)
    }

    @Test(arguments: ["", " ", "en=", "=en", "de en="])
    func aListThatIsNoneIsRefused(_ text: String) { #expect(SpokenLanguages(text, fallback: "en") == nil) }

    /// Not confirmed (providers.md section 3): which languages each provider speaks.
    @Test func anOperatorSaysWhichLanguagesThereAre() throws {
        let account = Sample.account(
            .vonageVoice,
            ["application_id": "a", "private_key": TestKey.pem, "signature_secret": "s"],
            settings: ["languages": "sw=sw-KE de-DE", "language": "de-DE"])
        let driver = try Sample.httpDriver(account)
        for (language, code) in [("sw", "sw-KE"), ("fr", "de-DE")] {
            let dispatch = Sample.dispatch(.speech(Speech("1, 2", language: language)))
            let body = String(decoding: driver.request(for: [dispatch], now: Sample.now).body, as: UTF8.self)
            #expect(body.contains(#""language":"\#(code)""#))
        }
    }

    @Test(arguments: [
        ("1, 2, 3, 4", 3, 3), ("1, 2, 3, 4", 5, 5), (String(repeating: "word ", count: 60), 3, 2),
        (String(repeating: "word ", count: 300), 3, 1),
    ])
    func wordsAreRepeatedWithinAMinute(_ text: String, _ asked: Int, _ times: Int) {
        let speech = Speech(text)
        let repetitions = Call.repetitions(of: speech, asked: asked)
        #expect(repetitions == times)
        if times > 1 { #expect(Call.duration(of: speech) * repetitions < Call.limit) }
    }

    @Test func aSlowVoiceIsRepeatedLess() {
        let text = String(repeating: "1, ", count: 20)
        #expect(Call.repetitions(of: Speech(text, rate: 0.5), asked: 5) < Call.repetitions(of: Speech(text), asked: 5))
    }

    @Test func noCallOutlastsItsWordsOrAMinute() {
        #expect(Call(Sample.dispatch(.speech(Speech("1, 2"))), repetitions: 3).timeLimit == Call.limit)
        let long = Call(Sample.dispatch(.speech(Speech(String(repeating: "word ", count: 300)))), repetitions: 3)
        #expect(long.timeLimit > Call.limit)
    }

    @Test func textThatIsSaidAgainFitsItsLimit() {
        let call = Call(Sample.dispatch(.speech(Speech("Code 1, 2."))), repetitions: 3)
        #expect(call.text(limit: 1400) == "Code 1, 2. Code 1, 2. Code 1, 2.")
        #expect(call.text(limit: 25) == "Code 1, 2. Code 1, 2.")
        #expect(call.text(limit: 1) == "Code 1, 2.")
    }

    @Test(arguments: [
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"), (#""it's""#, "&quot;it&apos;s&quot;"),
        ("a\u{0}\u{1B}b\tc", "ab\tc"),
        ("]]>", "]]&gt;"), ("</Say><Dial>+1</Dial>", "&lt;/Say&gt;&lt;Dial&gt;+1&lt;/Dial&gt;"), ("å\u{FFFE}😀", "å😀"),
    ])
    func markupIsSpokenAndNotDone(_ text: String, _ escaped: String) { #expect(xmlText(text) == escaped) }

    @Test func aPaceIsMarkup() {
        #expect(pacedXML(Speech("a<b", rate: 0.75)) == #"<prosody rate="75%">a&lt;b</prosody>"#)
        #expect(pacedXML(Speech("a<b")) == "a&lt;b")
    }

    @Test(arguments: [ProviderKind.twilioVoice, .vonageVoice, .bandwidthVoice, .infobipVoice])
    func wrongSettingsAreTold(_ kind: ProviderKind) {
        let account = Sample.account(
            kind, [:],
            settings: [
                "repetitions": "6", "ring_seconds": "x", "machine_detection": "maybe", "languages": "=", "language": "",
            ])
        let problems = #expect(throws: ProviderProblems.self) { try Drivers.make(account) }?.problems ?? []
        for name in ["repetitions", "ring_seconds", "machine_detection", "languages", "language"] {
            #expect(problems.contains { $0.hasPrefix("setting \(name) is not") }, "\(name)")
        }
    }

    /// A text that is too long once it is escaped is said once and without its pace.
    @Test func twimlStaysWithinItsLimit() throws {
        let account = Sample.account(.twilioVoice, ["account_sid": "AC01", "auth_token": "12345"])
        let driver = try Sample.httpDriver(account)
        let speech = Speech(String(repeating: "&", count: 780), rate: 0.5)
        let form = Form(parsing: driver.request(for: [Sample.dispatch(.speech(speech))], now: Sample.now).body)
        #expect((form?["Twiml"]?.count ?? 9999) <= 4000)
    }

    @Test func aCallWithoutDurationWasNotAnswered() throws {
        var request = ConformanceCase.twilioVoice.report("completed", "human")
        request.body = Array("CallSid=CA9f&CallStatus=completed&CallDuration=0".utf8)
        let receipts = try Sample.httpDriver(ConformanceCase.twilioVoice.account)
            .receipts(in: twilioProof(request, "12345"), now: Sample.now)
        #expect(receipts.map(\.verdict.reason) == [.noAnswer])
    }
}
