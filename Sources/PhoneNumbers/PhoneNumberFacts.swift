import CPhoneNumber

/// What can be known of a phone number without asking anybody: libphonenumber's look-up in the numbering plans that
/// came with it.
///
/// The plans are as old as the installed library, and countries open new ranges every month. So a number that is
/// possible and not valid may well be somebody's; only an impossible one is nobody's, because lengths and country codes
/// hardly ever change.
///
/// A number is looked up in 15 to 60 µs; the first one in the process takes 7 ms more, and the first one of a country
/// up to 1 ms more. Any number of tasks may look up at a time.
public struct PhoneNumberFacts: Sendable, Hashable {
    /// Why nobody can have this number; nil when somebody can.
    public let impossibility: PhoneNumberImpossibility?

    /// Whether the number is in a range that its country has opened.
    public let isValid: Bool

    /// The country calling code, 1 to 999, which countries may share; nil when there is no such code.
    public let countryCode: Int?

    /// The country in ISO 3166's two letters. Nil for international networks and services, such as +800, and for a
    /// number of a shared country code that is in none of the countries' ranges.
    public let region: String?

    /// What the number is for; `unknown` unless it is valid.
    public let type: PhoneNumberType

    /// The number without a national prefix after its country code, in E.164: what every way of writing it comes to. Nil for what
    /// could not be read as a number.
    public let canonical: String?

    /// Looks up a number in E.164: `+` and at most 15 digits. Any other text is impossible.
    ///
    /// A national prefix after the country code, as in +44 0 7400…, is passed over, and so is Mexico's former 1 before
    /// mobile numbers: such a number has the facts of the one without it.
    public init(e164: String) {
        guard Self.isPlusAndDigits(e164) else {
            self.init(impossibility: .notANumber)
            return
        }
        // The library would take seconds over thousands of digits, and longer and longer over more.
        guard e164.utf8.count <= 1 + Self.maximumDigitCount else {
            self.init(impossibility: .tooLong)
            return
        }
        var facts = cphonenumber_facts()
        guard cphonenumber_look_up(e164, e164.utf8.count, &facts) else {
            // A number is not held to be impossible because memory ran out.
            self.init(impossibility: nil)
            return
        }
        if let impossibility = PhoneNumberImpossibility(facts.parsing) {
            self.init(impossibility: impossibility)
        } else {
            self.init(read: facts)
        }
    }

    /// Whether somebody can have this number: its country code exists, and it is as long as numbers there are when
    /// dialled from abroad.
    public var isPossible: Bool { self.impossibility == nil }

    /// The calling code of a country in ISO 3166's two capital letters; nil for what is no country with numbers.
    public static func countryCode(ofRegion region: String) -> Int? {
        let code = cphonenumber_country_code(region, region.utf8.count)
        return code > 0 ? Int(code) : nil
    }

    // MARK: - Private

    /// E.164's limit, country code included, which the library does not hold to in every country.
    private static let maximumDigitCount = 15

    /// The library would also read brackets, letters, extensions and the digits of other scripts.
    private static func isPlusAndDigits(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst()
        return text.utf8.first == UInt8(ascii: "+") && !digits.isEmpty
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Nothing is known, or only why the number is impossible.
    private init(impossibility: PhoneNumberImpossibility?) {
        self.impossibility = impossibility
        self.isValid = false
        self.countryCode = nil
        self.region = nil
        self.type = .unknown
        self.canonical = nil
    }

    /// What the library says of a number that it could read.
    private init(read facts: cphonenumber_facts) {
        self.impossibility = PhoneNumberImpossibility(facts.length)
        self.isValid = facts.valid
        self.countryCode = Int(facts.country_code)
        self.region = Self.region(facts.region)
        self.type = PhoneNumberType(facts.type)
        self.canonical = withUnsafeBytes(of: facts.canonical) { bytes in
            bytes.first == 0 ? nil : String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The library's region is 001 where there is no country, and ZZ where it does not know.
    private static func region(_ code: (CChar, CChar, CChar, CChar)) -> String? {
        let letters = [code.0, code.1, code.2].prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        let region = String(decoding: letters, as: UTF8.self)
        return ["", "001", "ZZ"].contains(region) ? nil : region
    }
}
