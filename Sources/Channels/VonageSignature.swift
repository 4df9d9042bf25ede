public import Crypto
public import HTTP

/// Vonage's signature over the parameters of a request or a receipt (providers.md section 2.2.2), as the provider and as
/// those whom we are Vonage to have it.
public struct VonageSignature: Sendable {
    /// The names that an account's settings at Vonage have; `md5hash`, its default, is a hash and no HMAC.
    public enum Method: String, Sendable, CaseIterable {
        case md5hash, md5, sha1, sha256, sha512
    }

    private let secret: Secret
    private let method: Method

    public init(secret: Secret, method: Method) {
        self.secret = secret
        self.method = method
    }

    /// The lower-case hexadecimal signature of `parameters`, among which is no `sig`.
    public func sign(_ parameters: Form) -> String { Hex.encode(self.code(of: parameters)) }

    /// Whether `sig` is right for the other parameters. Either case of hexadecimal passes.
    ///
    /// A name that holds `&` or `=`, or that stands twice, fails: only values are made harmless before signing, so such
    /// names would let others cut a genuine text into other parameters.
    public func verifies(_ parameters: Form) -> Bool {
        let signed = parameters.pairs.filter { $0.name != "sig" }
        let names = Set(signed.map(\.name))
        guard
            let given = parameters["sig"].flatMap({ Hex.decode($0) }),
            names.count == signed.count, signed.count == parameters.pairs.count - 1,
            names.allSatisfy({ !$0.contains("&") && !$0.contains("=") })
        else { return false }
        return equalInConstantTime(given, self.code(of: Form(signed.map { ($0.name, $0.value) })))
    }

    // MARK: - Private

    private func code(of parameters: Form) -> [UInt8] {
        let text = Self.text(of: parameters)
        return switch self.method {
        case .md5hash: Digest.md5.hash(text + self.secret.reveal())
        case .md5: Digest.md5.authenticate(text, key: self.secret)
        case .sha1: Digest.sha1.authenticate(text, key: self.secret)
        case .sha256: Digest.sha256.authenticate(text, key: self.secret)
        case .sha512: Digest.sha512.authenticate(text, key: self.secret)
        }
    }

    /// `&name=value` for each parameter by the order of the names' bytes, with `&` and `=` in values made `_`.
    private static func text(of parameters: Form) -> [UInt8] {
        var text: [UInt8] = []
        for pair in parameters.pairs.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            text.append(UInt8(ascii: "&"))
            text.append(contentsOf: pair.name.utf8)
            text.append(UInt8(ascii: "="))
            for byte in pair.value.utf8 {
                text.append(byte == UInt8(ascii: "&") || byte == UInt8(ascii: "=") ? UInt8(ascii: "_") : byte)
            }
        }
        return text
    }
}
