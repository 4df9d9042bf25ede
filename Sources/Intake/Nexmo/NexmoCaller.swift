import Channels
import Crypto
import HTTP
import Messaging
import Timestamps

/// Who makes a request of the vendor's, and by which key.
struct NexmoCaller {
    var principal: Principal
    var apiKey: String

    /// How far a signed request's clock may be from ours.
    static let signatureWindow = Duration.seconds(5 * 60)

    /// Why it is not known who makes a request.
    enum Doubt: Error, Hashable {
        /// The name of a parameter that is not there.
        case missing(String)
        case wrongCredentials
        case wrongSignature
    }

    /// By a key with its secret, or with a signature; with both, both must be right. Without either by Basic authentication: an
    /// Authorization field may be left over from another request of the same client, so that parameters go before it.
    ///
    /// `window`: how old a signature may be; nil for any age.
    init(_ request: HTTPRequest, _ parameters: NexmoParameters, window: Duration?, _ access: Access) throws(Doubt) {
        let (secret, isSigned) = (parameters["api_secret"], parameters["sig"] != nil)
        if secret == nil, !isSigned, let basic = request.basicCredentials {
            self = try Self.caller(basic.name, secret: basic.password, access)
            guard parameters["api_key"].map({ $0 == basic.name }) ?? true else { throw .wrongCredentials }
            return
        }
        guard let key = parameters["api_key"] else { throw .missing("api_key") }
        guard secret != nil || isSigned else { throw .missing("api_secret") }
        if isSigned {
            self = try Self.signer(key, parameters, window: window, access)
            guard let secret else { return }
            _ = try Self.caller(key, secret: secret, access)
        } else {
            self = try Self.caller(key, secret: secret ?? "", access)
        }
    }

    private init(_ principal: Principal, _ apiKey: String) {
        self.principal = principal
        self.apiKey = apiKey
    }

    // MARK: - Private

    private static func caller(_ key: String, secret: String, _ access: Access) throws(Doubt) -> NexmoCaller {
        guard let principal = access.principal(vendor: .nexmo, name: key, password: secret) else {
            throw .wrongCredentials
        }
        return NexmoCaller(principal, key)
    }

    private static func signer(
        _ key: String, _ parameters: NexmoParameters, window: Duration?, _ access: Access
    ) throws(Doubt) -> NexmoCaller {
        let known = access.signature(vendor: .nexmo, name: key)
        // The time does not tell which keys there are.
        let isRight = (known?.signature ?? Self.nobodys).verifies(parameters.form)
        guard let known, isRight else { throw .wrongSignature }
        if let window {
            guard
                let seconds = parameters["timestamp"].flatMap({ Int64($0) }), seconds.magnitude < 1 << 40,
                case let age = Timestamp.now - Timestamp(seconds: seconds), max(age, .zero - age) <= window
            else { throw .wrongSignature }
        }
        return NexmoCaller(known.principal, key)
    }

    private static let nobodys = VonageSignature(secret: Secret("nobody's"), method: .md5hash)
}
