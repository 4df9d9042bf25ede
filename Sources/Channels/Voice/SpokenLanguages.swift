/// A provider's codes for the languages that it speaks, and which of them fits a message's best.
///
/// Written as tags of BCP 47 parted by blanks; `zh=cmn-CN` where the provider's code is another one. Of several with the same
/// language, the first stands for those that name no region, or one that is not there.
struct SpokenLanguages: Sendable {
    private let codes: [(tag: String, code: String)]
    /// For languages that the provider does not speak.
    let fallback: String

    /// Nil when the text names none.
    init?(_ text: String, fallback: String) {
        var codes: [(tag: String, code: String)] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let pieces = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard pieces.count == (word.contains("=") ? 2 : 1) else { return nil }
            codes.append((Self.normal(pieces[0]), pieces[pieces.count - 1]))
        }
        guard !codes.isEmpty else { return nil }
        self.init(codes: codes, fallback: fallback)
    }

    /// A list that is part of the program.
    init(builtIn text: StaticString, fallback: String) {
        guard let languages = Self("\(text)", fallback: fallback) else { fatalError("a list of languages is wrong") }
        self = languages
    }

    func with(fallback: String) -> SpokenLanguages { SpokenLanguages(codes: self.codes, fallback: fallback) }

    /// The provider's code for a language by BCP 47, or as providers write such: `en`, `pt-br`, `zh_CN`.
    func code(for language: String) -> String {
        let tag = Self.normal(language)
        let primary = Self.primary(tag)
        return (self.codes.first { $0.tag == tag } ?? self.codes.first { Self.primary($0.tag) == primary })?.code
            ?? self.fallback
    }

    // MARK: - Private

    private init(codes: [(tag: String, code: String)], fallback: String) {
        self.codes = codes
        self.fallback = fallback
    }

    private static func normal(_ tag: String) -> String {
        String(tag.lowercased().map { $0 == "_" ? "-" : $0 })
    }

    private static func primary(_ tag: String) -> Substring { tag.prefix { $0 != "-" } }
}
