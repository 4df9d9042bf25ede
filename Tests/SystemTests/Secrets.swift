import Crypto

/// What must not be seen in any log.
struct Secrets: Sendable {
    let apiKey = APIKey.make().text
    let vonageKey = Self.make()
    let vonageSecret = Self.make()
    let signatureSecret = Self.make()
    let infobipKey = Self.make()
    let receiptPassword = Self.make()
    let carrierKey = Self.make()
    let receiptToken = Self.make()

    var all: [String] {
        [
            self.apiKey, self.vonageKey, self.vonageSecret, self.signatureSecret, self.infobipKey, self.receiptPassword,
            self.carrierKey, self.receiptToken,
        ]
    }

    /// Makes the carrier know them.
    var carrierEnvironment: [String: String] {
        [
            "CARRIER_VONAGE_API_KEY": self.vonageKey, "CARRIER_VONAGE_API_SECRET": self.vonageSecret,
            "CARRIER_VONAGE_SIGNATURE_SECRET": self.signatureSecret, "CARRIER_INFOBIP_API_KEY": self.infobipKey,
            "CARRIER_INFOBIP_RECEIPT_USER": "carrier", "CARRIER_INFOBIP_RECEIPT_PASSWORD": self.receiptPassword,
            "CARRIER_API_KEY": self.carrierKey,
        ]
    }

    private static func make() -> String { Hex.encode(SystemRandom.bytes(12)) }
}
