/// How to write for a machine that reads aloud.
public enum SpokenText {
    /// The characters of a code apart, as in `4, 9, 3, 8`: with a pause after each, and not as the number that it looks
    /// like. A comma is a pause in every engine and every language; blanks within the code are left out.
    public static func apart(_ code: String) -> String {
        code.lazy.filter { !$0.isWhitespace }.map(String.init).joined(separator: ", ")
    }

    /// The text with each run of ``codeLengths`` digits apart. Shorter ones are numbers and longer ones telephone numbers,
    /// which machines read as such. A digit is one of any script.
    public static func codesApart(in text: String) -> String {
        var spoken = ""
        var run = ""
        for character in text {
            if Self.isDigit(character) {
                run.append(character)
            } else {
                spoken += Self.written(run)
                run = ""
                spoken.append(character)
            }
        }
        return spoken + Self.written(run)
    }

    static let codeLengths = 4...10

    // MARK: - Private

    private static func written(_ run: String) -> String {
        self.codeLengths.contains(run.count) ? self.apart(run) : run
    }

    private static func isDigit(_ character: Character) -> Bool {
        character.unicodeScalars.first?.properties.generalCategory == .decimalNumber
    }
}
