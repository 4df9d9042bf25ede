import Crypto
import HTTP

/// `X-Twilio-Signature`: an HMAC over the address that Twilio called and the parameters that it sent
/// (providers.md section 2.1.2). For messages and calls alike.
struct TwilioSignature: Sendable {
    private let token: Secret

    init(authToken: Secret) { self.token = authToken }

    /// Whether `request`, which was sent to `address` with its query, is from Twilio.
    ///
    /// Twilio signs the address with or without the port that its scheme has anyway, so both are tried.
    func verifies(_ request: HTTPRequest, at address: String) -> Bool {
        guard
            let given = request.fields["X-Twilio-Signature"].flatMap({ Base64.decode($0) }),
            let parameters = Self.signedParameters(of: request)
        else { return false }
        let matches = Self.spellings(of: address).map { url in
            equalInConstantTime(given, Digest.sha1.authenticate(Array((url + parameters).utf8), key: self.token))
        }
        return matches.contains(true)
    }

    // MARK: - Private

    /// A form of more is not looked at: a stranger's would be sorted before it is refused. Twilio sends some twenty.
    private static let parameterLimit = 256

    /// What stands behind the address: a form's parameters by name and then by value, each pair once. Nothing for a GET,
    /// and for a body whose hash the address holds. Nil when the hash is wrong or the form is none.
    private static func signedParameters(of request: HTTPRequest) -> String? {
        let query = request.query.flatMap { Form(parsing: $0) }
        if let hash = query?["bodySHA256"] {
            let isRight = Hex.decode(hash).map { equalInConstantTime($0, Digest.sha256.hash(request.body)) } ?? false
            return isRight ? "" : nil
        }
        // Anybody may put a body behind an address that was signed alone.
        guard request.method == "POST" else { return request.body.isEmpty ? "" : nil }
        guard let form = Form(parsing: request.body), form.pairs.count <= Self.parameterLimit else { return nil }
        return Self.text(of: form)
    }

    private static func text(of form: Form) -> String {
        let sorted = form.pairs.sorted {
            $0.name == $1.name
                ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        var text = ""
        var last: (name: String, value: String)?
        for pair in sorted where last == nil || last?.name != pair.name || last?.value != pair.value {
            text += pair.name + pair.value
            last = pair
        }
        return text
    }

    /// The address as it is, with the default port, and without one.
    private static func spellings(of url: String) -> [String] {
        guard let scheme = url.firstRange(of: "://") else { return [url] }
        let rest = url[scheme.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        // In brackets, colons belong to the address.
        let colon = authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : $0 }
        let host = authority[..<(colon ?? authority.endIndex)]
        let port = url.hasPrefix("https:") ? "443" : "80"
        let front = url[..<scheme.upperBound]
        return ["\(front)\(host)\(rest[end...])", "\(front)\(host):\(port)\(rest[end...])", url]
    }
}
