import JSON
import Messaging

// What a message says, channel by channel. What could not be read is replaced by nothing, until its problem is told.
extension MessageReader {
    mutating func content(_ json: JSON, on channel: Channel, at path: String) -> (content: Content, parts: Int16) {
        switch channel {
        case .sms:
            let (text, parts) = self.shortText(json, at: path)
            return (.text(TextContent(text)), parts)
        case .voice: return (.speech(self.speech(json, at: path)), 1)
        case .email: return (.mail(self.mail(json, at: path)), 1)
        }
    }

    // MARK: - Private

    private mutating func shortText(_ json: JSON, at path: String) -> (text: String, parts: Int16) {
        guard let text = self.body(json, at: path) else { return ("", 1) }
        guard text.utf8.count <= MessageLimits.bodyBytes else {
            self.fail("\(path)/body", "must be at most \(MessageLimits.segments) segments long")
            return ("", 1)
        }
        let parts = Segments(of: text).count
        if parts > MessageLimits.segments {
            self.fail("\(path)/body", "is \(parts) segments long; at most \(MessageLimits.segments) can be sent")
        }
        return (text, Int16(parts))
    }

    /// Spoken as it was given: what is to be heard digit by digit is written so by whoever knows that it is a code.
    private mutating func speech(_ json: JSON, at path: String) -> Speech {
        let text = self.text(json, "body", characters: MessageLimits.speechCharacters, required: true, at: path)
        let voice = self.text(json, "voice", characters: MessageLimits.voiceCharacters, at: path)
        if let voice, !voice.isOneLine { self.fail("\(path)/voice", "must stand on one line") }
        return Speech(
            text ?? "", language: self.language(json, at: path) ?? Speech.defaultLanguage, voice: voice)
    }

    private mutating func language(_ json: JSON, at path: String) -> String? {
        guard let text = self.string(json, "language", at: path) else { return nil }
        guard MessageLimits.languageCharacters.contains(text.utf8.count), Self.isLanguage(text) else {
            self.fail("\(path)/language", "must be a language as in en, pt-br or zh_cn")
            return nil
        }
        return text
    }

    /// Two or three letters, and subtags of 2 to 8 letters and digits behind hyphens or underscores.
    private static func isLanguage(_ text: String) -> Bool {
        let tags = text.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "_" }
        return (2...3).contains(tags[0].utf8.count) && tags[0].allSatisfy { $0.isASCII && $0.isLetter }
            && tags.dropFirst().allSatisfy { tag in
                (2...8).contains(tag.utf8.count) && tag.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            }
    }

    private mutating func mail(_ json: JSON, at path: String) -> Mail {
        let subject = self.text(
            json, "subject", characters: MessageLimits.subjectCharacters, required: true, at: path)
        if let subject, !subject.isOneLine { self.fail("\(path)/subject", "must stand on one line") }
        let text = self.body(json, at: path) ?? ""
        if text.utf8.count > MessageLimits.mailBytes {
            self.fail("\(path)/body", "must be at most \(MessageLimits.mailBytes) bytes long")
        }
        return Mail(subject: subject ?? "", text: text)
    }

    private mutating func body(_ json: JSON, at path: String) -> String? {
        guard let text = self.string(json, "body", required: true, at: path) else { return nil }
        guard !text.isEmpty else {
            self.fail("\(path)/body", "must not be empty")
            return nil
        }
        return text
    }
}
