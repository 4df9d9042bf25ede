public import Crypto

extension Carrier.Configuration {
    /// The accounts with the contracts of calls, mails and gateways.
    public struct Services: Sendable {
        public var vonage = VonageApplication()
        public var twilio = TwilioCalls()
        public var bandwidth = BandwidthCalls()
        public var sendGrid = SendGrid()
        public var gateway = Gateway()
    }

    /// Vonage's newer interfaces: calls and messages.
    public struct VonageApplication: Sendable {
        public var applicationID = ""
        /// Whose other half signs requests; nil takes any signature.
        public var publicKey: RSAPublicKey?
        public var apiKey = ""
        /// Signs callbacks.
        public var signatureSecret = Secret("")
        public var retries = Self.usualRetries

        static let usualRetries = [Duration](repeating: .seconds(5), count: 60)
    }

    public struct TwilioCalls: Sendable {
        public var accountSID = ""
        /// Authenticates requests and signs callbacks.
        public var authToken = Secret("")
        public var retries = VonageApplication.usualRetries
    }

    public struct BandwidthCalls: Sendable {
        public var username = ""
        public var password = Secret("")
        public var retries = VonageApplication.usualRetries
    }

    public struct SendGrid: Sendable {
        public var apiKey = Secret("")
        /// Signs events; nil signs none.
        public var signingKey: ECDSAPrivateKey?
        /// Where events go: with this provider, no mail says it.
        public var receiptURL: String?
        public var retries = VonageApplication.usualRetries
    }

    /// The operator's own gateway, by our contract.
    public struct Gateway: Sendable {
        /// `whsec_` and base64.
        public var secret = Secret("")
        public var receiptURL: String?
        public var retries = VonageApplication.usualRetries
    }
}
