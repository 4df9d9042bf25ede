import Testing

@testable import SMPP

@Suite struct ReceiptTextTests {
    @Test func theCommonFormIsRead() {
        let text = ReceiptText(
            "id:0123456789 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 Text:Hello"
                .utf8)
        #expect(text?.id == "0123456789")
        #expect(text?.state == "DELIVRD")
        #expect(text?.error == "000")
        #expect(text?.submitDate == "2611211200")
        #expect(text?.doneDate == "2611211201")
    }

    @Test(
        arguments: [
            ("STAT:UNDELIV ID:af-09 ERR:0x1F", "af-09", "UNDELIV", "0x1F"),
            ("id: 12  stat: EXPIRED\0", "12", "EXPIRED", nil),
            ("id:12\nstat:REJECTD\nerr:EC_9 text", "12", "REJECTD", "EC_9"),
            ("done date:20261121120000 stat:DELIVRD", nil, "DELIVRD", nil),
            ("id:1 stat:DELIVRD err:", "1", "DELIVRD", nil),
            ("submit date:1 done date:2 id:7", "7", nil, nil),
        ] as [(String, String?, String?, String?)])
    func variantsAreRead(_ text: String, _ id: String?, _ state: String?, _ error: String?) {
        let receipt = ReceiptText(text.utf8)
        #expect(receipt?.id == id)
        #expect(receipt?.state == state)
        #expect(receipt?.error == error)
    }

    @Test(arguments: [
        "id:1 stat:UNDELIV err:001 text:id:2 stat:DELIVRD", "id:1 stat:UNDELIV err:001TEXT:id:2 stat:DELIVRD",
        "id:1 stat:UNDELIV err:001 Text: your code is 123456 stat:DELIVRD",
        "id:1 stat:UNDELIV err:001 your code is 123456 text:",
    ])
    func whatTheMessageSaidCannotSpeakForTheSMSC(_ text: String) {
        let receipt = ReceiptText(text.utf8)
        #expect(receipt?.id == "1")
        #expect(receipt?.state == "UNDELIV")
        #expect(receipt?.error == "001")
    }

    @Test func keysBehindTheTextAreTheMessagesOwn() {
        let receipt = ReceiptText("id:1 text:stat:DELIVRD err:9 done date:2611211201".utf8)
        #expect(receipt?.id == "1")
        #expect(receipt?.state == nil && receipt?.error == nil && receipt?.doneDate == nil)
        #expect(ReceiptText("text:id:1 stat:DELIVRD".utf8) == nil)
    }

    @Test(arguments: ["", "Hello", "hid:12 thestat:X", "err:001 sub:001", "id: stat:"])
    func aTextThatNamesNothingIsNoReceipt(_ text: String) {
        #expect(ReceiptText(text.utf8) == nil)
    }
}
