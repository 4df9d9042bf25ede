import JSON
import Messaging
import Store
import Verification

/// What is sent with a code: the template's words with the code and the placeholders in them, in the form of the channel.
enum CodeContent {
    /// Placeholders in one request.
    static let placeholderLimit = 50
    static let placeholderCharacters = 0...500
    /// Of what is spoken with a code; two minutes or so.
    static let speechCharacters = 2000
    /// Of the text of a mail with a code.
    static let mailBytes = 64 << 10

    /// Throws what is wrong with the placeholders, or that the text becomes too long.
    static func make(
        _ plan: SendingPlan, code: Code, channel: Channel, placeholders: Placeholders
    ) throws(VerifierRefusal) -> Content {
        switch (plan.template.template, channel) {
        case (.text(let template), .sms):
            try Self.checkPlaceholders(placeholders, of: [template.text])
            return .text(try Self.text(template, code: code, placeholders: placeholders))
        case (.text(let template), .voice):
            try Self.checkPlaceholders(placeholders, of: [template.text])
            return .speech(try Self.speech(template, code: code, placeholders: placeholders))
        case (.email(let template), .email):
            let words = Self.words(of: template, content: plan.emailContent)
            try Self.checkPlaceholders(placeholders, of: [words.subject, words.text])
            return .mail(try Self.mail(words, code: code, placeholders: placeholders))
        default: throw .wrongTemplate
        }
    }

    static func sender(of plan: SendingPlan) -> String? {
        switch plan.template.template {
        case .text(let template): template.sender
        case .email(let template): template.sender
        }
    }

    // MARK: - Private

    private static func text(
        _ template: TextTemplate, code: Code, placeholders: Placeholders
    ) throws(VerifierRefusal) -> TextContent {
        let text = template.text.rendered(code: code.text, values: placeholders)
        let segments = Segments(of: text).count
        guard segments <= MessageLimits.segments else {
            let limit = MessageLimits.segments
            throw .invalid([
                .init("/placeholders", "make the text \(segments) segments long; at most \(limit) can be sent")
            ])
        }
        return TextContent(text, indiaDLT: template.indiaDLT, language: template.language)
    }

    private static func speech(
        _ template: TextTemplate, code: Code, placeholders: Placeholders
    ) throws(VerifierRefusal) -> Speech {
        let text = template.text.rendered(code: SpokenText.apart(code.text), values: placeholders)
        guard text.unicodeScalars.count <= Self.speechCharacters else {
            throw Self.tooLong("more than \(Self.speechCharacters) characters")
        }
        return Speech(
            text, language: template.language ?? Speech.defaultLanguage, voice: template.voice,
            rate: template.speechRate ?? 1, repeatDTMF: template.repeatDTMF)
    }

    private static func words(of template: EmailTemplate, content: EmailContent?) -> EmailContent {
        guard let subject = template.subject, let text = template.text else { return content ?? .standard }
        return EmailContent(subject: subject, text: text)
    }

    private static func mail(
        _ words: EmailContent, code: Code, placeholders: Placeholders
    ) throws(VerifierRefusal) -> Mail {
        let subject = words.subject.rendered(code: code.text, values: placeholders)
        let text = words.text.rendered(code: code.text, values: placeholders)
        let limit = TemplateLimits.subjectCharacters.upperBound
        guard subject.unicodeScalars.count <= limit else {
            throw Self.tooLong("a subject of more than \(limit) characters")
        }
        guard text.utf8.count <= Self.mailBytes else { throw Self.tooLong("more than \(Self.mailBytes) bytes") }
        return Mail(subject: subject, text: text)
    }

    private static func tooLong(_ what: String) -> VerifierRefusal {
        .invalid([.init("/placeholders", "make the text too long: \(what)")])
    }

    private static func checkPlaceholders(
        _ placeholders: Placeholders, of patterns: [TextPattern]
    ) throws(VerifierRefusal) {
        let missing = patterns.flatMap(\.placeholders).filter { placeholders[$0] == nil }
        guard missing.isEmpty else {
            throw .invalid(Set(missing).sorted().map { .init("/placeholders/\($0)", "is required by the template") })
        }
    }
}

extension FieldReader {
    /// The values of a template's marks; the code's own name is none.
    ///
    /// Control characters are refused: a value could begin a line of its own, and with it a header of a mail or the last line
    /// that binds a code to a site.
    mutating func placeholders(_ json: JSON, _ name: String = "placeholders", at path: String = "") -> Placeholders? {
        guard let value = self.value(json, name, at: path) else { return nil }
        let path = "\(path)/\(name)"
        guard let members = value.members else {
            self.fail(path, "must be an object, not \(value.kind)")
            return nil
        }
        if members.count > CodeContent.placeholderLimit {
            self.fail(path, "may have at most \(CodeContent.placeholderLimit) members")
            return nil
        }
        var placeholders: Placeholders = [:]
        for member in members where !member.value.isNull {
            let place = "\(path)/\(Self.escaped(member.name))"
            if member.name == TextPattern.codeName {
                self.fail(place, "is the code's own name")
            } else if !TextPattern.isName(member.name) {
                self.fail(place, "must be named with 1 to 64 letters, digits, and the characters - _ .")
            } else if let text = self.string(
                value, member.name, characters: CodeContent.placeholderCharacters, at: path)
            {
                if text.unicodeScalars.contains(where: Self.isControl) {
                    self.fail(place, "must not hold control characters or line ends")
                }
                placeholders[member.name] = text
            }
        }
        return placeholders
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
    }
}
