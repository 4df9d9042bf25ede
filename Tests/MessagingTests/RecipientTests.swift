import Messaging
import Testing

@Suite struct RecipientTests {
    @Test(arguments: [
        "a@b.co", "Anna.Berg+test@example.com", "!#$%&'*+-/=?^_`{|}~@x-y.example", "1@2.3",
        String(repeating: "l", count: 64) + "@example.com",
        "a@" + [String](repeating: String(repeating: "d", count: 62), count: 4).joined(separator: "."),
    ])
    func anAddressIsOne(_ text: String) {
        #expect(EmailAddress(text)?.address == text)
    }

    @Test(arguments: [
        "", "@", "a", "a@", "@b.co", "a@b", "a@b.", "a@.co", "a@b..co", ".a@b.co", "a.@b.co", "a..b@b.co", "a b@b.co",
        "a@b co.de", "a@-b.co", "a@b-.co", "a@b_c.co", "a@b@c.co", "\"a\"@b.co", "a@[127.0.0.1]", "ä@b.co", "a@bä.co",
        "a@b.co\n", " a@b.co", "a@b.co ", "a\u{0}@b.co", "A <a@b.co>", "a,b@c.co", "a@\u{308}b.co",
        String(repeating: "l", count: 65) + "@example.com", "a@" + String(repeating: "d", count: 64) + ".co",
        "abc@" + [String](repeating: String(repeating: "d", count: 62), count: 4).joined(separator: "."),
    ])
    func whatIsNoAddressIsNone(_ text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test func theDomainIsLowerCaseAndTheLocalPartStays() throws {
        let address = try #require(EmailAddress("Anna.Berg@EXAMPLE.Com"))
        #expect(address.address == "Anna.Berg@example.com")
        #expect(address.local == "Anna.Berg")
        #expect(address.domain == "example.com")
    }

    @Test(arguments: [
        ("+41791234567", Channel.sms, "+41791234567", "+41791234567"),
        ("+41791234567", .voice, "+41791234567", "+41791234567"),
        ("Anna@EXAMPLE.com", .email, "Anna@example.com", "anna@example.com"),
    ])
    func aRecipientHasATextAndAKey(_ text: String, _ channel: Channel, _ stored: String, _ key: String) {
        let recipient = Recipient(text, channel: channel)
        #expect(recipient?.text == stored)
        #expect(recipient?.key == key)
        #expect(recipient.flatMap { Recipient($0.text, channel: channel) } == recipient)
    }

    @Test func aRecipientIsOfItsChannel() {
        for channel in [Channel.sms, .voice] { #expect(Recipient("anna@example.com", channel: channel) == nil) }
        #expect(Recipient("+41791234567", channel: .email) == nil)
    }

    @Test func neverPrintsTheWhole() throws {
        let address = try #require(EmailAddress("anna.berg@example.com"))
        let phone = try #require(PhoneNumber("+41791234567"))
        let mailbox = try #require(Mailbox("Acme <anna.berg@example.com>"))
        var dumped = ""
        for value in [address, Recipient.email(address), Recipient.phone(phone), mailbox] as [any Sendable] {
            dump(value, to: &dumped)
            dumped += "\(value) \(String(reflecting: value))"
        }
        #expect(!dumped.contains("anna.berg") && !dumped.contains("1234567"))
        #expect("\(Recipient.email(address))" == "a…@example.com")
        #expect(EmailAddress("x@example.com")?.description == "…@example.com")
    }

    @Test(
        arguments: [
            ("a@b.co", nil, "a@b.co"), ("<a@b.co>", nil, "a@b.co"), ("Pinpost <a@b.co>", "Pinpost", "a@b.co"),
            ("  Über & Söhne  <a@B.co>", "Über & Söhne", "a@b.co"), ("Pinpost<a@b.co>", "Pinpost", "a@b.co"),
        ] as [(String, String?, String)])
    func aMailboxHasANameOrNone(_ text: String, _ name: String?, _ address: String) {
        #expect(Mailbox(text)?.name == name)
        #expect(Mailbox(text)?.address.address == address)
    }

    @Test(arguments: [
        "", "Pinpost", "Pinpost a@b.co", "Pinpost <>", "Pinpost <a@b>", "A\r\nBcc: x <a@b.co>", "A <B> <a@b.co>",
        "\"A, B\" <a@b.co>", "A <a@b.co> ", "A <a@b.co", "a@b.co>",
    ])
    func whatIsNoMailboxIsNone(_ text: String) {
        #expect(Mailbox(text) == nil)
    }
}
