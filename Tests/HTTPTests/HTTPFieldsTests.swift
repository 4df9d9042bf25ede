import HTTP
import Testing

@Suite struct HTTPFieldsTests {
    @Test func namesAreFoundInAnyCaseAndKeptAsWritten() {
        let fields: HTTPFields = ["Content-Type": "text/plain"]
        #expect(fields["content-type"] == "text/plain")
        #expect(fields["CONTENT-TYPE"] == "text/plain")
        #expect(fields["Content_Type"] == nil)
        #expect(fields["Content-Typ"] == nil)
        #expect(fields.all[0].name == "Content-Type")
    }

    /// "K" (Kelvin sign) and "k" are the same letter to Unicode and not to HTTP.
    @Test func onlyASCIICaseIsIgnored() {
        #expect(HTTPFields([(name: "\u{212A}ey", value: "1")])["key"] == nil)
        #expect(HTTPFields([(name: "a@", value: "1")])["a`"] == nil)
    }

    @Test func aRepeatedNameKeepsItsValuesInOrder() {
        var fields: HTTPFields = ["Via": "a", "Other": "x", "via": "b"]
        fields.append("VIA", "c")
        #expect(fields["via"] == "a")
        #expect(fields.values("Via") == ["a", "b", "c"])
        #expect(fields.count == 4)
    }

    @Test func settingReplacesEveryFieldOfTheName() {
        var fields: HTTPFields = ["A": "1", "B": "2", "a": "3", "C": "4", "A": "5"]
        fields["a"] = "9"
        #expect(fields.all.map(\.name) == ["a", "B", "C"])
        #expect(fields.all.map(\.value) == ["9", "2", "4"])
        fields["b"] = nil
        fields["D"] = "5"
        fields["E"] = nil
        #expect(fields.all.map(\.value) == ["9", "4", "5"])
    }

    @Test func equalityIgnoresTheCaseOfNamesOnly() {
        let one: HTTPFields = ["A": "x", "B": "y"]
        #expect(one == ["a": "x", "b": "y"])
        #expect(one.hashValue == (["a": "x", "b": "y"] as HTTPFields).hashValue)
        #expect(one != ["a": "X", "b": "y"])
        #expect(one != ["B": "y", "A": "x"])
    }

    @Test(arguments: [
        ("X-Id", "a b\tc é", true), ("X-Id", "", true), ("", "a", false), ("X Id", "a", false), ("X:Id", "a", false),
        ("X-Id\r\n", "a", false), ("Xé", "a", false), ("X", "a\rb", false), ("X", "a\nb", false), ("X", "a\0b", false),
        ("X", "a\u{7F}", false),
    ])
    func onlyAFieldThatStaysOneFieldIsSendable(name: String, value: String, sendable: Bool) {
        #expect(HTTPFields.isSendable(name: name, value: value) == sendable)
    }

    @Test func theTargetIsThePathAndTheQueryAsSent() {
        #expect(HTTPRequest(path: "/a%20b").target == "/a%20b")
        #expect(HTTPRequest(path: "/a", query: "x=%2B&y").target == "/a?x=%2B&y")
        #expect(HTTPRequest(path: "/a", query: "").target == "/a?")
    }
}
