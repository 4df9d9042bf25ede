/// How the ids in an SMSC's receipts relate to those in its answers.
///
/// Whatever can be read as a number in its base becomes lower-case hexadecimal without leading zeros; whatever cannot stays
/// as it is. Ids can exceed any machine word, so digits are converted and not numbers.
enum SMPPMessageIDs: String, Sendable, CaseIterable {
    case asIs = "as_is"
    case hexThenDecimal = "resp_hex_receipt_dec"
    case decimalThenHex = "resp_dec_receipt_hex"
    case hex = "both_hex_ci"

    func answered(_ id: String) -> String {
        switch self {
        case .asIs: Self.bare(id)
        case .hexThenDecimal, .hex: Self.hexadecimal(id)
        case .decimalThenHex: Self.decimal(id)
        }
    }

    func reported(_ id: String) -> String {
        switch self {
        case .asIs: Self.bare(id)
        case .hexThenDecimal: Self.decimal(id)
        case .decimalThenHex, .hex: Self.hexadecimal(id)
        }
    }

    // MARK: - Private

    /// As it may be stored.
    private static func bare(_ id: String) -> String {
        let trimmed = id.drop { $0 == " " }
        return String(providerText: String(trimmed.prefix { $0 != " " }))
    }

    private static func hexadecimal(_ id: String) -> String {
        let id = self.bare(id)
        guard !id.isEmpty, id.utf8.allSatisfy({ Self.digit($0) != nil }) else { return id }
        return self.withoutZeros(id.lowercased())
    }

    private static func decimal(_ id: String) -> String {
        let id = self.bare(id)
        guard !id.isEmpty, id.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return id }
        // Digits of base 16, the lowest first.
        var digits: [Int] = []
        for octet in id.utf8 {
            var carry = Int(octet - 0x30)
            for index in digits.indices {
                carry += digits[index] * 10
                digits[index] = carry % 16
                carry /= 16
            }
            if carry > 0 { digits.append(carry) }
        }
        return self.withoutZeros(digits.reversed().map { String($0, radix: 16) }.joined())
    }

    private static func withoutZeros(_ digits: String) -> String {
        let digits = digits.drop { $0 == "0" }
        return digits.isEmpty ? "0" : String(digits)
    }

    private static func digit(_ octet: UInt8) -> Int? { Character(Unicode.Scalar(octet)).hexDigitValue }
}
