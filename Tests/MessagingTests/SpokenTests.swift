import Messaging
import Testing

@Suite struct SpokenTests {
    @Test(arguments: [
        ("Your code is 4938.", "Your code is 4, 9, 3, 8."), ("493827", "4, 9, 3, 8, 2, 7"),
        ("0123456789", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        ("123 or 12345678901 stay", "123 or 12345678901 stay"), ("+41791234567", "+41791234567"),
        ("A4938B", "A4, 9, 3, 8B"), ("4938-1234", "4, 9, 3, 8-1, 2, 3, 4"), ("", ""), ("no digits", "no digits"),
        ("رمزك ٤٩٣٨", "رمزك ٤, ٩, ٣, ٨"),
        ("Dein Code: 4938\nGültig 5 Minuten", "Dein Code: 4, 9, 3, 8\nGültig 5 Minuten"),
    ])
    func aCodeIsSpokenDigitByDigit(_ text: String, _ spoken: String) {
        #expect(Content.text(TextContent(text)).spoken == Speech(spoken))
    }

    @Test func itIsSpokenInTheTextsLanguage() {
        #expect(TextContent("Code 4938", language: "pt-BR").spoken == Speech("Code 4, 9, 3, 8", language: "pt-BR"))
        #expect(TextContent("Code").spoken.language == Speech.defaultLanguage)
    }

    @Test func aSpeechStaysWhatItIsAndAMailIsNotSpoken() {
        let speech = Speech("Call 1234", language: "de", voice: "Vicki", rate: 0.75)
        #expect(Content.speech(speech).spoken == speech)
        #expect(Content.mail(Mail(subject: "a", text: "b")).spoken == nil)
    }
}
