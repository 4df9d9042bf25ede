import JSON
import Testing

@Suite struct JSONParsingTests {
    private static func parse(_ text: String) throws(JSONError) -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test(
        arguments: [
            ("null", .null), ("true", true), (" false\r\n\t", false), ("0", 0), ("-0", 0), ("-12", -12),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("1.5", 1.5), ("1.0", .number(1)), ("1e2", .number(100)), ("-1.5E-2", .number(-0.015)),
            ("1e-999", .number(0)),
            ("\"\"", ""), (#""a\"\\\/\b\f\n\r\t\u00e9""#, "a\"\\/\u{8}\u{c}\n\r\té"), (#""\u0000""#, "\0"),
            (#""\ud83d\ude00""#, "😀"), ("\"é😀\u{7f}\"", "é😀\u{7f}"), ("[]", []), ("{}", [:]),
            ("[1,[2],{}]", [1, [2], [:]]),
            (#"{"b":1,"a":2,"":3}"#, ["b": 1, "a": 2, "": 3]),
        ] as [(String, JSON)])
    func readsGoodTexts(text: String, value: JSON) throws {
        #expect(try Self.parse(text) == value)
    }

    @Test func keepsTheOrderOfManyMembers() throws {
        let names = (0..<500).map { "name\($0 * 7919 % 500)" }
        let text = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        #expect(try Self.parse(text).members?.map(\.name) == names)
    }

    @Test(arguments: [
        "", " ", "nul", "Null", "tru e", "01", "+1", "1.", ".5", "1e", "0x1", "NaN", "Infinity", "-", "'a'", "\"a",
        "\"\t\"", "\"\n\"", #""\x""#, #""\u12""#, #""\u12G4""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "[",
        "[1", "[1,]",
        "[,1]", "[1 2]", "{", "{}}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "[1]]", "1 2", "//c\n1",
        "/**/1", "\u{FEFF}1", "1\0", "1\0garbage", "[1\0]", "\0", "\"\0\"", #"{"a\u0000":1}"#,
    ])
    func refusesBadTexts(text: String) {
        #expect(throws: JSONError.self) { try Self.parse(text) }
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF8, 0x88],
            [0x80],
        ] as [[UInt8]])
    func refusesInvalidUTF8InsideAndOutsideStrings(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let inside = #expect(throws: JSONError.self) { try JSON(parsing: [quote] + bytes + [quote]) }
        #expect(inside?.problem == "invalid UTF-8")
        #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "1e999", "-1e400", "[123456789012345678901234567890]",
    ])
    func refusesNumbersItCannotHold(text: String) {
        let error = #expect(throws: JSONError.self) { try Self.parse(text) }
        #expect(error?.problem == "a number is too large")
    }

    @Test func refusesAMemberNamedTwiceAtAnyDepth() {
        for text in [#"{"a":1,"a":1}"#, #"[{"a":{"b":1,"b":2}}]"#, #"{"a":1,"\u0061":2}"#] {
            let error = #expect(throws: JSONError.self) { try Self.parse(text) }
            #expect(error?.problem == "a member is named twice")
        }
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func nestsSixteenDeepAndNoDeeper(open: String, close: String) throws {
        let nested = { (depth: Int) in
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        _ = try Self.parse(nested(16))
        let error = #expect(throws: JSONError.self) { try Self.parse(nested(17)) }
        #expect(error?.problem == "nested deeper than 16")
        #expect(error?.offset == 16 * open.utf8.count + 1)
        #expect(throws: JSONError.self) { try Self.parse(nested(100_000)) }
    }

    @Test func bracketsInStringsAreNoNesting() throws {
        let brackets = String(repeating: "[{", count: 40)
        _ = try Self.parse("[\"\(brackets)\\\"\(brackets)\"]")
    }

    @Test(arguments: [
        ("{\n  \"a\": 1,\n  \"b\": x\n}", 3, 8, 20), ("[\"é\", x]", 1, 7, 8), ("[1,\n2", 2, 1, 5), ("[1] 2", 1, 5, 5),
        ("{\"a\":1,\n\"a\":2}", 2, 3, 11), ("", 1, 1, 0),
    ])
    func tellsWhereTheTextIsWrong(text: String, line: Int, column: Int, offset: Int) {
        let error = #expect(throws: JSONError.self) { try Self.parse(text) }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.offset == offset)
    }

    @Test func tellsWhereNestingIsTooDeep() {
        let text = "[\n\"é[\",\n" + String(repeating: "[", count: 16) + String(repeating: "]", count: 16) + "]"
        let error = #expect(throws: JSONError.self) { try Self.parse(text) }
        #expect(error?.description == "nested deeper than 16 at line 3, column 16")
        #expect(error?.offset == 9 + 16)
    }

    @Test func tellsWhereANULStands() {
        let error = #expect(throws: JSONError.self) { try Self.parse("[\n1,\0 2]") }
        #expect(error?.description == "a NUL where none may stand at line 2, column 3")
        #expect(error?.offset == 5)
    }

    @Test func anErrorQuotesNothingOfTheText() {
        for text in ["{\"secret\": hunter2}", "{\"hunter2\":1,\"hunter2\":1}", "\"hunter2", "hunter2"] {
            let error = #expect(throws: JSONError.self) { try Self.parse(text) }
            #expect(error?.description.contains("hunter2") == false)
        }
    }
}
