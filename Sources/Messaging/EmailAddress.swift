/// A mail address as SMTP takes it without quoting: `local@domain` in ASCII.
///
/// The local part is a dot-atom (RFC 5322 section 3.2.3), the domain two or more labels of letters, digits and hyphens
/// (RFC 1123 section 2.1). Neither quoted local parts nor address literals nor addresses beyond ASCII are taken, because
/// not every provider carries them.
///
/// Prints with its local part hidden, because whole addresses never reach a log; ``address`` is the address itself.
public struct EmailAddress: Sendable, Hashable {
    /// As it was given, with the domain in lower case. Whose mail the local part's case tells apart is the domain's
    /// business, so that stays.
    public let address: String
    private let localLength: Int

    /// Octets of an address and of its local part (RFC 5321 section 4.5.3.1, and the path of section 4.1.2 around it).
    public static let addressLimit = 254
    public static let localLimit = 64

    /// Nil unless `text` is an address and nothing else.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.addressLimit, let at = text.utf8.firstIndex(of: UInt8(ascii: "@")) else {
            return nil
        }
        let (local, domain) = (text[..<at], text[text.utf8.index(after: at)...])
        guard Self.isLocal(local.utf8), Self.isDomain(domain.utf8) else { return nil }
        self.address = "\(local)@\(domain.lowercased())"
        self.localLength = local.utf8.count
    }

    public var local: Substring { self.address.prefix(self.localLength) }
    public var domain: Substring { self.address.dropFirst(self.localLength + 1) }

    // MARK: - Private

    private static func isLocal(_ text: Substring.UTF8View) -> Bool {
        guard (1...Self.localLimit).contains(text.count) else { return false }
        return text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy(self.isAtomText)
        }
    }

    private static func isDomain(_ text: Substring.UTF8View) -> Bool {
        let labels = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isAtomText(_ byte: UInt8) -> Bool {
        self.isLetterOrDigit(byte) || self.atomSigns.contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static let atomSigns = Set("!#$%&'*+-/=?^_`{|}~".utf8)
}

extension EmailAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The first letter, where there are others, and the domain, as in `a…@example.com`.
    public var description: String { "\(self.localLength > 1 ? self.local.prefix(1) : "")…@\(self.domain)" }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["masked": self.description]) }
}

/// Whom a mail is from: an address, with or without a name, as in `Pinpost <codes@example.com>`.
public struct Mailbox: Sendable, Hashable {
    public let name: String?
    public let address: EmailAddress

    /// Nil unless `text` is an address, or a name on one line and an address in angle brackets.
    public init?(_ text: String) {
        guard text.last == ">", let bracket = text.lastIndex(of: "<") else {
            guard let address = EmailAddress(text) else { return nil }
            (self.name, self.address) = (nil, address)
            return
        }
        let name = text[..<bracket].drop { $0 == " " }
        let trimmed = name.lastIndex { $0 != " " }.map { name[...$0] } ?? ""
        // What would need quoting in a header is refused rather than quoted.
        guard
            trimmed.isOneLine, !trimmed.contains(where: { #"<>"\"#.contains($0) }),
            let address = EmailAddress(String(text[text.index(after: bracket)...].dropLast()))
        else { return nil }
        (self.name, self.address) = (trimmed.isEmpty ? nil : String(trimmed), address)
    }
}

extension Mailbox: CustomStringConvertible, CustomReflectable {
    /// The masked address.
    public var description: String { self.address.description }
    public var customMirror: Mirror { Mirror(self, children: ["masked": self.description]) }
}

extension StringProtocol {
    /// Whether it holds neither control characters nor what breaks a line.
    public var isOneLine: Bool {
        self.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }
}
