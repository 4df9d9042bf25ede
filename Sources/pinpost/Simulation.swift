import Carrier
import Crypto
import JSON

/// The simulated carrier as `up` knows it, from both sides.
enum Simulation {
    /// Shared with the carrier, so no secret: nothing leaves this machine.
    private static let apiKey = "simulated"
    private static let apiSecret = "simulated-secret"
    private static let signatureSecret = "simulated-signature-secret"
    private static let receiptUser = "carrier"
    private static let receiptPassword = "simulated-password"

    /// What the carrier expects and how it reports.
    static func carrier() -> Carrier.Configuration {
        var configuration = Carrier.Configuration()
        configuration.vonage.apiKey = Self.apiKey
        configuration.vonage.apiSecret = Secret(Self.apiSecret)
        configuration.vonage.signatureSecret = Secret(Self.signatureSecret)
        configuration.vonage.signatureMethod = .sha256
        configuration.vonage.signsReceipts = true
        configuration.infobip.apiKey = Secret(Self.apiSecret)
        configuration.infobip.receiptAuthorization = .basic(
            user: Self.receiptUser, password: Secret(Self.receiptPassword))
        return configuration
    }

    /// The account `demo` with its key, and the carrier as two providers; the first gets the route when there is none.
    static func configuration(key: Secret, carrier url: String, withRoute: Bool) -> [UInt8] {
        let json: JSON = [
            "accounts": [["name": "demo", "keys": [["name": "up", "key": .string(key.text)]]]],
            "providers": [
                [
                    "name": "simulated-vonage", "kind": "vonage-sms", "url": .string(url), "sender": "Pinpost",
                    "credentials": [
                        "api_key": .string(Self.apiKey), "api_secret": .string(Self.apiSecret),
                        "signature_secret": .string(Self.signatureSecret), "signature_method": "sha256",
                    ],
                    "in_flight": 64, "per_second": 10_000,
                ],
                [
                    "name": "simulated-infobip", "kind": "infobip-sms", "url": .string(url), "sender": "Pinpost",
                    "credentials": [
                        "api_key": .string(Self.apiSecret), "receipt_username": .string(Self.receiptUser),
                        "receipt_password": .string(Self.receiptPassword),
                    ],
                    "in_flight": 16, "per_second": 100_000,
                ],
            ],
            "routes": withRoute ? [["channel": "sms", "provider": "simulated-vonage"]] : [],
        ]
        return json.serialized()
    }
}
