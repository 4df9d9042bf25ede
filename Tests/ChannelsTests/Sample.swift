import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

/// Accounts and messages that several suites use.
enum Sample {
    static let id = "0192d1e4-7000-7000-8000-000000000001"
    static let reference = MessageReference(id)!  // A literal.
    static let now = Timestamp(seconds: 1_582_650_446)
    static let token = "receipts-0123456789"

    /// The driver of an account whose provider speaks HTTP.
    static func httpDriver(_ account: ProviderAccount) throws -> any HTTPDriver {
        guard case .http(let driver) = try Drivers.make(account).wire else {
            preconditionFailure("a provider that does not speak HTTP")
        }
        return driver
    }

    static func dispatch(
        _ reference: MessageReference = reference, to recipient: String = "+447700900000", sender: String? = nil,
        text: String = "Your code is 123456", validity: Duration = .seconds(180)
    ) -> Dispatch {
        self.dispatch(
            .text(TextContent(text)), reference, to: recipient, sender: sender, validity: validity)
    }

    static func dispatch(
        _ content: Content, _ reference: MessageReference = reference, to recipient: String = "+447700900000",
        sender: String? = nil, validity: Duration = .seconds(180)
    ) -> Dispatch {
        Dispatch(
            reference: reference, recipient: Recipient(recipient, channel: content.channel)!, sender: sender,
            content: content, validity: validity, priority: .otp
        )
    }

    static func carrier(
        _ credentials: [String: String] = ["receipt_token": token], receiptURL: String? = "https://r.example/c",
        sender: String? = "ACME", settings: [String: String] = ["mail_sender": "Acme <codes@acme.example>"]
    ) -> ProviderAccount {
        let all = ["api_key": "key-2"].merging(credentials) { $1 }
        return ProviderAccount(
            id: ProviderID(rawValue: 3), name: "c1", kind: .carrier, baseURL: "https://carrier.example/",
            credentials: Credentials(all.mapValues { Secret($0) }), receiptURL: receiptURL, defaultSender: sender,
            settings: settings
        )
    }

    static func vonage(
        _ credentials: [String: String] = ["receipt_token": token], receiptURL: String? = "https://r.example/v",
        sender: String? = "ACME", settings: [String: String] = [:]
    ) -> ProviderAccount {
        let all = ["api_key": "abcd1234", "api_secret": "s3cret"].merging(credentials) { $1 }
        return ProviderAccount(
            id: ProviderID(rawValue: 1), name: "v1", kind: .vonageSMS, baseURL: "https://rest.nexmo.com/",
            credentials: Credentials(all.mapValues { Secret($0) }), receiptURL: receiptURL, defaultSender: sender,
            settings: settings
        )
    }

    static func infobip(
        _ credentials: [String: String] = ["receipt_username": "user", "receipt_password": "pass"],
        receiptURL: String? = "https://r.example/i", sender: String? = "ACME", settings: [String: String] = [:]
    ) -> ProviderAccount {
        let all = ["api_key": "key-1"].merging(credentials) { $1 }
        return ProviderAccount(
            id: ProviderID(rawValue: 2), name: "i1", kind: .infobipSMS, baseURL: "https://x.api.infobip.com",
            credentials: Credentials(all.mapValues { Secret($0) }), receiptURL: receiptURL, defaultSender: sender,
            settings: settings
        )
    }
}

extension HTTPResponse {
    init(_ status: Int, json: JSON, fields: HTTPFields = [:]) {
        self.init(status: status, fields: fields, body: json.serialized())
    }
}

extension Outcome {
    /// Nil unless it is a refusal.
    var verdict: Verdict? { if case .refused(let verdict, _, _) = self { verdict } else { nil } }
}
