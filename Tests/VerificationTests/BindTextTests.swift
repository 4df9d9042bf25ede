import Testing
import Verification

@Suite struct BindTextTests {
    @Test(arguments: [
        ("Your code is ${code}", "Your code is {{pin}}"), ("${code}${code}", "{{pin}}{{pin}}"),
        ("${firstName} ${last_name-1.2}: ${code}", "{{firstName}} {{last_name-1.2}}: {{pin}}"),
        // Each grammar's own name for the code is nothing special in the other.
        ("${pin} ${code}", "{{code}} {{pin}}"), ("$${code}", "${{pin}}"), ("", ""), ("a", "a"),
    ])
    func marksAreTranslatedBothWays(bind: String, own: String) throws {
        let pattern = try #require(TextPattern(bindText: bind))
        #expect(pattern.text == own)
        #expect(TextPattern(own).bindText == bind)
    }

    @Test(arguments: ["$", "${", "${}", "${a b}", "${ code }", "$code", "{code}", "${code", "€ $5 {"])
    func whatIsNoMarkStays(text: String) throws {
        let pattern = try #require(TextPattern(bindText: text))
        #expect(pattern.text == text)
        #expect(!pattern.hasCode)
        #expect(pattern.placeholders.isEmpty)
    }

    @Test(arguments: ["{{pin}} ${code}", "{{name}}", "{{ name }}"]) func ownMarksAreNoneOfBinds(text: String) {
        #expect(TextPattern(bindText: text) == nil)
    }

    @Test func parametersAreCalledAsTheirPlaceholders() {
        for (parameter, placeholder) in [
            ("firstName", "firstName"), ("pin", "code"), ("code", nil), ("a b", nil), ("", nil),
        ] as [(String, String?)] {
            #expect(TextPattern.placeholder(ofBindParameter: parameter) == placeholder)
        }
    }
}
