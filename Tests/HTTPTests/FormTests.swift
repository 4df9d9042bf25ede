import HTTP
import Testing

@Suite struct FormTests {
    @Test(
        arguments: [
            ("", []), ("&&", []), ("a=1", ["a:1"]), ("a=1&b=2&a=3", ["a:1", "b:2", "a:3"]), ("a", ["a:"]),
            ("a=", ["a:"]),
            ("=b", [":b"]), ("=", [":"]), ("a=b=c", ["a:b=c"]), ("a+b=c+d%2Be", ["a b:c d+e"]), ("%41=%c3%a9", ["A:é"]),
            ("a=é", ["a:é"]), ("a=%00", ["a:\0"]), ("a;b=1", ["a;b:1"]), ("&a=1&", ["a:1"]), ("a=%26%3D", ["a:&="]),
        ] as [(String, [String])])
    func readsByTheURLStandard(text: String, pairs: [String]) throws {
        let form = try #require(Form(parsing: text))
        #expect(form.pairs.map { "\($0.name):\($0.value)" } == pairs)
        #expect(Form(parsing: Array(text.utf8)) == form)
    }

    @Test(arguments: ["a=%", "a=%4", "a=%4G", "%zz=1", "a=%ff", "a=1&b=%", "a=%ed%a0%80", "a=%c0%80", "a=%-1", "a=%+1"])
    func refusesBrokenEncodings(text: String) {
        #expect(Form(parsing: text) == nil)
    }

    @Test func refusesBytesThatAreNoUTF8() {
        #expect(Form(parsing: [UInt8(ascii: "a"), UInt8(ascii: "="), 0xFF]) == nil)
    }

    @Test func writesWhatItReads() throws {
        let form = Form([("to", "+491512345678"), ("text", "50 % & more = é*-._~"), ("", ""), ("to", "2")])
        let text = "to=%2B491512345678&text=50+%25+%26+more+%3D+%C3%A9*-._%7E&=&to=2"
        #expect(String(decoding: form.serialized(), as: UTF8.self) == text)
        #expect(Form(parsing: text) == form)
    }

    @Test func findsTheFirstValueAndAllValues() throws {
        let form = try #require(Form(parsing: "a=1&A=2&a=3"))
        #expect(form["a"] == "1")
        #expect(form["b"] == nil)
        #expect(form.values("a") == ["1", "3"])
    }

    @Test func everyByteSurvivesARoundTrip() throws {
        let text = String(String.UnicodeScalarView((0...0x17F).map { Unicode.Scalar($0)! }))
        #expect(Form(parsing: Form([(text, text)]).serialized()) == Form([(text, text)]))
        #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
    }

    @Test(
        arguments: [
            ("abc", "abc"), ("a+b", "a+b"), ("a%2Bb%20c", "a+b c"), ("%E2%82%ac", "€"), ("%", nil), ("%2", nil),
            ("%G0", nil), ("%FF", nil), ("", ""),
        ] as [(String, String?)])
    func percentDecodingIsStrict(encoded: String, decoded: String?) {
        #expect(PercentEncoding.decode(encoded) == decoded)
    }

    @Test func percentEncodingLeavesOnlyUnreservedCharacters() {
        #expect(PercentEncoding.encode("aZ09-._~ /?+&=%é") == "aZ09-._~%20%2F%3F%2B%26%3D%25%C3%A9")
    }
}
