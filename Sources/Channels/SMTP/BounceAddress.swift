import Crypto
import HTTP
import Messaging

/// The address that a mail's bounces come back to, which says which mail it was and proves that we made it (VERP):
/// `bounce+ID+MAC@DOMAIN`.
///
/// Sixteen hexadecimal digits of a MAC are 64 bits: nobody guesses one, and the local part stays within its 64 characters.
struct BounceAddress: Sendable {
    private let domain: String
    private let key: Secret

    /// Nil when no `bounce_domain` is set.
    init?(from reader: inout AccountReader) {
        let domain: String? = reader.setting("bounce_domain", default: nil, expected: "a domain") {
            EmailAddress("x@\($0)") == nil ? String??.none : .some($0.lowercased())
        }
        let key = reader.credential("bounce_key")
        guard let domain else { return nil }
        if (key?.reveal().count ?? 0) < 16 {
            reader.problem("credential bounce_key is missing, or has less than 16 characters")
        }
        self.init(domain: domain, key: key ?? Secret(""))
    }

    init(domain: String, key: Secret) {
        self.domain = domain
        self.key = key
    }

    func address(for reference: MessageReference) -> String {
        let name = Self.name(of: reference)
        return "\(Self.mark)\(name)+\(self.mac(of: name))@\(self.domain)"
    }

    /// The message of the first address in a text that is one of ours. Looked for anywhere: mail servers put it in fields of
    /// many names, and the MAC, not its place, is what proves it.
    func reference(in text: [UInt8]) -> MessageReference? {
        var rest = text[...]
        for _ in 0..<Self.candidateLimit {
            guard let start = rest.firstRange(of: Array(Self.mark.utf8)) else { return nil }
            rest = rest[start.upperBound...]
            if let reference = self.reference(Self.local(rest)) { return reference }
        }
        return nil
    }

    // MARK: - Private

    private static let mark = "bounce+"
    /// Looked at in one text.
    private static let candidateLimit = 32

    private static func local(_ text: ArraySlice<UInt8>) -> String {
        String(decoding: text.prefix(64).prefix { $0 != UInt8(ascii: "@") }, as: UTF8.self).lowercased()
    }

    private func reference(_ text: String) -> MessageReference? {
        let pieces = text.split(separator: "+", omittingEmptySubsequences: false)
        guard
            pieces.count == 2,
            equalInConstantTime(Array(pieces[1].utf8), Array(self.mac(of: String(pieces[0])).utf8))
        else { return nil }
        return Self.reference(named: pieces[0])
    }

    private func mac(of name: String) -> String {
        Hex.encode(Digest.sha256.authenticate(Array("bounce/\(name)".utf8), key: self.key).prefix(8))
    }

    /// The reference without its hyphens.
    private static func name(of reference: MessageReference) -> String { reference.description.filter { $0 != "-" } }

    private static func reference(named name: Substring) -> MessageReference? {
        var canonical = Array(name.utf8)
        guard canonical.count >= 32 else { return nil }
        for position in [20, 16, 12, 8] { canonical.insert(UInt8(ascii: "-"), at: position) }
        return MessageReference(String(decoding: canonical, as: UTF8.self))
    }
}
