import Testing
import Verification

@Suite struct TextPatternTests {
    @Test(arguments: [
        ("Your code is {{pin}}", "Your code is 1234"), ("{{pin}}{{pin}}", "12341234"),
        ("{{ pin }}, {{name}}", "1234, Ann"), ("Hi {{name}}: {{pin}}.", "Hi Ann: 1234."),
        ("{{{pin}}}", "{1234}"), ("{ {pin} } {{pin}", "{ {pin} } {{pin}"),
        ("{{}} {{a b}} {{pin}}", "{{}} {{a b}} 1234"),
        ("€ {{name}} {{pin}} ü", "€ Ann 1234 ü"), ("{{other}}", "{{other}}"), ("", ""),
    ])
    func renders(text: String, rendered: String) {
        #expect(TextPattern(text).rendered(code: "1234", values: ["name": "Ann"]) == rendered)
    }

    @Test func namesItsPlaceholdersOnce() {
        let pattern = TextPattern("{{a}} {{pin}} {{b}} {{a}}")
        #expect(pattern.placeholders == ["a", "b"])
        #expect(pattern.hasCode)
        #expect(!TextPattern("{{a}}").hasCode)
        #expect(!TextPattern("{{ pi n }}").hasCode)
    }

    /// Otherwise a caller's value could say where the code goes, or show what another value holds.
    @Test func readsNoMarksOutOfValues() {
        let pattern = TextPattern("{{a}} {{pin}}")
        #expect(pattern.rendered(code: "1234", values: ["a": "{{pin}} {{b}}", "b": "x"]) == "{{pin}} {{b}} 1234")
    }
}
