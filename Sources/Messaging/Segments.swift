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
            self.count = Self.count(of: septets, single: 160, part: 153)
        } else {
            self.alphabet = .ucs2
            // Scalars and not code units: a surrogate pair torn in two would arrive as two question marks.
            self.count = Self.count(of: text.unicodeScalars.map { UTF16.width($0) }, single: 70, part: 67)
        }
    }

    // MARK: - Private

    /// How many parts hold characters of these widths. A character stands in one part whole, so a part may end short.
    private static func count(of widths: [Int], single: Int, part: Int) -> Int {
        guard widths.reduce(0, +) > single else { return 1 }
        var parts = 1
        var used = 0
        for width in widths {
            if used + width > part {
                parts += 1
                used = 0
            }
            used += width
        }
        return parts
    }

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

/// The default alphabet of 3GPP TS 23.038 section 6.2.1 with its extension table.
///
/// Two well-known traps: the lower-case `ç` and the backtick are in neither table, although some libraries think so.
enum GSMAlphabet {
    /// Row by row from 0x00. The escape, 0x1B, is no character and so is left out.
    static let basic = """
        @£$¥èéùìòÇ\nØø\rÅå\
        Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ\
         !"#¤%&'()*+,-./\
        0123456789:;<=>?\
        ¡ABCDEFGHIJKLMNO\
        PQRSTUVWXYZÄÖÑÜ§\
        ¿abcdefghijklmno\
        pqrstuvwxyzäöñüà
        """

    /// Reached by the escape, so each costs two septets.
    static let `extension` = "\u{0C}^{}\\[~]|€"

    /// 1 or 2; nil when the alphabet lacks the character.
    static func septets(of scalar: Unicode.Scalar) -> Int? {
        let index = Int(scalar.value)
        guard index < Self.widths.count, Self.widths[index] > 0 else { return nil }
        return Int(Self.widths[index])
    }

    /// By scalar value, up to the greatest that the alphabet has, which is the euro sign; 0 for what it lacks.
    private static let widths: [UInt8] = {
        var widths = [UInt8](repeating: 0, count: 0x20AD)
        for scalar in Self.basic.unicodeScalars { widths[Int(scalar.value)] = 1 }
        for scalar in Self.extension.unicodeScalars { widths[Int(scalar.value)] = 2 }
        return widths
    }()
}
