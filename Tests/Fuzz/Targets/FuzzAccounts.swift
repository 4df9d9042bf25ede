import Channels
import Crypto
import HTTP
import JSON
import Messaging

/// An account of each provider, whose receipts need a token and nothing else where that can be.
enum FuzzAccounts {
    static let token = "receipts-0123456789"

    static let drivers: [String: any Driver] = Dictionary(
        uniqueKeysWithValues: ProviderKind.allCases.compactMap { kind in
            FuzzAccounts.account(kind).map { (kind.rawValue, $0) }
        })

    /// The driver for a kind's name; nil for no kind.
    static func driver(_ name: String) -> (any Driver)? { self.drivers[name] }

    // MARK: - Private

    /// What each kind needs, by its name, so that a kind which is not there yet costs nothing.
    private static let credentials: [String: [String: String]] = [
        "vonage-sms": ["api_key": "abcd1234", "api_secret": "s3cret", "receipt_token": token],
        "infobip-sms": ["api_key": "key-1", "receipt_token": token],
        "carrier": ["api_key": "key-2", "receipt_token": token],
        "discard": [:],
    ]

    private static func account(_ kind: ProviderKind) -> (any Driver)? {
        guard let credentials = self.credentials[kind.rawValue] else { return nil }
        let account = ProviderAccount(
            id: ProviderID(rawValue: 1), name: "p", kind: kind, baseURL: "https://provider.example",
            credentials: Credentials(credentials.mapValues { Secret($0) }),
            receiptURL: "https://r.example/receipts/p", defaultSender: "ACME")
        do {
            return try Drivers.make(account)
        } catch {
            fatalError("the account for fuzzing is wrong: \(error)")
        }
    }
}
