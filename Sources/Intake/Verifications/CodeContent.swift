import JSON
import Messaging
import Store
import Verification

/// What is sent with a code: the template's words with the code and the placeholders in them, in the form of the channel.
enum CodeContent {
    /// Placeholders in one request.
    static let placeholderLimit = 50
    static let placeholderCharacters = 0...500

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
            return .speech(Self.speech(template, code: code, placeholders: placeholders))
        case (.email(let template), .email):
            let words = Self.words(of: template, content: plan.emailContent)
            try Self.checkPlaceholders(placeholders, of: [words.subject, words.text])
            return .mail(Self.mail(words, code: code, placeholders: placeholders))
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
        return TextContent(text, indiaDLT: template.indiaDLT)
    }

    private static func speech(_ template: TextTemplate, code: Code, placeholders: Placeholders) -> Speech {
        Speech(
            template.text.rendered(code: SpokenText.apart(code.text), values: placeholders),
            language: template.language ?? Speech.defaultLanguage, voice: template.voice,
            rate: template.speechRate ?? 1, repeatDTMF: template.repeatDTMF)
    }

    private static func words(of template: EmailTemplate, content: EmailContent?) -> EmailContent {
        guard let subject = template.subject, let text = template.text else { return content ?? .standard }
        return EmailContent(subject: subject, text: text)
    }

    private static func mail(_ words: EmailContent, code: Code, placeholders: Placeholders) -> Mail {
        Mail(
            subject: words.subject.rendered(code: code.text, values: placeholders),
            text: words.text.rendered(code: code.text, values: placeholders))
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
                if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                    self.fail(place, "must not hold control characters")
                }
                placeholders[member.name] = text
            }
        }
        return placeholders
    }
}
