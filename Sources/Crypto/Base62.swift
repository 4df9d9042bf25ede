/// Digits and letters: text that survives URLs, shells and double clicks.
enum Base62 {
    /// Each of the 62 is as likely as any other: bytes above the greatest multiple of 62 are thrown away, since a
    /// remainder alone would favour the first characters.
    static func randomCharacters(_ count: Int) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(count)
        while text.count < count {
            // A byte in 32 is thrown away, so a few more than needed mostly do in one go.
            for byte in SystemRandom.bytes(count - text.count + 4) where byte < 248 && text.count < count {
                text.append(Self.characters[Int(byte % 62)])
            }
        }
        return text
    }

    /// `number` with its most significant digit first, filled up with `0` to `width`, which must be enough.
    static func encode(_ number: UInt32, width: Int) -> [UInt8] {
        var text = [UInt8](repeating: Self.characters[0], count: width)
        var rest = Int(number)
        for index in text.indices.reversed() {
            text[index] = Self.characters[rest % 62]
            rest /= 62
        }
        return text
    }

    static func contains(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    // MARK: - Private

    private static let characters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
}
