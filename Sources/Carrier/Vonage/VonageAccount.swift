import Crypto
import HTTP

extension Carrier.Configuration.Vonage {
    /// Any one of the three: Basic with key and secret, a signature, or key and secret among the parameters.
    func authenticate(_ request: HTTPRequest, _ parameters: VonageParameters) throws(VonageRefusal) {
        if let authorization = request.fields["Authorization"] {
            guard let (key, secret) = basicCredentials(authorization), self.isKnown(key, secret) else {
                throw .badCredentials
            }
            return
        }
        guard let key = parameters["api_key"] else { throw .missing("api_key") }
        switch (parameters["sig"], parameters["api_secret"]) {
        case (.some, .some): throw .signatureAndSecret
        case (.some, nil): try self.verify(key, parameters)
        case (nil, let secret?): if !self.isKnown(key, secret) { throw .badCredentials }
        case (nil, nil): throw .missing("api_secret")
        }
    }

    private func isKnown(_ key: String, _ secret: String) -> Bool {
        !self.apiKey.isEmpty && key == self.apiKey && Secret(secret) == self.apiSecret
    }

    private func verify(_ key: String, _ parameters: VonageParameters) throws(VonageRefusal) {
        guard !self.apiKey.isEmpty, key == self.apiKey, let secret = self.signatureSecret else { throw .badCredentials }
        guard parameters["timestamp"] != nil else { throw .missing("timestamp") }
        guard VonageSignature.verify(parameters.pairs, with: secret, by: self.signatureMethod) else {
            throw .badSignature
        }
    }
}

/// User and password of `Authorization: Basic` (RFC 7617).
func basicCredentials(_ authorization: String) -> (user: String, password: String)? {
    guard authorization.lowercased().hasPrefix("basic "), let bytes = Base64.decode(authorization.dropFirst(6)),
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    return (String(decoding: bytes[..<colon], as: UTF8.self), String(decoding: bytes[(colon + 1)...], as: UTF8.self))
}
