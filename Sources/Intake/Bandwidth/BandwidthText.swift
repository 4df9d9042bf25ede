/// A text with the vendor's marks: `{CODE}`, which it must have, `{NAME}` and `{SCOPE}`.
struct BandwidthText {
    var text: String

    /// What customers get who know no other: the first of the vendor's versions let nobody choose.
    static let standard = BandwidthText(text: "Your temporary {NAME} {SCOPE} code is {CODE}")

    private static let codeMark = "{CODE}"

    var hasCode: Bool { self.text.contains(Self.codeMark) }

    /// The text with the values in the places of their marks. A value is put in as it is and not read for marks again.
    func rendered(code: String, name: String, scope: String) -> String {
        let values = [(Self.codeMark, code), ("{NAME}", name), ("{SCOPE}", scope)]
        var rendered = ""
        var rest = self.text[...]
        while let brace = rest.firstIndex(of: "{") {
            rendered += rest[..<brace]
            rest = rest[brace...]
            if let (mark, value) = values.first(where: { rest.hasPrefix($0.0) }) {
                rendered += value
                rest = rest.dropFirst(mark.count)
            } else {
                rendered.append(rest.removeFirst())
            }
        }
        return rendered + rest
    }
}
