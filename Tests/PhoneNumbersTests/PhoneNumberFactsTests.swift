import PhoneNumbers
import Testing

/// The numbers are libphonenumber's own examples, or made from them.
@Suite struct PhoneNumberFactsTests {
    @Test(
        arguments: [
            ("+41781234567", "CH", 41, .mobile), ("+41212345678", "CH", 41, .fixedLine),
            ("+41800123456", "CH", 41, .tollFree), ("+41900123456", "CH", 41, .premiumRate),
            ("+41840123456", "CH", 41, .sharedCost), ("+41581234567", "CH", 41, .uan),
            ("+41860123456789", "CH", 41, .voicemail), ("+447400123456", "GB", 44, .mobile),
            ("+445612345678", "GB", 44, .voip), ("+447012345678", "GB", 44, .personal),
            ("+447640123456", "GB", 44, .pager), ("+4915123456789", "DE", 49, .mobile),
            ("+4930123456", "DE", 49, .fixedLine), ("+12015550123", "US", 1, .fixedLineOrMobile),
            ("+19002345678", "US", 1, .premiumRate), ("+819012345678", "JP", 81, .mobile),
            ("+815012345678", "JP", 81, .voip), ("+46701234567", "SE", 46, .mobile),
        ] as [(String, String, Int, PhoneNumberType)])
    func knowsNumbersOfCountries(e164: String, region: String, countryCode: Int, type: PhoneNumberType) {
        let facts = PhoneNumberFacts(e164: e164)
        #expect(facts.isPossible && facts.isValid)
        #expect(facts.region == region)
        #expect(facts.countryCode == countryCode)
        #expect(facts.type == type)
    }

    @Test(
        arguments: [
            ("+12042345678", "CA"), ("+18762101234", "JM"), ("+77710009998", "KZ"), ("+79123456789", "RU"),
        ])
    func tellsCountriesOfOneCodeApart(e164: String, region: String) {
        #expect(PhoneNumberFacts(e164: e164).region == region)
    }

    @Test(
        arguments: [
            ("CH", 41), ("US", 1), ("CA", 1), ("KZ", 7), ("LI", 423), ("XK", 383), ("GB", 44), ("UK", nil), ("ch", nil),
            ("001", nil), ("ZZ", nil), ("", nil), ("C", nil),
        ] as [(String, Int?)])
    func knowsTheCallingCodesOfCountries(region: String, code: Int?) {
        #expect(PhoneNumberFacts.countryCode(ofRegion: region) == code)
    }

    @Test(
        arguments: [
            ("+80012345678", 800, .tollFree), ("+870301234567", 870, .mobile), ("+979123456789", 979, .premiumRate),
        ] as [(String, Int, PhoneNumberType)])
    func knowsNumbersOfNoCountry(e164: String, countryCode: Int, type: PhoneNumberType) {
        let facts = PhoneNumberFacts(e164: e164)
        #expect(facts.isPossible && facts.isValid)
        #expect(facts.region == nil)
        #expect(facts.countryCode == countryCode)
        #expect(facts.type == type)
    }

    @Test(
        arguments: [
            ("+1234567", 1, .tooShort), ("+120155501234", 1, .tooLong), ("+12530000", 1, .localOnly),
            ("+418601234567890", 41, .tooLong), ("+1", nil, .notANumber), ("+41", nil, .notANumber),
            ("+411", nil, .tooShort),
            ("+4112", 41, .tooShort),
            ("+3531234", 353, .tooShort), ("+41860123456", 41, nil), ("+4186012345678", 41, .invalidLength),
            ("+999123456789", nil, .invalidCountryCode), ("+2101234567", nil, .invalidCountryCode),
            ("+0781234567", nil, .invalidCountryCode), ("+4930123456789012", nil, .tooLong),
        ] as [(String, Int?, PhoneNumberImpossibility?)])
    func saysWhyANumberIsImpossible(e164: String, countryCode: Int?, impossibility: PhoneNumberImpossibility?) {
        let facts = PhoneNumberFacts(e164: e164)
        #expect(facts.impossibility == impossibility)
        #expect(facts.isPossible == (impossibility == nil))
        #expect(facts.countryCode == countryCode)
    }

    @Test(arguments: [
        "", "+", "++41781234567", "41781234567", "0781234567", "+41 78 123 45 67", " +41781234567", "+41781234567 ",
        "+41781234567;ext=5", "+41781234567\0", "tel:+41781234567", "+1800FLOWERS", "+٤١٧٨١٢٣٤٥٦٧", "＋41781234567",
        "+4178123456７", "a@example.org", "é",
    ])
    func takesNothingButAPlusAndDigits(text: String) {
        let facts = PhoneNumberFacts(e164: text)
        #expect(facts.impossibility == .notANumber)
        #expect(!facts.isValid && facts.countryCode == nil && facts.region == nil && facts.type == .unknown)
    }

    @Test func aTextMayBeOfAnyLength() {
        let text = "+" + String(repeating: "1", count: 1_000_000)
        #expect(PhoneNumberFacts(e164: text).impossibility == .tooLong)
    }

    @Test func aPossibleNumberNeedNotBeValid() {
        let facts = PhoneNumberFacts(e164: "+12011234567")
        #expect(facts.isPossible && !facts.isValid)
        #expect(facts.type == .unknown && facts.region == nil && facts.countryCode == 1)
    }

    @Test(arguments: [("+4407400123456", "+447400123456"), ("+5212221234567", "+522221234567")])
    func passesOverANationalPrefix(e164: String, without: String) {
        #expect(PhoneNumberFacts(e164: without).isValid)
        #expect(PhoneNumberFacts(e164: e164) == PhoneNumberFacts(e164: without))
    }

    /// Most countries are met for the first time here, so the tasks fill the library's caches at once.
    @Test func manyTasksLookUpAtOnce() async {
        let numbers = (1...99).flatMap { code in (0..<10).map { "+\(code)\($0)12345678" } }
        let answers = await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { numbers.map(PhoneNumberFacts.init(e164:)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let expected = numbers.map(PhoneNumberFacts.init(e164:))
        #expect(expected.contains(where: \.isValid) && expected.contains { !$0.isPossible })
        #expect(answers == Array(repeating: expected, count: 8))
    }
}
