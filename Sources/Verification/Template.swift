public import Messaging

/// What is sent with a code.
public enum Template: Sendable, Hashable {
    /// By SMS or voice.
    case text(TextTemplate)
    case email(EmailTemplate)

    public var format: CodeFormat {
        switch self {
        case .text(let template): template.format
        case .email(let template): template.format
        }
    }
}

/// A message for SMS and voice; the fields are the vendor's (dialects.md section 2.3).
public struct TextTemplate: Sendable, Hashable {
    public var format: CodeFormat
    public var text: TextPattern
    public var sender: String?
    /// What a voice speaks: one of ``languages``.
    public var language: String?
    public var voice: String?
    /// How a listener has the code repeated: a key and, as the vendor has it, `#`.
    public var repeatDTMF: String?
    /// Of speech, 0.5 to 2; 1 is natural.
    public var speechRate: Double?
    public var indiaDLT: IndiaDLT?

    /// The vendor's, with `_`; a hyphen in its place is understood, and told back as it was written: each of the vendor's SDKs
    /// understands one of the two only.
    public static let languages: Set<String> = [
        "en", "es", "ca", "da", "nl", "fr", "de", "it", "ja", "ko", "no", "pl", "ru", "sv", "fi", "hr", "sl", "ro",
        "pt_pt", "pt_br", "zh_cn", "zh_tw",
    ]
    public static let speechRates = 0.5...2.0

    public init(format: CodeFormat, text: TextPattern) {
        self.format = format
        self.text = text
    }
}

/// An e-mail. Either the words themselves, or the number of content that the account keeps apart, as the vendor does.
public struct EmailTemplate: Sendable, Hashable {
    public var format: CodeFormat
    /// The vendor's `emailTemplateId`.
    public var contentNumber: Int64?
    public var subject: TextPattern?
    public var text: TextPattern?
    public var sender: String?
    public var landingPage: String?

    public init(format: CodeFormat) { self.format = format }
}

/// The subject and the body of an e-mail with a code.
public struct EmailContent: Sendable, Hashable {
    public var subject: TextPattern
    public var text: TextPattern

    public init(subject: TextPattern, text: TextPattern) {
        self.subject = subject
        self.text = text
    }

    /// For a content number that the account keeps nothing under.
    public static let standard = EmailContent(
        subject: TextPattern("Your verification code"), text: TextPattern("Your verification code is {{pin}}."))
}
