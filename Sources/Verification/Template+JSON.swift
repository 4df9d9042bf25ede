public import JSON
import Messaging

/// What the fields of a template are called in somebody's JSON.
public struct TemplateNames: Sendable {
    public var alphabet: String
    public var length: String
    public var text: String
    public var sender: String
    public var language = "language"
    public var voice: String
    public var repeatDTMF: String
    public var speechRate: String
    public var indiaDLT: String
    /// The object that `indiaDLT` stands in; nil for the template's own.
    public var regional: String?
    public var principalEntityID: String
    public var contentTemplateID: String
    public var teleMarketerID: String
    public var contentNumber: String
    /// Nil where the API has no words of its own for an e-mail.
    public var subject: String?
    public var landingPage: String
    public var emailSender: String

    /// In our own API, in files for `pinpost apply`, and in the database.
    public static let own = TemplateNames(
        alphabet: "code_type", length: "code_length", text: "text", sender: "sender", voice: "voice",
        repeatDTMF: "repeat_dtmf", speechRate: "speech_rate", indiaDLT: "india_dlt", regional: nil,
        principalEntityID: "principal_entity_id", contentTemplateID: "content_template_id",
        teleMarketerID: "tele_marketer_id", contentNumber: "email_content", subject: "subject",
        landingPage: "landing_page", emailSender: "sender")

    /// dialects.md section 2.3.
    public static let infobip = TemplateNames(
        alphabet: "pinType", length: "pinLength", text: "messageText", sender: "senderId", voice: "voiceName",
        repeatDTMF: "repeatDTMF", speechRate: "speechRate", indiaDLT: "indiaDlt", regional: "regional",
        principalEntityID: "principalEntityId", contentTemplateID: "contentTemplateId",
        teleMarketerID: "teleMarketerId", contentNumber: "emailTemplateId", subject: nil,
        landingPage: "landingPageId", emailSender: "from")

    /// Every field of an `IndiaDLT`, for refusing others.
    public var indiaDLTFields: Set<String> { [self.principalEntityID, self.contentTemplateID, self.teleMarketerID] }
}

/// What a template may be. Each limit is told to whoever passes it.
public enum TemplateLimits {
    /// Of a text with its marks.
    public static let textCharacters = 1...4000
    /// Of a text as it is sent by SMS; providers take between 6 and 25.
    public static let segments = 10
    public static let senderCharacters = 1...15
    public static let voiceCharacters = 1...64
    public static let subjectCharacters = 1...200
    public static let emailCharacters = 1...16_000
    public static let landingPageCharacters = 1...255
    /// Of a principal entity's and a content template's id.
    public static let entityCharacters = 1...30
    public static let teleMarketerCharacters = 1...255
    public static let contentNumbers: ClosedRange<Int64> = 1...Int64.max
}

extension TextTemplate {
    /// The template that `json` describes; with `old`, that one with what `json` names in its place. Nil when a problem was
    /// noted.
    public init?(
        _ json: JSON, over old: TextTemplate? = nil, names: TemplateNames, defaultLength: Int,
        lengths: ClosedRange<Int64> = CodeFormat.lengths, at path: String = "", reader: inout FieldReader
    ) {
        let before = reader.problems.count
        let isNew = old == nil
        let format = reader.format(
            json, over: old?.format, names: names, defaultLength: defaultLength, lengths: lengths,
            alphabetRequired: isNew, at: path)
        let text = reader.pattern(
            json, names.text, characters: TemplateLimits.textCharacters, required: isNew, needsCode: true, at: path)
        self.init(format: format, text: text ?? old?.text ?? TextPattern(""))
        self.sender = reader.sender(json, names.sender, at: path) ?? old?.sender
        self.language =
            reader.parsed(
                json, names.language, expected: "one of \(Self.languages.sorted().joined(separator: ", "))", at: path
            ) { Self.language($0) } ?? old?.language
        self.voice =
            reader.string(json, names.voice, characters: TemplateLimits.voiceCharacters, at: path) ?? old?.voice
        if self.voice?.isOneLine == false { reader.fail("\(path)/\(names.voice)", "must stand on one line") }
        self.repeatDTMF =
            reader.parsed(
                json, names.repeatDTMF, expected: "a key, 0 to 9, * or #, and perhaps a #, as in 1#", at: path
            ) { Self.isRepeat($0) ? $0 : nil } ?? old?.repeatDTMF
        self.speechRate =
            reader.number(json, names.speechRate, in: Self.speechRates, at: path) ?? old?.speechRate
        self.indiaDLT = reader.indiaDLT(json, names: names, at: path) ?? old?.indiaDLT
        self.checkLength(names, at: path, reader: &reader)
        guard reader.problems.count == before else { return nil }
    }

    public func members(names: TemplateNames) -> [JSON.Member] {
        var members = self.format.members(names: names)
        members.append(.init(names.text, .string(self.text.text)))
        if let sender { members.append(.init(names.sender, .string(sender))) }
        if let language { members.append(.init(names.language, .string(language))) }
        if let voice { members.append(.init(names.voice, .string(voice))) }
        if let repeatDTMF { members.append(.init(names.repeatDTMF, .string(repeatDTMF))) }
        if let speechRate { members.append(.init(names.speechRate, .number(speechRate))) }
        if let indiaDLT {
            let value = JSON.object(indiaDLT.members(names: names))
            let member = JSON.Member(names.indiaDLT, value)
            members.append(names.regional.map { .init($0, .object([member])) } ?? member)
        }
        return members
    }

    /// Placeholders only make it longer; with them it is counted again when it is sent.
    private func checkLength(_ names: TemplateNames, at path: String, reader: inout FieldReader) {
        let blank = Dictionary(self.text.placeholders.map { ($0, "") }) { $1 }
        let code = String(repeating: "0", count: self.format.length)
        let segments = Segments(of: self.text.rendered(code: code, values: blank)).count
        if segments > TemplateLimits.segments {
            reader.fail(
                "\(path)/\(names.text)",
                "is \(segments) segments long even without its placeholders; "
                    + "at most \(TemplateLimits.segments) can be sent")
        }
    }

    private static func language(_ text: String) -> String? {
        let language = text.lowercased()
        return Self.languages.contains(String(language.map { $0 == "-" ? "_" : $0 })) ? language : nil
    }

    private static func isRepeat(_ text: String) -> Bool {
        let keys = Set("0123456789*#")
        return (1...2).contains(text.count) && keys.contains(text.first ?? " ") && (text.count == 1 || text.last == "#")
    }
}

extension EmailTemplate {
    /// As ``TextTemplate/init(_:over:names:defaultLength:lengths:at:reader:)``.
    public init?(
        _ json: JSON, over old: EmailTemplate? = nil, names: TemplateNames, defaultLength: Int,
        lengths: ClosedRange<Int64> = CodeFormat.lengths, at path: String = "", reader: inout FieldReader
    ) {
        let before = reader.problems.count
        self.init(
            format: reader.format(
                json, over: old?.format, names: names, defaultLength: defaultLength, lengths: lengths,
                alphabetRequired: false, at: path))
        self.contentNumber =
            reader.integer(
                json, names.contentNumber, in: TemplateLimits.contentNumbers,
                required: old == nil && names.subject == nil, at: path) ?? old?.contentNumber
        self.sender =
            reader.parsed(
                json, names.emailSender, expected: "a mail address, or a name and an address in angle brackets",
                at: path
            ) { Mailbox($0) == nil ? nil : $0 } ?? old?.sender
        self.landingPage =
            reader.string(json, names.landingPage, characters: TemplateLimits.landingPageCharacters, at: path)
            ?? old?.landingPage
        if let name = names.subject {
            self.readWords(json, subject: name, text: names.text, over: old, at: path, reader: &reader)
        }
        guard reader.problems.count == before else { return nil }
    }

    private mutating func readWords(
        _ json: JSON, subject: String, text: String, over old: EmailTemplate?, at path: String,
        reader: inout FieldReader
    ) {
        let needed = self.contentNumber == nil && old == nil
        self.subject =
            reader.pattern(
                json, subject, characters: TemplateLimits.subjectCharacters, required: needed, needsCode: false,
                at: path)
            ?? old?.subject
        self.text =
            reader.pattern(
                json, text, characters: TemplateLimits.emailCharacters, required: needed, needsCode: true, at: path)
            ?? old?.text
        if old == nil, !needed, (self.subject == nil) != (self.text == nil) {
            reader.fail(
                "\(path)/\(self.subject == nil ? subject : text)",
                "is required beside \(self.subject == nil ? text : subject)")
        }
        if self.subject?.text.contains(where: \.isNewline) == true {
            reader.fail("\(path)/\(subject)", "must be one line")
        }
    }

    public func members(names: TemplateNames) -> [JSON.Member] {
        var members = self.format.members(names: names)
        if let contentNumber { members.append(.init(names.contentNumber, .integer(contentNumber))) }
        if let name = names.subject, let subject { members.append(.init(name, .string(subject.text))) }
        if names.subject != nil, let text { members.append(.init(names.text, .string(text.text))) }
        if let sender { members.append(.init(names.emailSender, .string(sender))) }
        if let landingPage { members.append(.init(names.landingPage, .string(landingPage))) }
        return members
    }
}

extension CodeFormat {
    fileprivate func members(names: TemplateNames) -> [JSON.Member] {
        [.init(names.alphabet, .string(self.alphabet.rawValue)), .init(names.length, .integer(Int64(self.length)))]
    }
}

extension IndiaDLT {
    fileprivate func members(names: TemplateNames) -> [JSON.Member] {
        var members: [JSON.Member] = [.init(names.principalEntityID, .string(self.principalEntityID))]
        if let contentTemplateID { members.append(.init(names.contentTemplateID, .string(contentTemplateID))) }
        if let teleMarketerID { members.append(.init(names.teleMarketerID, .string(teleMarketerID))) }
        return members
    }
}

extension FieldReader {
    fileprivate mutating func format(
        _ json: JSON, over old: CodeFormat?, names: TemplateNames, defaultLength: Int, lengths: ClosedRange<Int64>,
        alphabetRequired: Bool, at path: String
    ) -> CodeFormat {
        let known = CodeFormat.Alphabet.allCases.map(\.rawValue).joined(separator: ", ")
        let alphabet = self.parsed(
            json, names.alphabet, expected: "one of \(known)", required: alphabetRequired && names.subject == nil,
            at: path, CodeFormat.Alphabet.init)
        let length = self.integer(json, names.length, in: lengths, at: path)
        return CodeFormat(
            alphabet: alphabet ?? old?.alphabet ?? .numeric,
            length: length.map(Int.init) ?? old?.length ?? defaultLength)
    }

    fileprivate mutating func pattern(
        _ json: JSON, _ name: String, characters: ClosedRange<Int>, required: Bool, needsCode: Bool, at path: String
    ) -> TextPattern? {
        guard let text = self.string(json, name, characters: characters, required: required, at: path) else {
            return nil
        }
        let pattern = TextPattern(text)
        if needsCode, !pattern.hasCode { self.fail("\(path)/\(name)", "must contain {{pin}}") }
        return pattern
    }

    fileprivate mutating func sender(_ json: JSON, _ name: String, at path: String) -> String? {
        let sender = self.string(json, name, characters: TemplateLimits.senderCharacters, at: path)
        if let sender, !sender.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            self.fail("\(path)/\(name)", "may hold printable ASCII characters only")
        }
        return sender
    }

    fileprivate mutating func indiaDLT(
        _ json: JSON, names: TemplateNames, at path: String
    ) -> IndiaDLT? {
        var json = json
        var path = path
        if let regional = names.regional {
            guard let value = self.value(json, regional, at: path) else { return nil }
            path += "/\(regional)"
            guard self.isObject(value, at: path) else { return nil }
            json = value
        }
        guard let value = self.value(json, names.indiaDLT, at: path) else { return nil }
        path += "/\(names.indiaDLT)"
        guard self.isObject(value, at: path) else { return nil }
        let entity = self.string(
            value, names.principalEntityID, characters: TemplateLimits.entityCharacters, required: true, at: path)
        let content = self.string(value, names.contentTemplateID, characters: TemplateLimits.entityCharacters, at: path)
        let teleMarketer = self.string(
            value, names.teleMarketerID, characters: TemplateLimits.teleMarketerCharacters, at: path)
        return entity.map { IndiaDLT(principalEntityID: $0, contentTemplateID: content, teleMarketerID: teleMarketer) }
    }
}
