/// Base64 (RFC 4648), read strictly: one text for one byte string.
///
/// Padding must be complete, or absent in the URL alphabet, the unused bits of the last character must be zero, and no
/// white space or foreign character is skipped; otherwise two texts could pass for one signature.
public enum Base64 {
    /// Which characters stand for 62 and 63, and whether the end is padded.
    public enum Alphabet: Sendable {
        /// RFC 4648 section 4: `+`, `/`, padded with `=`.
        case standard
        /// RFC 4648 section 5: `-`, `_`, not padded.
        case url
    }

    public static func encode(_ bytes: [UInt8], _ alphabet: Alphabet = .standard) -> String {
        let characters = alphabet == .standard ? Self.standardCharacters : Self.urlCharacters
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            // Left-aligned in 24 bits, of which the last group may use fewer.
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0...group.count { text.append(characters[bits >> (18 - 6 * index) & 63]) }
            if alphabet == .standard { text.append(contentsOf: repeatElement(Self.padding, count: 3 - group.count)) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything that ``encode(_:_:)`` would not have written.
    public static func decode(_ text: some StringProtocol, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        guard let characters = Self.withoutPadding(Array(text.utf8), alphabet) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count * 3 / 4)
        var bits = 0
        var count = 0
        for character in characters {
            guard let value = Self.value(character, alphabet) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(bits >> count))
                bits &= (1 << count) - 1
            }
        }
        // One character alone holds no byte; what is left over must be zero.
        return count < 6 && bits == 0 ? bytes : nil
    }

    // MARK: - Private

    private static let padding = UInt8(ascii: "=")
    private static let alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let standardCharacters = Array("\(alphanumerics)+/".utf8)
    private static let urlCharacters = Array("\(alphanumerics)-_".utf8)

    private static func withoutPadding(_ text: [UInt8], _ alphabet: Alphabet) -> ArraySlice<UInt8>? {
        guard alphabet == .standard else { return text[...] }
        guard text.count.isMultiple(of: 4) else { return nil }
        let padded = text.suffix(2).reversed().prefix { $0 == Self.padding }.count
        return text.dropLast(padded)
    }

    private static func value(_ character: UInt8, _ alphabet: Alphabet) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+") where alphabet == .standard, UInt8(ascii: "-") where alphabet == .url: 62
        case UInt8(ascii: "/") where alphabet == .standard, UInt8(ascii: "_") where alphabet == .url: 63
        default: nil
        }
    }
}
