import Crypto
import HTTP

/// Plivo's signature V3: an HMAC over the address that Plivo called, the parameters that it sent, and a nonce
/// (providers.md section 2.6).
struct PlivoSignature: Sendable {
    private let token: Secret
    /// Of the main account, when this is a subaccount.
    private let mainToken: Secret

    init(authToken: Secret, mainAuthToken: Secret? = nil) {
        self.token = authToken
        self.mainToken = mainAuthToken ?? authToken
    }

    /// Whether `request`, which was sent to `address` (without its query), is from Plivo. The headers hold lists, of which
    /// one match is enough.
    func verifies(_ request: HTTPRequest, at address: String) -> Bool {
        guard
            let nonce = request.fields["X-Plivo-Signature-V3-Nonce"], !nonce.isEmpty,
            let base = Self.base(of: request, at: address)
        else { return false }
        let text = Array("\(base).\(nonce)".utf8)
        let matches = [("X-Plivo-Signature-V3", self.token), ("X-Plivo-Signature-Ma-V3", self.mainToken)]
            .flatMap { name, token in
                Self.signatures(in: request.fields[name] ?? "").map {
                    equalInConstantTime($0, Digest.sha256.authenticate(text, key: token))
                }
            }
        return matches.contains(true)
    }

    // MARK: - Private

    /// A form or a query of more is not looked at: a stranger's would be sorted before it is refused. Plivo sends some twenty.
    private static let parameterLimit = 256
    /// More in one header are not looked at: each costs a hash.
    private static let signatureLimit = 8

    private static func signatures(in header: String) -> [[UInt8]] {
        header.split(separator: ",").prefix(self.signatureLimit).compactMap { piece in
            Base64.decode(piece.filter { $0 != " " })
        }
    }

    /// Nil when the query or the form is none.
    private static func base(of request: HTTPRequest, at address: String) -> String? {
        guard let query = Form(parsing: request.query ?? ""), query.pairs.count <= Self.parameterLimit else {
            return nil
        }
        let queryText = Self.sorted(query).map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let withQuery = queryText.isEmpty ? address : "\(address)?\(queryText)"
        // Anybody may put a body behind a GET.
        if request.method != "POST" { return request.body.isEmpty ? withQuery : nil }
        guard let form = Form(parsing: request.body), form.pairs.count <= Self.parameterLimit else { return nil }
        if form.pairs.isEmpty { return withQuery }
        let parameters = Self.sorted(form).map { $0.name + $0.value }.joined()
        return "\(address)?\(queryText)\(queryText.isEmpty ? "" : ".")\(parameters)"
    }

    private static func sorted(_ form: Form) -> [(name: String, value: String)] {
        form.pairs.sorted {
            $0.name == $1.name
                ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
    }
}
