import PhoneNumbers
import Testing

@Suite struct PhoneNumberRangesTests {
    @Test(
        arguments: [
            ("+4407400123456", "+447400123456"), ("+447400123456", "+447400123456"),
            ("+5212221234567", "+522221234567"),
            ("+41791234567", "+41791234567"), ("+390612345678", "+390612345678"), ("+9990000004", "+9990000004"),
            ("+1234567", "+1234567"),
        ])
    func everyWayOfWritingANumberComesToOne(given: String, canonical: String) {
        let ranges = PhoneNumberRanges()
        // The second time from memory, and of a neighbour.
        for _ in 0..<2 { #expect(ranges.canonical(given) == canonical) }
        #expect(ranges.canonical(String(given.dropLast()) + "1") == String(canonical.dropLast()) + "1")
    }

    @Test(arguments: ["+447400123456", "+41900123456", "+12015550123", "+999123456789", "+1234567", "+80012345678"])
    func aRangeHasTheFactsOfItsNumbers(number: String) {
        let facts = PhoneNumberFacts(e164: number)
        let range = PhoneNumberRanges().range(of: number)
        #expect(range.impossibility == facts.impossibility)
        #expect(range.region == facts.region && range.countryCode == facts.countryCode)
        #expect(range.type == facts.type)
    }

    @Test(arguments: ["", "+", "+0123456789", "447400123456", "+44 7400 123456", "+٤٤٧٤٠٠١٢٣٤٥٦", "+1234567890123456"])
    func whatIsNoNumberIsImpossibleAndStaysAsItIs(text: String) {
        #expect(PhoneNumberRanges().range(of: text).impossibility != nil)
        #expect(PhoneNumberRanges().canonical(text) == text)
    }
}
