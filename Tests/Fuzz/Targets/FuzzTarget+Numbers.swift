import Messaging
import PhoneNumbers

extension FuzzTarget {
    /// Phone numbers, ours and libphonenumber's reading of them, each line by itself.
    static let numbers = FuzzTarget(name: "numbers") { bytes in
        for line in bytes.split(separator: 0x0A).prefix(8) {
            try Self.checkNumber(String(decoding: line, as: UTF8.self))
            try Self.checkNumber("+\(String(decoding: line.map { 0x30 + $0 % 10 }, as: UTF8.self))")
        }
    }

    // MARK: - Private

    private static func checkNumber(_ text: String) throws {
        let number = PhoneNumber(text)
        try promise("a number is read as it stands", number == nil || number?.e164 == text)
        try promise("a number prints masked", number.map { "\($0)" != text } ?? true)
        try promise("a number is a prefix of itself", number == nil || PhoneNumber.isPrefix(text))
        let facts = PhoneNumberFacts(e164: text)
        try promise("the same number has the same facts", facts == PhoneNumberFacts(e164: text))
        try promise("what is no number is impossible", number != nil || !facts.isPossible || text.utf8.count < 8)
        try promise("what is valid is possible", !facts.isValid || facts.isPossible)
        try promise("what is not valid has no type", facts.isValid || facts.type == .unknown)
        try promise("a country has two letters", facts.region.map { $0.utf8.count == 2 } ?? true)
        if let code = facts.countryCode, facts.isPossible {
            try promise("a number begins with its country code", text.hasPrefix("+\(code)"))
        }
    }
}
