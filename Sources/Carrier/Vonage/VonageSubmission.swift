import Crypto
import HTTP
import JSON
import Messaging

/// A request to Vonage's SMS API, read and checked as far as the message goes.
struct VonageSubmission {
    /// Digits only.
    var to: String
    var from: String
    var text: String
    var segments: Int
    var clientReference: String?
    var callback: String?
    var wantsReceipt: Bool

    /// Characters of a text.
    static let textLimit = 3200

    init(_ parameters: VonageParameters) throws(VonageRefusal) {
        self.to = try Self.required(parameters, "to")
        self.from = try Self.required(parameters, "from")
        self.text = try Self.required(parameters, "text")
        guard isRecipient(self.to) else { throw .invalid("to") }
        guard Self.isSender(self.from) else { throw .invalidSender }
        guard self.text.count <= Self.textLimit else { throw .tooLong }
        self.segments = try Self.segments(of: self.text, type: parameters["type"] ?? "text")
        self.clientReference = parameters["client-ref"]
        guard (self.clientReference?.count ?? 0) <= 100 else { throw .invalid("client-ref") }
        self.callback = parameters["callback"]
        if let callback, !isWebAddress(callback) || callback.count > 100 { throw .invalidCallback }
        self.wantsReceipt = try Self.flag(parameters, "status-report-req") ?? true
        if let ttl = parameters["ttl"] {
            guard let milliseconds = Int(ttl), (20_000...604_800_000).contains(milliseconds) else {
                throw .invalid("ttl")
            }
        }
    }

    private static func required(_ parameters: VonageParameters, _ name: String) throws(VonageRefusal) -> String {
        guard let value = parameters[name], !value.isEmpty else { throw .missing(name) }
        return value
    }

    private static func flag(_ parameters: VonageParameters, _ name: String) throws(VonageRefusal) -> Bool? {
        switch parameters[name] {
        case nil: nil
        case "1", "true": true
        case "0", "false": false
        default: throw .invalid(name)
        }
    }

    /// Digits as a number has them, or up to eleven letters, digits and spaces.
    private static func isSender(_ text: String) -> Bool {
        if text.utf8.allSatisfy(isDigit) { return text.utf8.count <= 15 }
        return text.count <= 11 && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == " ") }
    }

    private static func segments(of text: String, type: String) throws(VonageRefusal) -> Int {
        let segments = Segments(of: text)
        switch type {
        case "text": return segments.count
        // The caller forces two octets a character where one would have done.
        case "unicode":
            let isCut = text.utf16.count > 70
            return segments.alphabet == .ucs2 ? segments.count : isCut ? (text.utf16.count + 66) / 67 : 1
        default: throw .invalid("type")
        }
    }
}

/// A request's parameters, from a form or from JSON, where values are texts, numbers or booleans.
struct VonageParameters {
    var pairs: [(name: String, value: String)]

    subscript(_ name: String) -> String? { self.pairs.first { $0.name == name }?.value }

    init?(_ request: HTTPRequest) {
        if request.fields["Content-Type"]?.lowercased().hasPrefix("application/json") == true {
            guard let members = (try? JSON(parsing: request.body))?.members else { return nil }
            self.pairs = []
            for member in members {
                guard let value = Self.text(member.value) else { return nil }
                self.pairs.append((member.name, value))
            }
        } else {
            guard let form = Form(parsing: request.body) else { return nil }
            self.pairs = form.pairs
        }
    }

    private static func text(_ json: JSON) -> String? {
        switch json {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .bool(let value): "\(value)"
        default: nil
        }
    }
}

/// 7 to 15 digits without a plus sign, as both providers want a recipient.
func isRecipient(_ text: String) -> Bool {
    (7...15).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "0") && text.utf8.allSatisfy(isDigit)
}

func isWebAddress(_ text: String) -> Bool {
    (text.hasPrefix("http://") || text.hasPrefix("https://")) && !text.utf8.contains { $0 <= 0x20 || $0 == 0x7F }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
