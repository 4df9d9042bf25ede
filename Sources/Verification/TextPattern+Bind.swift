/// Texts with marks as Bind has them (dialects.md section 1.3): `${name}`, and `${code}` for the code.
///
/// Each of the two grammars has one name of its own for the code, and a mark of the other's name is a placeholder like any. So
/// the two names change places: Bind's `${pin}` is our `{{code}}`.
extension TextPattern {
    private static let bindCodeName = "code"

    /// Nil when the text has marks in our own grammar, which Bind's has no way to write.
    public init?(bindText text: String) {
        let own = TextPattern(text)
        guard !own.hasCode, own.placeholders.isEmpty else { return nil }
        var translated = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            translated += rest[..<dollar]
            rest = rest[dollar...]
            if let (name, end) = Self.bindMark(at: rest) {
                translated += "{{\(Self.exchanged(name))}}"
                rest = rest[end...]
            } else {
                translated.append(rest.removeFirst())
            }
        }
        self.init(translated + rest)
    }

    /// The text with its marks as Bind has them.
    public var bindText: String {
        let marks = Dictionary(self.placeholders.map { ($0, "${\(Self.exchanged($0))}") }) { first, _ in first }
        return self.rendered(code: "${\(Self.bindCodeName)}", values: marks)
    }

    /// What the placeholder is called here that a parameter of Bind's is the value of. Nil for the code's own name, and for
    /// what no mark can be called.
    public static func placeholder(ofBindParameter name: String) -> String? {
        self.isName(name) && name != self.bindCodeName ? self.exchanged(name) : nil
    }

    // MARK: - Private

    private static func exchanged(_ name: String) -> String {
        switch name {
        case self.bindCodeName: self.codeName
        case self.codeName: self.bindCodeName
        default: name
        }
    }

    /// The name of the mark that `text` begins with, and where the mark ends.
    private static func bindMark(at text: Substring) -> (name: String, end: String.Index)? {
        guard text.hasPrefix("${"), let close = text.firstIndex(of: "}") else { return nil }
        let name = String(text[..<close].dropFirst(2))
        return self.isName(name) ? (name, text.index(after: close)) : nil
    }
}
