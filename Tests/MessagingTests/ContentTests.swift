import Messaging
import Testing

@Suite struct ContentTests {
    static let india = IndiaDLT(principalEntityID: "p", contentTemplateID: "c", teleMarketerID: "t")

    static let contents: [Content] = [
        .text(TextContent("Your code is 493817")), .text(TextContent("")), .text(TextContent("{\"text\":\"x\"}")),
        .text(TextContent("\u{0}{\"text\":\"x\"}")), .text(TextContent("ü 😀 \"\\\n")),
        .text(TextContent("code", indiaDLT: india)),
        .text(TextContent("code", indiaDLT: .init(principalEntityID: "p"))),
        .speech(Speech("Your code is 4, 9")),
        .speech(Speech("Ihr Code", language: "de", voice: "Vicki", rate: 0.75, repeatDTMF: "1#")),
        .mail(Mail(subject: "Your \"code\"", text: "Hello\r\n\r\n493817\n")), .mail(Mail(subject: "", text: "")),
    ]

    @Test(arguments: contents) func whatIsEncodedIsReadAgain(_ content: Content) {
        #expect(Content(decoding: content.encoded, channel: content.channel) == content)
    }

    /// Rows of the version before channels hold nothing else.
    @Test func aPlainTextIsItsOwnUTF8() {
        #expect(Content.text(TextContent("Grüße")).encoded == Array("Grüße".utf8))
        #expect(Content(decoding: Array("Grüße".utf8), channel: .sms) == .text(TextContent("Grüße")))
    }

    @Test func allElseIsMarkedJSON() {
        let encoded = Content.mail(Mail(subject: "s", text: "t")).encoded
        #expect(encoded == [0] + Array(#"{"subject":"s","text":"t"}"#.utf8))
        let speech = Content.speech(Speech("t")).encoded
        #expect(speech == [0] + Array(#"{"text":"t","language":"en","rate":1.0}"#.utf8))
    }

    @Test(arguments: [
        ("plain", Channel.voice), ("plain", .email), ("\u{0}", .sms), ("\u{0}[]", .sms), ("\u{0}{}", .sms),
        ("\u{0}{\"text\":1}", .sms), ("\u{0}{\"text\":\"t\"}", .voice), ("\u{0}{\"text\":\"t\"}", .email),
        ("\u{0}{\"text\":\"t\",\"language\":\"en\",\"rate\":\"1\"}", .voice), ("", .email),
    ])
    func whatNobodyWroteIsNoContent(_ text: String, _ channel: Channel) {
        #expect(Content(decoding: Array(text.utf8), channel: channel) == nil)
    }

    @Test func aRateStaysWithinItsLimits() {
        #expect([0, 0.5, 1.2, 2, 9].map { Speech("x", rate: $0).rate } == [0.5, 0.5, 1.2, 2, 2])
    }

    @Test(arguments: contents) func neverPrintsWhatItSays(_ content: Content) {
        var dumped = "\(content) \(String(reflecting: content))"
        dump(content, to: &dumped)
        switch content {
        case .text(let text): dump(text, to: &dumped)
        case .speech(let speech): dump(speech, to: &dumped)
        case .mail(let mail): dump(mail, to: &dumped)
        }
        #expect(!dumped.lowercased().contains("code") && !dumped.contains("493817"))
    }

    @Test(arguments: [
        ("493817", "4, 9, 3, 8, 1, 7"), ("A1b", "A, 1, b"), ("12 34", "1, 2, 3, 4"), ("7", "7"), ("", ""),
    ])
    func aCodeIsSpokenApart(_ code: String, _ spoken: String) {
        #expect(SpokenText.apart(code) == spoken)
    }
}
