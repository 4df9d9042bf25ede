import JSON

// What is sealed into `messages.body`. A plain text, which most messages are, is its own UTF-8 and nothing else; so it was
// before there were other channels, so rows of that time open too, and no JSON is written or read for it. All else is a
// NUL and then JSON: a text that begins with NUL travels as JSON itself, so the two cannot be mixed up.
extension Content {
    /// The bytes to seal.
    public var encoded: [UInt8] {
        if case .text(let content) = self, content.indiaDLT == nil, content.language == nil,
            content.text.utf8.first != Self.mark
        {
            return Array(content.text.utf8)
        }
        var bytes = [Self.mark]
        self.json.write(into: &bytes)
        return bytes
    }

    /// Reads what ``encoded`` wrote for a message on `channel`; nil for anything else.
    public init?(decoding bytes: [UInt8], channel: Channel) {
        guard bytes.first == Self.mark else {
            guard channel == .sms else { return nil }
            self = .text(TextContent(String(decoding: bytes, as: UTF8.self)))
            return
        }
        guard let json = try? JSON(parsing: Array(bytes.dropFirst())), let text = json["text"]?.string else {
            return nil
        }
        switch channel {
        case .sms:
            self = .text(
                TextContent(text, indiaDLT: IndiaDLT(json["india_dlt"]), language: json["language"]?.string))
        case .voice:
            guard let speech = Speech(json, text: text) else { return nil }
            self = .speech(speech)
        case .email:
            guard let subject = json["subject"]?.string else { return nil }
            self = .mail(Mail(subject: subject, text: text))
        }
    }

    // MARK: - Private

    private static let mark: UInt8 = 0

    private var json: JSON {
        switch self {
        case .text(let content):
            .present([
                ("text", .string(content.text)), ("india_dlt", content.indiaDLT?.json),
                ("language", content.language.map { .string($0) }),
            ])
        case .speech(let speech):
            .present([
                ("text", .string(speech.text)), ("language", .string(speech.language)),
                ("voice", speech.voice.map { .string($0) }), ("rate", .number(speech.rate)),
                ("repeat", speech.repeatDTMF.map { .string($0) }),
            ])
        case .mail(let mail): ["subject": .string(mail.subject), "text": .string(mail.text)]
        }
    }
}

extension IndiaDLT {
    fileprivate init?(_ json: JSON?) {
        guard let entity = json?["principal_entity_id"]?.string else { return nil }
        self.init(
            principalEntityID: entity, contentTemplateID: json?["content_template_id"]?.string,
            teleMarketerID: json?["telemarketer_id"]?.string)
    }

    fileprivate var json: JSON {
        .present([
            ("principal_entity_id", .string(self.principalEntityID)),
            ("content_template_id", self.contentTemplateID.map { .string($0) }),
            ("telemarketer_id", self.teleMarketerID.map { .string($0) }),
        ])
    }
}

extension Speech {
    fileprivate init?(_ json: JSON, text: String) {
        guard let language = json["language"]?.string, case .number(let rate)? = json["rate"] else { return nil }
        self.init(
            text, language: language, voice: json["voice"]?.string, rate: rate, repeatDTMF: json["repeat"]?.string)
    }
}

extension JSON {
    /// An object of those members that have a value.
    fileprivate static func present(_ members: [(name: String, value: JSON?)]) -> JSON {
        .object(members.compactMap { member in member.value.map { Member(member.name, $0) } })
    }
}
