public import JSON

extension Template {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case text, email
    }

    public var kind: Kind {
        switch self {
        case .text: .text
        case .email: .email
        }
    }

    /// The template of a kind that `json` describes; with `old`, that one with what `json` names in its place. An `old` of
    /// another kind counts for nothing. Nil when a problem was noted.
    public init?(
        _ json: JSON, kind: Kind, over old: Template? = nil, names: TemplateNames, defaultLength: Int,
        lengths: ClosedRange<Int64> = CodeFormat.lengths, at path: String = "", reader: inout FieldReader
    ) {
        let template: Template? =
            switch kind {
            case .text:
                TextTemplate(
                    json, over: old?.textTemplate, names: names, defaultLength: defaultLength, lengths: lengths,
                    at: path,
                    reader: &reader
                ).map { .text($0) }
            case .email:
                EmailTemplate(
                    json, over: old?.emailTemplate, names: names, defaultLength: defaultLength, lengths: lengths,
                    at: path,
                    reader: &reader
                ).map { .email($0) }
            }
        guard let template else { return nil }
        self = template
    }

    public func members(names: TemplateNames) -> [JSON.Member] {
        switch self {
        case .text(let template): template.members(names: names)
        case .email(let template): template.members(names: names)
        }
    }

    private var textTemplate: TextTemplate? { if case .text(let template) = self { template } else { nil } }
    private var emailTemplate: EmailTemplate? { if case .email(let template) = self { template } else { nil } }
}

extension TemplateNames {
    /// Every field of a kind of template, for refusing others.
    public func all(of kind: Template.Kind) -> Set<String> {
        let fields =
            switch kind {
            case .text:
                [
                    self.alphabet, self.length, self.text, self.sender, self.language, self.voice, self.repeatDTMF,
                    self.speechRate, self.regional ?? self.indiaDLT,
                ]
            case .email:
                [
                    self.alphabet, self.length, self.contentNumber, self.emailSender, self.landingPage, self.subject,
                    self.subject.map { _ in self.text },
                ]
            }
        return Set(fields.compactMap { $0 })
    }
}
