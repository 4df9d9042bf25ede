import Crypto
import HTTP
import Timestamps

/// Proves callbacks as the providers do that always sign, so that fuzzers reach what stands behind the proof.
enum FuzzSigner {
    /// `request` as it would come from a provider of this kind to an account of ``FuzzAccounts``; it was sent to the receipt
    /// address with the token.
    static func proved(_ request: HTTPRequest, kind: String) -> HTTPRequest {
        var request = request
        request.path = "/receipts/p/\(FuzzAccounts.token)"
        switch kind {
        case "twilio-sms", "twilio-voice": Self.signAsTwilio(&request)
        case "plivo-sms": Self.signAsPlivo(&request)
        case "webhook": Self.signAsWebhook(&request)
        case "bandwidth-voice": request.fields["Authorization"] = "Basic \(Base64.encode(Array("user:pass".utf8)))"
        default: break
        }
        return request
    }

    // MARK: - Private

    private static let url = "\(FuzzAccounts.receiptURL)/\(FuzzAccounts.token)"

    /// By the body's hash, which a body of any kind can have.
    private static func signAsTwilio(_ request: inout HTTPRequest) {
        let hash = Hex.encode(Digest.sha256.hash(request.body))
        request.query = "bodySHA256=\(hash)\(request.query.map { "&\($0)" } ?? "")"
        let text = Array("\(self.url)?\(request.query ?? "")".utf8)
        request.fields["X-Twilio-Signature"] = Base64.encode(Digest.sha1.authenticate(text, key: self.key))
    }

    /// Nothing when the query or the form is none: then there is no signature.
    private static func signAsPlivo(_ request: inout HTTPRequest) {
        guard let query = Form(parsing: request.query ?? ""), let form = Form(parsing: request.body) else { return }
        let queryText = self.sorted(query).map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let formText = self.sorted(form).map { $0.name + $0.value }.joined()
        var text = queryText.isEmpty ? self.url : "\(self.url)?\(queryText)"
        if request.method == "POST", !form.pairs.isEmpty {
            text = "\(self.url)?\(queryText)\(queryText.isEmpty ? "" : ".")\(formText)"
        }
        request.fields["X-Plivo-Signature-V3-Nonce"] = "1"
        let code = Digest.sha256.authenticate(Array("\(text).1".utf8), key: self.key)
        request.fields["X-Plivo-Signature-V3"] = Base64.encode(code)
    }

    private static func signAsWebhook(_ request: inout HTTPRequest) {
        let seconds = FuzzTarget.now.seconds
        // A literal of base64.
        let key = Secret(Base64.decode(FuzzAccounts.secret.dropFirst("whsec_".count)) ?? [])
        let code = Digest.sha256.authenticate(Array("m.\(seconds).".utf8) + request.body, key: key)
        request.fields["webhook-id"] = "m"
        request.fields["webhook-timestamp"] = String(seconds)
        request.fields["webhook-signature"] = "v1,\(Base64.encode(code))"
    }

    private static let key = Secret(FuzzAccounts.secret)

    private static func sorted(_ form: Form) -> [(name: String, value: String)] {
        form.pairs.sorted {
            $0.name == $1.name
                ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
    }
}
