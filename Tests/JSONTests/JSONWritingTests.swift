import JSON
import Testing

@Suite struct JSONWritingTests {
    @Test(
        arguments: [
            (.null, "null"), (true, "true"), (.integer(.min), "-9223372036854775808"), (1.5, "1.5"),
            (.number(100), "100.0"),
            (.number(.infinity), "null"), (.number(.nan), "null"), ("", "\"\""),
            ("a\"\\/\u{8}\n\r\t\u{1}\u{1f}\0", #""a\"\\/\u0008\n\r\t\u0001\u001f\u0000""#),
            ("é😀\u{7f}\u{2028}", "\"é😀\u{7f}\u{2028}\""), ([], "[]"), ([1, [true], [:]], "[1,[true],{}]"),
            (["b": 1, "a\"": .null], #"{"b":1,"a\"":null}"#),
        ] as [(JSON, String)])
    func writesCompactText(value: JSON, text: String) {
        #expect(value.text == text)
        #expect(value.serialized() == Array(text.utf8))
    }

    @Test(
        arguments: [
            0.1, -0.0, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e16, 123_456_789.123_456_78, 1 / 3,
        ] as [Double])
    func numbersSurviveARoundTrip(number: Double) throws {
        #expect(try JSON(parsing: JSON.number(number).serialized()) == .number(number))
    }

    @Test func everyCharacterSurvivesARoundTrip() throws {
        let scalars = (0...0x10FFFF).lazy.filter { $0 % 61 == 0 || $0 < 0x300 }.compactMap(Unicode.Scalar.init)
        let value = JSON.string(String(String.UnicodeScalarView(scalars)))
        #expect(try JSON(parsing: value.serialized()) == value)
    }

    @Test func readsMembersAndElements() {
        let value: JSON = ["a": [1, "x", true, nil], "b": 2.5]
        #expect(value["a"]?[0]?.integer == 1)
        #expect(value["a"]?[1]?.string == "x")
        #expect(value["a"]?[2]?.bool == true)
        #expect(value["a"]?[3]?.isNull == true)
        #expect(value["a"]?[4] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["c"] == nil)
        #expect(value[0] == nil)
        #expect(value["b"]?.integer == nil)
        #expect(value["a"]?.kind == "an array")
    }
}
