import Testing

@testable import Alphabets

@Suite struct TextCodingTests {
    @Test(
        arguments: [
            ("@£Hi", [0x00, 0x01, 0x48, 0x69]), ("€{", [0x1B, 0x65, 0x1B, 0x28]), ("§à\n", [0x5F, 0x7F, 0x0A]),
            ("¡¿", [0x40, 0x60]),
        ] as [(String, [UInt8])])
    func gsmIsOneSeptetAnOctet(_ text: String, _ octets: [UInt8]) {
        #expect(TextCoding.gsm7.encode(text) == octets)
        #expect(TextCoding.gsm7.decode(octets) == text)
    }

    @Test func everyCharacterOfTheAlphabetComesBack() {
        let all = GSMAlphabet.basic + GSMAlphabet.extension
        #expect(TextCoding.gsm7.encode(all).map { TextCoding.gsm7.decode($0) } == all)
    }

    @Test func whatACodingLacksIsNotEncoded() {
        #expect(TextCoding.gsm7.encode("ç") == nil)
        #expect(TextCoding.latin1.encode("€") == nil)
        #expect(TextCoding.latin1.encode("çé") == [0xE7, 0xE9])
        #expect(TextCoding.ucs2.encode("я😀") == [0x04, 0x4F, 0xD8, 0x3D, 0xDE, 0x00])
    }

    @Test func whatIsNoTextIsReadAllTheSame() {
        #expect(TextCoding.gsm7.decode([0x80, 0x1B, 0x41, 0x1B]) == "\u{FFFD}A")
        #expect(TextCoding.ucs2.decode([0x00, 0x41, 0x42]) == "A\u{FFFD}")
        #expect(TextCoding.ucs2.decode([0xD8, 0x3D]) == "\u{FFFD}")
        #expect(TextCoding.ucs2.decode([]) == "")
    }

    @Test func aCutGoesThroughNoCharacter() {
        #expect(Cuts.ranges(of: [1, 1, 1], single: 3, part: 2) == [0..<3])
        #expect(Cuts.ranges(of: [1, 2, 1], single: 3, part: 2) == [0..<1, 1..<2, 2..<3])
        #expect(Cuts.ranges(of: [], single: 3, part: 2) == [0..<0])
    }
}
