extension Content {
    /// The same for the telephone, should a short message go by a call instead. Nil for a mail.
    public var spoken: Speech? {
        switch self {
        case .text(let content): content.spoken
        case .speech(let speech): speech
        case .mail: nil
        }
    }
}

extension TextContent {
    /// The text read aloud: what looks like a code, digit by digit.
    public var spoken: Speech {
        Speech(SpokenText.codesApart(in: self.text), language: self.language ?? Speech.defaultLanguage)
    }
}
