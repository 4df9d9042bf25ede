/// What a message says, in the form of its channel. Never logged, so it prints its channel only.
public enum Content: Sendable, Hashable {
    case text(TextContent)
    case speech(Speech)
    case mail(Mail)

    public var channel: Channel {
        switch self {
        case .text: .sms
        case .speech: .voice
        case .mail: .email
        }
    }

    /// What the recipient reads or hears.
    public var body: String {
        switch self {
        case .text(let content): content.text
        case .speech(let speech): speech.text
        case .mail(let mail): mail.text
        }
    }
}

/// A short message.
public struct TextContent: Sendable, Hashable {
    public var text: String
    public var indiaDLT: IndiaDLT?
    /// In which it would be read aloud, should it go by a call instead; a tag as in BCP 47. Nil: ``Speech/defaultLanguage``.
    public var language: String?

    public init(_ text: String, indiaDLT: IndiaDLT? = nil, language: String? = nil) {
        self.text = text
        self.indiaDLT = indiaDLT
        self.language = language
    }
}

/// What a short message to India names of the register of senders and texts there (DLT).
public struct IndiaDLT: Sendable, Hashable {
    public var principalEntityID: String
    public var contentTemplateID: String?
    public var teleMarketerID: String?

    public init(principalEntityID: String, contentTemplateID: String? = nil, teleMarketerID: String? = nil) {
        self.principalEntityID = principalEntityID
        self.contentTemplateID = contentTemplateID
        self.teleMarketerID = teleMarketerID
    }
}

/// A text that a machine speaks on the telephone.
public struct Speech: Sendable, Hashable {
    public var text: String
    /// A tag as in BCP 47, or a provider's own code: `en`, `pt-br`, `zh_cn`.
    public var language: String
    /// A provider's name for a voice; nil for any that speaks the language.
    public var voice: String?
    /// 1 is the voice's own pace; one of ``rates``.
    public let rate: Double
    /// The keys that make it begin again, as in `1#`; nil when none does.
    public var repeatDTMF: String?

    public static let rates = 0.5...2.0
    public static let defaultLanguage = "en"

    /// A `rate` beyond ``rates`` is brought to their nearer end.
    public init(
        _ text: String, language: String = Self.defaultLanguage, voice: String? = nil, rate: Double = 1,
        repeatDTMF: String? = nil
    ) {
        self.text = text
        self.language = language
        self.voice = voice
        self.rate = min(max(rate, Self.rates.lowerBound), Self.rates.upperBound)
        self.repeatDTMF = repeatDTMF
    }
}

/// A mail in plain text.
public struct Mail: Sendable, Hashable {
    /// On one line.
    public var subject: String
    public var text: String

    public init(subject: String, text: String) {
        self.subject = subject
        self.text = text
    }
}

extension Content: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "content for \(self.channel.rawValue)" }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["channel": self.channel]) }
}

extension TextContent: CustomStringConvertible, CustomReflectable {
    public var description: String { "text" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Speech: CustomStringConvertible, CustomReflectable {
    public var description: String { "speech" }
    public var customMirror: Mirror { Mirror(self, children: ["language": self.language]) }
}

extension Mail: CustomStringConvertible, CustomReflectable {
    public var description: String { "mail" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
