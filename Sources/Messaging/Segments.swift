import Alphabets

/// How many short messages a text becomes: what is paid for, and what rates are counted in.
///
/// A text whose every character stands in the GSM alphabet (3GPP TS 23.038) travels in septets, any other as a whole in
/// UTF-16. One that does not fit into one message is cut into parts, each of which gives six octets to the header that
/// joins them. Nothing is transliterated and no national table is used; what a provider changes on its side may change
/// the count, so the provider's own count decides the bill.
public struct Segments: Sendable, Hashable {
    public enum Alphabet: Sendable, Hashable {
        /// Seven bits a character, fourteen for the ten of the extension table.
        case gsm7
        /// UTF-16: two octets a character, four for those beyond the basic plane.
        case ucs2
    }

    public let alphabet: Alphabet
    /// Parts, at least 1: even an empty text is a message.
    public let count: Int

    public init(of text: String) {
        if let septets = Self.septets(of: text) {
            self.alphabet = .gsm7
            self.count = Cuts.ranges(of: septets, single: 160, part: 153).count
        } else {
            self.alphabet = .ucs2
            // Scalars and not code units: a surrogate pair torn in two would arrive as two question marks.
            let widths = text.unicodeScalars.map { UTF16.width($0) }
            self.count = Cuts.ranges(of: widths, single: 70, part: 67).count
        }
    }

    // MARK: - Private

    /// The width of each character; nil when one is not in the alphabet.
    private static func septets(of text: String) -> [Int]? {
        var widths: [Int] = []
        widths.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let width = GSMAlphabet.septets(of: scalar) else { return nil }
            widths.append(width)
        }
        return widths
    }
}
