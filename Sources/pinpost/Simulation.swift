import Carrier
import Crypto
import JSON
import Messaging

/// The simulated carrier as `up` knows it, from both sides.
enum Simulation {
    /// Shared with the carrier, so no secret: nothing leaves this machine.
    private static let apiKey = "simulated"
    private static let apiSecret = "simulated-secret"
    private static let signatureSecret = "simulated-signature-secret"
    private static let receiptUser = "carrier"
    private static let receiptPassword = "simulated-password"
    private static let receiptToken = "simulated-receipt-token"

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
        configuration.own.apiKey = Secret(Self.apiSecret)
        return configuration
    }

    /// The account `demo` with its key, the carrier as three providers, and a route for each of `channels`.
    static func configuration(key: Secret, carrier url: String, routing channels: [Channel]) -> [UInt8] {
        let json: JSON = [
            "accounts": [
                [
                    "name": "demo", "keys": [["name": "up", "key": .string(key.text)]],
                    // Those of faults, which no plan knows, too.
                    "countries": ["*": "on", "+999": "on"], "guard": ["mode": "watch"],
                ]
            ],
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
                [
                    "name": "simulated-carrier", "kind": "carrier", "url": .string(url), "sender": "Pinpost",
                    "credentials": ["api_key": .string(Self.apiSecret), "receipt_token": .string(Self.receiptToken)],
                    "settings": ["mail_sender": "Pinpost <pinpost@example.com>"], "in_flight": 64, "per_second": 10_000,
                ],
            ],
            "routes": .array(
                channels.map { ["channel": .string($0.rawValue), "provider": .string(Self.provider(for: $0))] }),
        ]
        return json.serialized()
    }

    private static func provider(for channel: Channel) -> String {
        switch channel {
        case .sms: "simulated-vonage"
        case .voice, .email: "simulated-carrier"
        }
    }
}
