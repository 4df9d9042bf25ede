/// A number as text of a fixed width, its most significant digit first.
enum PositionalText {
    /// Digits and small letters.
    static let base36 = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    /// Digits, capitals, small letters.
    static let base62 = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Filled up with zeros to `width`, which must be enough.
    static func encode(_ number: UInt128, _ digits: [UInt8], width: Int) -> String {
        var text = [UInt8](repeating: digits[0], count: width)
        var rest = number
        for index in text.indices.reversed() {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: UInt128(digits.count))
            text[index] = digits[Int(remainder)]
            rest = quotient
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil when there is a character that is no digit. At most 20 characters, so that no number overflows.
    static func decode(_ text: some Sequence<UInt8>, _ digits: [UInt8]) -> UInt128? {
        var number: UInt128 = 0
        for character in text {
            guard let value = digits.firstIndex(of: character) else { return nil }
            number = number * UInt128(digits.count) + UInt128(value)
        }
        return number
    }
}
