import Crypto

/// What codes look like.
public struct CodeFormat: Sendable, Hashable {
    public enum Alphabet: String, Sendable, Hashable, CaseIterable {
        case numeric = "NUMERIC"
        case alpha = "ALPHA"
        case hex = "HEX"
        case alphanumeric = "ALPHANUMERIC"

        /// Upper case only; the vendor says nothing of case or look-alikes (dialects.md section 2.3).
        public var characters: String {
            switch self {
            case .numeric: "0123456789"
            case .alpha: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
            case .hex: "0123456789ABCDEF"
            case .alphanumeric: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
            }
        }
    }

    public var alphabet: Alphabet
    public var length: Int

    /// The vendor's bounds, which its own manual names for version 1 and nobody for version 2.
    public static let lengths: ClosedRange<Int64> = 1...8
    /// In our own API: shorter ones are guessed too easily.
    public static let ownLengths: ClosedRange<Int64> = 4...8
    /// The vendor's default. Six, our own default, is what NIST SP 800-63B asks for.
    public static let vendorLength = 4
    public static let ownLength = 6

    public init(alphabet: Alphabet = .numeric, length: Int) {
        self.alphabet = alphabet
        self.length = length
    }

    /// A new code: every one is as likely as any other, leading zeros and all. The generator decides how well it can be
    /// foretold; outside of tests it is the system's.
    public func makeCode(using generator: inout some RandomNumberGenerator) -> Code {
        let characters = Array(self.alphabet.characters.utf8)
        // `randomElement` rejects what would favour some characters, so there is no bias.
        return Code((0..<self.length).map { _ in characters.randomElement(using: &generator)! })  // Never empty.
    }

    public func makeCode() -> Code {
        var generator = SystemRandomNumberGenerator()
        return self.makeCode(using: &generator)
    }
}

/// A code, or what somebody typed for one. It never prints.
public struct Code: Sendable, Equatable {
    private let secret: Secret

    init(_ characters: [UInt8]) { self.secret = Secret(characters) }

    /// What was typed: ASCII letters count as upper case, as codes are made; spaces around are dropped. Anything else stays,
    /// digits of other scripts too, and so is merely wrong. Nil when it is longer than any code.
    public init?(typed text: String) {
        let trimmed = text.utf8.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed()
        guard (1...Self.byteLimit).contains(trimmed.count) else { return nil }
        self.init(trimmed.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 0x20 : $0 })
    }

    /// Bytes of what may be typed; above every code, ours or a vendor's.
    public static let byteLimit = 64

    /// For the text that is sent, and for the seal.
    public var text: String { self.secret.text }
}

extension Code: CustomStringConvertible, CustomReflectable {
    public var description: String { self.secret.description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
