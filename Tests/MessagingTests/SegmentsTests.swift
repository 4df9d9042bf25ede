import Alphabets
import Testing

@testable import Messaging

@Suite struct SegmentsTests {
    typealias Case = (text: String, alphabet: Segments.Alphabet, count: Int)

    static let cases: [Case] = [
        ("", .gsm7, 1),
        ("Your code is 123456", .gsm7, 1),
        (repeated("a", 160), .gsm7, 1),
        (repeated("a", 161), .gsm7, 2),
        (repeated("a", 306), .gsm7, 2),
        (repeated("a", 307), .gsm7, 3),
        (repeated("a", 459), .gsm7, 3),
        (repeated("a", 460), .gsm7, 4),
        (repeated("a", 612), .gsm7, 4),
        (repeated("a", 613), .gsm7, 5),
        (repeated("€", 80), .gsm7, 1),
        (repeated("€", 81), .gsm7, 2),
        (repeated("ж", 70), .ucs2, 1),
        (repeated("ж", 71), .ucs2, 2),
        (repeated("ж", 134), .ucs2, 2),
        (repeated("ж", 135), .ucs2, 3),
        (repeated("😀", 35), .ucs2, 1),
        (repeated("😀", 36), .ucs2, 2),
    ]

    @Test(arguments: cases) func countsAsTheSpecification(_ example: Case) {
        let segments = Segments(of: example.text)
        #expect(segments.alphabet == example.alphabet)
        #expect(segments.count == example.count)
    }

    @Test func anEscapePairNeverStraddlesTwoParts() {
        // 152 septets and a pair: the pair begins the second part, so 153 more do not fit into two parts.
        #expect(Segments(of: repeated("a", 152) + "€" + repeated("a", 151)).count == 2)
        #expect(Segments(of: repeated("a", 152) + "€" + repeated("a", 152)).count == 3)
        #expect(Segments(of: repeated("a", 151) + "€" + repeated("a", 153)).count == 2)
        // 76 pairs a part, so 153 pairs need three, although 306 septets would fit into two.
        #expect(Segments(of: repeated("€", 152)).count == 2)
        #expect(Segments(of: repeated("€", 153)).count == 3)
    }

    @Test func aSurrogatePairNeverStraddlesTwoParts() {
        #expect(Segments(of: repeated("ж", 66) + "😀" + repeated("ж", 65)).count == 2)
        #expect(Segments(of: repeated("ж", 66) + "😀" + repeated("ж", 66)).count == 3)
        #expect(Segments(of: repeated("😀", 66)).count == 2)
        #expect(Segments(of: repeated("😀", 67)).count == 3)
    }

    @Test func oneForeignCharacterTurnsTheWholeText() {
        #expect(Segments(of: repeated("a", 70) + "ж") == Segments(of: repeated("ж", 71)))
        #expect(Segments(of: repeated("a", 69) + "ж").count == 1)
    }

    @Test(arguments: ["ç", "`", "’", "\u{A0}", "…", "\u{1B}", "\t", "\0", "e\u{301}", "Á", "₭"])
    func lookAlikesAreNotInTheAlphabet(_ text: String) {
        #expect(Segments(of: text).alphabet == .ucs2)
    }

    @Test(arguments: ["Ç", "é", "@", "\n", "\r", "\u{0C}", "[", "]", "{", "}", "\\", "~", "^", "|", "€", "Ω", "¿", "ß"])
    func allOfBothTablesIsInTheAlphabet(_ text: String) {
        #expect(Segments(of: text).alphabet == .gsm7)
    }

    @Test func theTablesHaveAsManyEntriesAsTheSpecification() {
        // 128 places, of which one is the escape.
        #expect(Set(GSMAlphabet.basic.unicodeScalars).count == 127)
        #expect(GSMAlphabet.basic.unicodeScalars.count == 127)
        #expect(GSMAlphabet.extension.unicodeScalars.count == 10)
        #expect(Set(GSMAlphabet.basic.unicodeScalars).isDisjoint(with: GSMAlphabet.extension.unicodeScalars))
    }
}

private func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
