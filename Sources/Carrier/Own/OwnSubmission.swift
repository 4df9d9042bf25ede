import HTTP
import JSON
import Messaging

/// A request by the carrier's own contract, read and checked.
struct OwnSubmission {
    var reference: String
    var recipient: Recipient
    var from: String
    var content: Content
    var receiptURL: String?

    /// Characters.
    static let referenceLimit = 100
    static let callTextLimit = 1400
    static let subjectLimit = 200
    /// Bytes.
    static let mailTextLimit = 64 << 10

    init(_ json: JSON, _ channel: Channel) throws(OwnRefusal) {
        self.reference = try Self.text(json, "reference", upTo: Self.referenceLimit)
        guard let recipient = Recipient(json["to"]?.string ?? "", channel: channel) else { throw .invalidDestination }
        self.recipient = recipient
        self.from = json["from"]?.string ?? ""
        let isSender = channel == .email ? Mailbox(self.from) != nil : !self.from.isEmpty
        guard isSender else { throw .invalidSender }
        self.content = channel == .email ? .mail(try Self.mail(json)) : .speech(try Self.speech(json))
        self.receiptURL = json["receipt_url"]?.string
        if let url = self.receiptURL, !isWebAddress(url) { throw .invalid("receipt_url") }
        if let seconds = json["seconds"], (seconds.integer ?? 0) < 1 { throw .invalid("seconds") }
    }

    private static func speech(_ json: JSON) throws(OwnRefusal) -> Speech {
        var rate = 1.0
        switch json["rate"] {
        case nil: break
        case .number(let number)? where Speech.rates.contains(number): rate = number
        case .integer(let number)? where Speech.rates.contains(Double(number)): rate = Double(number)
        default: throw .invalid("rate")
        }
        return Speech(
            try self.text(json, "text", upTo: self.callTextLimit), language: try self.text(json, "language", upTo: 35),
            voice: json["voice"]?.string, rate: rate, repeatDTMF: json["repeat"]?.string)
    }

    private static func mail(_ json: JSON) throws(OwnRefusal) -> Mail {
        let subject = try self.text(json, "subject", upTo: self.subjectLimit)
        guard subject.isOneLine else { throw .invalid("subject") }
        guard let text = json["text"]?.string, !text.isEmpty, text.utf8.count <= self.mailTextLimit else {
            throw .invalid("text")
        }
        return Mail(subject: subject, text: text)
    }

    private static func text(_ json: JSON, _ name: String, upTo limit: Int) throws(OwnRefusal) -> String {
        guard let text = json[name]?.string, (1...limit).contains(text.unicodeScalars.count) else {
            throw .invalid(name)
        }
        return text
    }
}

/// Why the carrier does not take a message under its own contract.
struct OwnRefusal: Error, Hashable {
    var status: Int
    var code: String
    /// For a throttle.
    var milliseconds: Int?
    /// What is wrong, by its name.
    var field: String?

    static let unauthorized = OwnRefusal(status: 401, code: "unauthorized")
    static let duplicate = OwnRefusal(status: 409, code: "duplicate")
    static let invalidDestination = OwnRefusal(status: 422, code: "invalid_destination", field: "to")
    static let invalidSender = OwnRefusal(status: 422, code: "invalid_sender", field: "from")

    static func invalid(_ field: String) -> OwnRefusal {
        OwnRefusal(status: 422, code: "invalid_request", field: field)
    }

    static func throttled(milliseconds: Int) -> OwnRefusal {
        OwnRefusal(status: 429, code: "throttled", milliseconds: milliseconds)
    }

    /// The refusal with a code that somebody asked for.
    static func asked(_ code: String?) -> OwnRefusal {
        OwnRefusal(status: 422, code: code ?? Self.invalidDestination.code)
    }

    var response: HTTPResponse {
        var members: [JSON.Member] = [.init("code", .string(self.code))]
        if let field = self.field { members.append(.init("problem", .string("\(field) is missing or wrong"))) }
        var response = HTTPResponse.json(self.status, .object(members))
        // In whole seconds, so the wait is rounded up.
        if let milliseconds { response.fields["Retry-After"] = "\((milliseconds + 999) / 1000)" }
        return response
    }
}
