import Channels
import Crypto
import HTTP
import JSON
import Messaging
import TestKeys

/// An account of each provider, whose receipts need a token and nothing else where that can be; ``FuzzSigner`` signs for the
/// others.
enum FuzzAccounts {
    static let token = "receipts-0123456789"
    /// Whatever an account signs or is signed to with.
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
    static let receiptURL = "https://r.example/receipts/p"

    static let drivers: [String: any Driver] = Dictionary(
        uniqueKeysWithValues: ProviderKind.allCases.compactMap { kind in
            FuzzAccounts.driver(for: kind).map { (kind.rawValue, $0) }
        })

    /// The driver for a kind's name; nil for no kind.
    static func driver(_ name: String) -> (any Driver)? { self.drivers[name] }

    // MARK: - Private

    private struct Form {
        var credentials: [String: String]
        var settings: [String: String] = [:]
        var url = "https://provider.example"
        var sender = "ACME"
    }

    /// What each kind needs, by its name, so that a kind which is not there yet costs nothing.
    private static let forms: [String: Form] = [
        "vonage-sms": Form(credentials: ["api_key": "abcd1234", "api_secret": "s3cret", "receipt_token": token]),
        "infobip-sms": Form(credentials: ["api_key": "key-1", "receipt_token": token]),
        "twilio-sms": Form(credentials: ["account_sid": "AC01", "auth_token": secret], sender: "+15550100"),
        "bandwidth-sms": Form(
            credentials: ["username": "api", "password": "s3cret", "receipt_token": token],
            settings: ["account_id": "500", "application_id": "app-1"], sender: "+15550100"),
        "telnyx-sms": Form(credentials: ["api_key": "KEY01", "receipt_token": token]),
        "plivo-sms": Form(credentials: ["auth_id": "MA01", "auth_token": secret], sender: "+15550100"),
        "sinch-sms": Form(
            credentials: ["api_token": "tok", "receipt_token": token], settings: ["service_plan_id": "plan-1"]),
        "messagebird-sms": Form(credentials: ["access_key": "key-1", "receipt_token": token]),
        "vonage-messages": Form(
            credentials: ["application_id": "a-1", "private_key": TestKey.pem, "receipt_token": token]),
        "infobip-voice": Form(credentials: ["api_key": "key-1", "receipt_token": token], sender: "+15550100"),
        "vonage-voice": Form(
            credentials: ["application_id": "a-1", "private_key": TestKey.pem, "receipt_token": token],
            sender: "+15550100"),
        "twilio-voice": Form(credentials: ["account_sid": "AC01", "auth_token": secret], sender: "+15550100"),
        "bandwidth-voice": Form(
            credentials: [
                "username": "api", "password": "s3cret", "receipt_username": "user", "receipt_password": "pass",
            ], settings: ["account_id": "500", "application_id": "app-1"], sender: "+15550100"),
        "infobip-email": Form(
            credentials: ["api_key": "key-1", "receipt_token": token], sender: "Acme <codes@acme.example>"),
        "sendgrid": Form(
            credentials: ["api_key": "SG.1", "receipt_token": token], sender: "Acme <codes@acme.example>"),
        "smtp": Form(
            credentials: ["receipt_token": token, "bounce_key": secret], settings: ["bounce_domain": "b.example"],
            url: "smtp://relay.example", sender: "Acme <codes@acme.example>"),
        "webhook": Form(credentials: ["secret": secret], settings: ["channels": "sms, voice, email"]),
        "smpp": Form(
            credentials: ["system_id": "pinpost", "password": "s3cret"], settings: ["receipt_detection": "text"],
            url: "smpp://smsc.example:2775"),
        "carrier": Form(credentials: ["api_key": "key-2", "receipt_token": token]),
        "discard": Form(credentials: [:]),
    ]

    private static func driver(for kind: ProviderKind) -> (any Driver)? {
        guard let form = self.forms[kind.rawValue] else { return nil }
        let account = ProviderAccount(
            id: ProviderID(rawValue: 1), name: "p", kind: kind, baseURL: form.url,
            credentials: Credentials(form.credentials.mapValues { Secret($0) }), receiptURL: self.receiptURL,
            defaultSender: form.sender, settings: form.settings)
        do {
            return try Drivers.make(account)
        } catch {
            fatalError("the account for fuzzing is wrong: \(error)")
        }
    }
}
