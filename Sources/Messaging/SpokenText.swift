/// How to write for a machine that reads aloud.
public enum SpokenText {
    /// The characters of a code apart, as in `4, 9, 3, 8`: with a pause after each, and not as the number that it looks
    /// like. A comma is a pause in every engine and every language; blanks within the code are left out.
    public static func apart(_ code: String) -> String {
        code.lazy.filter { !$0.isWhitespace }.map(String.init).joined(separator: ", ")
    }
}
