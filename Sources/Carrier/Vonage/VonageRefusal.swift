/// Why Vonage's SMS API does not take a message. The HTTP status is 200 all the same.
struct VonageRefusal: Error, Hashable {
    /// As in the answer's `status`.
    var status: String
    /// As in the answer's `error-text`.
    var text: String

    static func missing(_ name: String) -> VonageRefusal { VonageRefusal(status: "2", text: "Missing \(name)") }
    static func invalid(_ name: String) -> VonageRefusal {
        VonageRefusal(status: "3", text: "Invalid value for parameter: \(name)")
    }
    static let badCredentials = VonageRefusal(status: "4", text: "Bad Credentials")
    static let tooLong = VonageRefusal(status: "12", text: "The length of the message body is too long")
    static let badSignature = VonageRefusal(status: "14", text: "Invalid Signature")
    static let invalidSender = VonageRefusal(status: "15", text: "Invalid sender address")
    static let invalidCallback = VonageRefusal(status: "23", text: "Invalid callback url")
    static let signatureAndSecret = VonageRefusal(status: "32", text: "Signature And API Secret Disallowed")

    static func throttled(milliseconds: Int) -> VonageRefusal {
        VonageRefusal(
            status: "1", text: "Throughput Rate Exceeded - please wait [ \(milliseconds) ] and retry"
        )
    }

    /// The refusal with a status that somebody asked for.
    static func asked(_ code: String?) -> VonageRefusal {
        let status = code ?? "6"
        return VonageRefusal(status: status, text: Self.texts[status] ?? "Refused")
    }

    private static let texts = [
        "1": "Throughput Rate Exceeded - please wait [ 1000 ] and retry", "2": "Missing parameter",
        "3": "Invalid parameter", "4": "Bad Credentials", "5": "Internal Error", "6": "Unroutable message - rejected",
        "7": "Number barred", "8": "Partner account barred", "9": "Partner quota violation",
        "10": "Too many existing binds", "11": "Account not enabled for HTTP", "12": "Message too long",
        "14": "Invalid Signature", "15": "Invalid sender address", "22": "Invalid network code",
        "23": "Invalid callback url", "29": "Non-Whitelisted Destination", "32": "Signature And API Secret Disallowed",
        "33": "Number De-activated",
    ]
}
