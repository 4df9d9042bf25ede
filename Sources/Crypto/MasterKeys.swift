/// The keys that live outside the database and seal what is secret inside it: codes, message bodies, credentials.
///
/// A ring: the first key seals, all open, so a key is rotated by putting a new one in front and taking the old one
/// away when nothing sealed with it is left. A sealed value is bound to its context (the row and the column that it
/// belongs to), so copying it into another row makes it unreadable.
///
/// Nonces are random, so one key may seal 2³² values at most (NIST SP 800-38D section 8.3): put a new key in front
/// before that.
public struct MasterKeys: Sendable {
    /// Never empty.
    private let keys: [MasterKey]

    /// Reads entries `ID:BASE64` parted by commas or line ends: an id from 1 to 255 that no other entry has, and
    /// 32 bytes in standard base64. Space around entries and empty entries are ignored.
    public init(parsing text: String) throws(MasterKeysError) {
        var keys: [MasterKey] = []
        for entry in text.split(whereSeparator: { $0 == "," || $0.isNewline }) {
            // Neither an id nor base64 holds a space.
            let words = entry.split(whereSeparator: \.isWhitespace)
            guard let word = words.first else { continue }
            guard words.count == 1 else { throw .malformed(position: keys.count + 1) }
            let key = try MasterKey(parsing: word, position: keys.count + 1)
            guard !keys.contains(where: { $0.id == key.id }) else { throw .idTwice(id: key.id) }
            keys.append(key)
        }
        guard !keys.isEmpty else { throw .empty }
        self.keys = keys
    }

    /// A ring of one new key in the text that ``init(parsing:)`` reads.
    public static func generate(id: UInt8 = 1) -> String {
        precondition(id > 0, "a master key's id is 1 to 255")
        return "\(id):\(Base64.encode(SystemRandom.bytes(SealingCipher.keyByteCount)))"
    }

    /// Seals `plain` with the first key: a version byte 1, the key's id, 12 random bytes, as many bytes as `plain`
    /// has, and a tag of 16.
    ///
    /// `context` is authenticated and not stored; the same one opens the value.
    public func seal(_ plain: [UInt8], for context: String) -> [UInt8] {
        self.seal(plain, for: context, using: RandomReserve(byteCount: SealingCipher.nonceByteCount))
    }

    /// As ``seal(_:for:)``, with bytes of a reserve.
    public func seal(_ plain: [UInt8], for context: String, using random: RandomReserve) -> [UInt8] {
        let key = self.keys[0]
        let nonce = Array(random.take(SealingCipher.nonceByteCount))
        let ciphertext = SealingCipher.encrypt(plain, key: key.bytes, nonce: nonce, context: Array(context.utf8))
        return [Self.version, key.id] + nonce + ciphertext
    }

    /// What was sealed for `context`.
    public func open(_ sealed: [UInt8], for context: String) throws(SealError) -> [UInt8] {
        guard sealed.count >= Self.overheadByteCount, sealed[0] == Self.version else { throw .malformed }
        guard let key = self.keys.first(where: { $0.id == sealed[1] }) else { throw .unknownKey(id: sealed[1]) }
        let nonce = Array(sealed[2..<Self.headerByteCount])
        let ciphertext = sealed[Self.headerByteCount...]
        let plain = SealingCipher.decrypt(ciphertext, key: key.bytes, nonce: nonce, context: Array(context.utf8))
        guard let plain else { throw .notGenuine }
        return plain
    }

    /// Whether the key that seals now is the one that sealed this.
    public func isSealedWithFirst(_ sealed: [UInt8]) -> Bool {
        sealed.count >= Self.overheadByteCount && sealed[1] == self.keys[0].id
    }

    /// The HMAC-SHA256 of `message` under a key derived from each of the ring, in its order; the first is the one to keep.
    ///
    /// `purpose` parts the keys of one use from those of another and from those that seal (NIST SP 800-108: a key derived by
    /// HMAC over a label), so what is learnt of one says nothing of the others.
    public func authenticate(_ message: [UInt8], for purpose: String) -> [(keyID: UInt8, code: [UInt8])] {
        self.keys.map { key in
            let derived = Digest.sha256.authenticate(Array("pinpost/\(purpose)".utf8), key: Secret(key.bytes))
            return (key.id, Digest.sha256.authenticate(message, key: Secret(derived)))
        }
    }

    /// The ids of the ring, in its order.
    public var ids: [UInt8] { self.keys.map(\.id) }

    /// How many bytes longer a sealed value is than the plain one.
    public static let overheadByteCount = Self.headerByteCount + SealingCipher.tagByteCount

    /// How many random bytes sealing a value takes.
    public static let randomByteCount = SealingCipher.nonceByteCount

    // MARK: - Private

    private static let version: UInt8 = 1
    private static let headerByteCount = 2 + SealingCipher.nonceByteCount
}

extension MasterKeys: CustomStringConvertible, CustomReflectable {
    /// The ids in their order, never the keys.
    public var description: String { "master keys \(self.keys.map { "\($0.id)" }.joined(separator: ", "))" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// One entry of the ring.
private struct MasterKey {
    let id: UInt8
    let bytes: [UInt8]

    init(parsing entry: Substring, position: Int) throws(MasterKeysError) {
        let pieces = entry.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard pieces.count == 2, let bytes = Base64.decode(pieces[1]) else { throw .malformed(position: position) }
        // Only digits, since `UInt8.init` would take a sign too.
        guard pieces[0].utf8.first != UInt8(ascii: "+"), let id = UInt8(pieces[0]), id > 0 else {
            throw .idOutOfRange(position: position)
        }
        guard bytes.count == SealingCipher.keyByteCount else { throw .wrongLength(id: id, byteCount: bytes.count) }
        self.id = id
        self.bytes = bytes
    }
}

/// What is wrong with a text of master keys; it never holds a piece of the text.
public enum MasterKeysError: Error, Hashable, CustomStringConvertible {
    case empty
    /// The entry at this position, counted from 1, is not `ID:BASE64`.
    case malformed(position: Int)
    case idOutOfRange(position: Int)
    case idTwice(id: UInt8)
    case wrongLength(id: UInt8, byteCount: Int)

    public var description: String {
        switch self {
        case .empty: "no master key is given"
        case .malformed(let position): "master key number \(position) is not ID:BASE64"
        case .idOutOfRange(let position): "the id of master key number \(position) is not from 1 to 255"
        case .idTwice(let id): "two master keys have the id \(id)"
        case .wrongLength(let id, let count):
            "master key \(id) has \(count) bytes in place of \(SealingCipher.keyByteCount)"
        }
    }
}

/// Why a sealed value does not open.
public enum SealError: Error, Hashable, CustomStringConvertible {
    /// Too short, or of a version that this program does not know.
    case malformed
    /// The key that sealed it is not in the ring.
    case unknownKey(id: UInt8)
    /// It was changed, was sealed for another context, or with another key of the same id.
    case notGenuine

    public var description: String {
        switch self {
        case .malformed: "this is no sealed value"
        case .unknownKey(let id): "master key \(id) is missing"
        case .notGenuine: "the sealed value was changed or belongs elsewhere"
        }
    }
}
