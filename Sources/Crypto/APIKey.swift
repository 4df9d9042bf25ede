/// The keys that customers' programs present.
///
/// Ours are `pinpost_`, 43 random base62 characters (256.03 bits) and a checksum of six: the prefix lets scanners find a
/// leaked key, and the checksum lets a mistyped one be refused before any look-up. Operators may also give keys of their
/// own, which have no checksum.
///
/// A key is stored as its SHA-256 only. A fast hash is right for 256 bits of chance: there is nothing to guess.
public enum APIKey {
    /// A new key of our own making.
    public static func make() -> Secret {
        let body = Array(Self.prefix.utf8) + Base62.randomCharacters(Self.randomCharacterCount)
        return Secret(body + Base62.encode(CRC32.checksum(body), width: Self.checksumCharacterCount))
    }

    /// Whether `text` can be a key at all: one of ours whose checksum is right, or, when it begins otherwise, 20 to
    /// 128 printable ASCII characters without a space.
    public static func isWellFormed(_ text: String) -> Bool {
        text.hasPrefix(Self.prefix) ? Self.hasRightChecksum(text) : Self.isAcceptable(text)
    }

    /// What is stored of a key, and looked up: its SHA-256.
    public static func digest(_ text: String) -> [UInt8] { Digest.sha256.hash(text.utf8) }

    // MARK: - Private

    private static let prefix = "pinpost_"
    private static let randomCharacterCount = 43
    private static let checksumCharacterCount = 6
    private static let operatorKeyLengths = 20...128

    private static func hasRightChecksum(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let body = bytes.dropLast(Self.checksumCharacterCount)
        guard
            body.count == Self.prefix.utf8.count + Self.randomCharacterCount,
            body.dropFirst(Self.prefix.utf8.count).allSatisfy(Base62.contains)
        else { return false }
        let checksum = Base62.encode(CRC32.checksum(body), width: Self.checksumCharacterCount)
        return bytes.suffix(Self.checksumCharacterCount).elementsEqual(checksum)
    }

    private static func isAcceptable(_ text: String) -> Bool {
        Self.operatorKeyLengths.contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
