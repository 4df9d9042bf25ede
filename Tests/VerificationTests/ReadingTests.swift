import JSON
import Messaging
import Testing
import Verification

@Suite struct ApplicationReadingTests {
    private func read(
        _ text: String, over settings: ApplicationSettings = .init(name: "old"), names: ApplicationNames = .infobip
    ) throws -> (settings: ApplicationSettings, problems: [JSONProblem]) {
        var reader = FieldReader()
        let json = try JSON(parsing: Array(text.utf8))
        let settings = settings.updated(from: json, names: names, nameRequired: true, reader: &reader)
        return (settings, reader.problems)
    }

    @Test func hasTheVendorsDefaults() throws {
        let (settings, problems) = try self.read(#"{"name":"2fa"}"#)
        #expect(problems.isEmpty)
        #expect(
            JSON.object(settings.members(names: .infobip)).text
                == #"{"configuration":{"pinAttempts":10,"allowMultiplePinVerifications":true,"pinTimeToLive":"15m","#
                + #""verifyPinLimit":"1/3s","sendPinPerApplicationLimit":"10000/1d","sendPinPerPhoneNumberLimit":"3/1d"},"#
                + #""enabled":true}"#)
    }

    @Test func keepsWhatIsNotNamedOrNull() throws {
        var old = ApplicationSettings(name: "old")
        old.attemptLimit = 7
        let (settings, problems) = try self.read(
            #"{"name":"new","enabled":false,"configuration":{"pinTimeToLive":"2h","pinAttempts":null}}"#, over: old)
        #expect(problems.isEmpty)
        #expect(settings.name == "new")
        #expect(!settings.isEnabled)
        #expect(settings.attemptLimit == 7)
        #expect(settings.timeToLive.text == "2h")
        #expect(try self.read(#"{"name":"x","configuration":null}"#, over: old).settings.attemptLimit == 7)
    }

    @Test(arguments: [
        (#"{}"#, "/name"), (#"{"name":" "}"#, "/name"), (#"{"name":5}"#, "/name"),
        (#"{"name":"a","enabled":"yes"}"#, "/enabled"), (#"{"name":"a","configuration":[]}"#, "/configuration"),
        (#"{"name":"a","configuration":{"pinAttempts":0}}"#, "/configuration/pinAttempts"),
        (#"{"name":"a","configuration":{"pinAttempts":101}}"#, "/configuration/pinAttempts"),
        (#"{"name":"a","configuration":{"pinTimeToLive":"5x"}}"#, "/configuration/pinTimeToLive"),
        (#"{"name":"a","configuration":{"verifyPinLimit":"1/2d"}}"#, "/configuration/verifyPinLimit"),
        (
            #"{"name":"a","configuration":{"sendPinPerApplicationLimit":"x"}}"#,
            "/configuration/sendPinPerApplicationLimit"
        ),
    ])
    func tellsWhere(text: String, path: String) throws {
        #expect(try self.read(text).problems.map(\.path) == [path])
    }

    @Test func ownNamesStandFlatAndNullSwitchesOff() throws {
        let (settings, problems) = try self.read(
            #"{"name":"a","attempt_limit":3,"send_limit":null,"resend_cooldown":null}"#, over: .ownDefaults(name: "a"),
            names: .own)
        #expect(problems.isEmpty)
        #expect(settings.attemptLimit == 3)
        #expect(settings.sendLimit == nil)
        #expect(settings.resendCooldown == nil)
        #expect(ApplicationSettings.ownDefaults(name: "a").sendLimit == 5)
    }
}

@Suite struct TemplateReadingTests {
    private func read(
        _ text: String, over old: TextTemplate? = nil, names: TemplateNames = .infobip
    ) throws -> (template: TextTemplate?, problems: [JSONProblem]) {
        var reader = FieldReader()
        let json = try JSON(parsing: Array(text.utf8))
        let template = TextTemplate(json, over: old, names: names, defaultLength: 4, reader: &reader)
        return (template, reader.problems)
    }

    private static let whole = """
        {"pinType":"NUMERIC","pinLength":6,"messageText":"Hello {{firstName}} your pin is {{pin}}","senderId":"Infobip 2FA",\
        "language":"pt-pt","voiceName":"Joana","repeatDTMF":"1#","speechRate":1,\
        "regional":{"indiaDlt":{"principalEntityId":"pe-1","contentTemplateId":"ct-1"}}}
        """

    @Test func readsAndWritesEverything() throws {
        let template = try #require(try self.read(Self.whole).template)
        #expect(template.language == "pt-pt")
        #expect(template.speechRate == 1)
        #expect(template.indiaDLT?.contentTemplateID == "ct-1")
        let written = JSON.object(template.members(names: .infobip)).text
        #expect(try self.read(written).template == template)
        let own = JSON.object(template.members(names: .own)).text
        #expect(try self.read(own, names: .own).template == template)
    }

    @Test func mergesOverTheOldOne() throws {
        let old = try #require(try self.read(Self.whole).template)
        let new = try #require(try self.read(#"{"pinLength":5,"language":null}"#, over: old).template)
        #expect(new.format.length == 5)
        #expect(new.format.alphabet == .numeric)
        #expect(new.language == "pt-pt")
        #expect(new.text == old.text)
    }

    @Test func hasTheDefaultLength() throws {
        let template = try self.read(#"{"pinType":"HEX","messageText":"{{pin}}"}"#).template
        #expect(template?.format == CodeFormat(alphabet: .hex, length: 4))
    }

    @Test(arguments: [
        (#"{"messageText":"{{pin}}"}"#, "/pinType"), (#"{"pinType":"NUMERIC"}"#, "/messageText"),
        (#"{"pinType":"EMOJI","messageText":"{{pin}}"}"#, "/pinType"),
        (#"{"pinType":"HEX","messageText":"no code"}"#, "/messageText"),
        (#"{"pinType":"HEX","messageText":"{{pin}}","pinLength":0}"#, "/pinLength"),
        (#"{"pinType":"HEX","messageText":"{{pin}}","pinLength":9}"#, "/pinLength"),
        (#"{"pinType":"HEX","messageText":"{{pin}}","language":"xx"}"#, "/language"),
        (#"{"pinType":"HEX","messageText":"{{pin}}","speechRate":2.5}"#, "/speechRate"),
        (#"{"pinType":"HEX","messageText":"{{pin}}","repeatDTMF":"ab"}"#, "/repeatDTMF"),
        (
            #"{"pinType":"HEX","messageText":"{{pin}}","regional":{"indiaDlt":{}}}"#,
            "/regional/indiaDlt/principalEntityId"
        ),
    ])
    func tellsWhere(text: String, path: String) throws {
        #expect(try self.read(text).problems.map(\.path) == [path])
    }

    @Test func aTextThatIsTooLongIsToldWithItsSegments() throws {
        let text = String(repeating: "x", count: 1530 - 4)
        #expect(try self.read(#"{"pinType":"NUMERIC","messageText":"\#(text){{pin}}{{name}}"}"#).problems.isEmpty)
        let problems = try self.read(#"{"pinType":"NUMERIC","messageText":"\#(text)xx{{pin}}"}"#).problems
        #expect(problems.map(\.path) == ["/messageText"])
        #expect(problems.first?.problem.hasPrefix("is 11 segments long") == true)
    }

    @Test func readsEmails() throws {
        var reader = FieldReader()
        let vendor = try JSON(parsing: Array(#"{"emailTemplateId":1234,"from":"a@example.com"}"#.utf8))
        let template = EmailTemplate(vendor, names: .infobip, defaultLength: 4, reader: &reader)
        #expect(template?.contentNumber == 1234)
        #expect(template?.format == CodeFormat(length: 4))
        let own = try JSON(parsing: Array(#"{"subject":"Code","text":"Yours is {{pin}}"}"#.utf8))
        #expect(EmailTemplate(own, names: .own, defaultLength: 6, reader: &reader)?.format.length == 6)
        #expect(reader.problems.isEmpty)
        #expect(EmailTemplate([:], names: .infobip, defaultLength: 4, reader: &reader) == nil)
        #expect(EmailTemplate(["subject": "x"], names: .own, defaultLength: 4, reader: &reader) == nil)
        #expect(reader.problems.map(\.path) == ["/emailTemplateId", "/text"])
    }
}
