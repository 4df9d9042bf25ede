import Channels
import Crypto
import Messaging
import SMPP
import Testing

extension Sample {
    static func smppAccount(
        _ settings: [String: String] = [:], url: String = "smpp://smsc.example", sender: String? = "ACME",
        codes: String = "", credentials: [String: String] = ["system_id": "pinpost", "password": "s3cret"]
    ) -> ProviderAccount {
        ProviderAccount(
            id: ProviderID(rawValue: 4), name: "s1", kind: .smpp, baseURL: url,
            credentials: Credentials(credentials.mapValues { Secret($0) }), defaultSender: sender, settings: settings,
            codes: codes)
    }

    static func smpp(
        _ settings: [String: String] = [:], sender: String? = "ACME", codes: String = ""
    ) throws -> SMPPDriver {
        try SMPPDriver(self.smppAccount(settings, sender: sender, codes: codes))
    }

    /// A receipt as an SMSC sends it.
    static func smppReceipt(
        _ text: String, esmClass: UInt8 = 0x04, parameters: [OptionalParameters.Parameter] = []
    ) -> ShortMessage {
        var message = ShortMessage()
        message.esmClass = esmClass
        message.text = Array(text.utf8)
        message.parameters.all = parameters
        return message
    }
}
