import Crypto

/// The `sig` of Vonage's requests and receipts.
enum VonageSignature {
    typealias Method = Carrier.Configuration.Vonage.SignatureMethod

    /// In upper case, as Vonage's own examples show it; to be compared without regard to case.
    static func sign(_ parameters: [(name: String, value: String)], with secret: Secret, by method: Method) -> String {
        let text = self.text(of: parameters)
        let bytes =
            switch method {
            case .md5hash: Digest.md5.hash(text + secret.reveal())
            case .md5: Digest.md5.authenticate(text, key: secret)
            case .sha1: Digest.sha1.authenticate(text, key: secret)
            case .sha256: Digest.sha256.authenticate(text, key: secret)
            case .sha512: Digest.sha512.authenticate(text, key: secret)
            }
        return Hex.encode(bytes).uppercased()
    }

    /// Whether `sig` among the parameters is the signature of the others.
    static func verify(_ parameters: [(name: String, value: String)], with secret: Secret, by method: Method) -> Bool {
        guard let signature = parameters.first(where: { $0.name == "sig" })?.value else { return false }
        let expected = self.sign(parameters.filter { $0.name != "sig" }, with: secret, by: method)
        return equalInConstantTime(Array(signature.uppercased().utf8), Array(expected.utf8))
    }

    /// `&name=value` for each, by name, with `&` and `=` in values replaced by `_`.
    private static func text(of parameters: [(name: String, value: String)]) -> [UInt8] {
        var text: [UInt8] = []
        for (name, value) in parameters.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            text.append(UInt8(ascii: "&"))
            text += name.utf8
            text.append(UInt8(ascii: "="))
            text += value.utf8.map { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "=") ? UInt8(ascii: "_") : $0 }
        }
        return text
    }
}
