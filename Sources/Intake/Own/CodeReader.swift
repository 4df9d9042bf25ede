import Guard
import JSON
import Messaging
import Verification

/// Reads what our own API is asked about codes, and finds every problem at once.
enum CodeReader {
    /// A code to send, and whether its number is to be looked up first.
    static func code(_ json: JSON) throws(Problem) -> (code: CodeRequest, lookUp: Bool) {
        var reader = try Self.reader(
            json,
            [
                "application", "template", "to", "channel", "from", "placeholders", "reference", "metadata", "look_up",
                "caller",
            ])
        let channel = reader.channel(json) ?? .sms
        let application = reader.string(json, "application", required: true, at: "")
        let template = reader.string(json, "template", required: true, at: "")
        let recipient = reader.recipient(json, on: channel)
        let sender = reader.sender(json, on: channel)
        let placeholders = reader.placeholders(json) ?? [:]
        let (reference, metadata) = (reader.reference(json), reader.metadata(json))
        let lookUp = reader.flag(json, "look_up", at: "") ?? true
        let caller = reader.caller(json)
        guard let application, let template, let recipient, reader.problems.isEmpty else {
            throw .invalid(reader.problems)
        }
        let code = CodeRequest(
            application: application, template: template, recipient: recipient, channel: channel, sender: sender,
            placeholders: placeholders, reference: reference, metadata: metadata, caller: caller)
        return (code, lookUp)
    }

    /// What somebody typed, and who, as far as the customer says.
    static func guess(_ json: JSON) throws(Problem) -> (code: Code, caller: GuardCaller) {
        var reader = try Self.reader(json, ["code", "caller"])
        let caller = reader.caller(json)
        let limit = Code.byteLimit
        let code = reader.parsed(
            json, "code", expected: "what was typed, up to \(limit) bytes", required: true, at: "", Code.init(typed:))
        guard let code, reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return (code, caller)
    }

    /// How a code is to be sent again.
    static func resend(
        _ json: JSON
    ) throws(Problem) -> (channel: Channel?, placeholders: Placeholders?, caller: GuardCaller) {
        var reader = try Self.reader(json, ["channel", "placeholders", "caller"])
        let (channel, placeholders) = (reader.channel(json), reader.placeholders(json))
        let caller = reader.caller(json)
        guard reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return (channel, placeholders, caller)
    }

    /// Whose verifications are looked for, and which of them.
    static func search(
        _ json: JSON
    ) throws(Problem) -> (recipient: Recipient, application: String?, isVerified: Bool?) {
        var reader = try Self.reader(json, ["to", "application", "verified"])
        let recipient = Self.recipient(json, &reader)
        let application = reader.string(json, "application", at: "")
        let isVerified = reader.flag(json, "verified", at: "")
        guard let recipient, reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return (recipient, application, isVerified)
    }

    /// Who is to be unlocked.
    static func unlocking(_ json: JSON) throws(Problem) -> Recipient {
        var reader = try Self.reader(json, ["to"])
        let recipient = Self.recipient(json, &reader)
        guard let recipient, reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return recipient
    }

    // MARK: - Private

    private static func reader(_ json: JSON, _ known: Set<String>) throws(Problem) -> FieldReader {
        var reader = FieldReader()
        guard reader.isObject(json, known: known, at: "") else { throw .invalid(reader.problems) }
        return reader
    }

    private static func recipient(_ json: JSON, _ reader: inout FieldReader) -> Recipient? {
        reader.parsed(json, "to", expected: "a number in E.164 or a mail address", required: true, at: "") {
            Recipient(canonical: $0, channel: .sms) ?? Recipient($0, channel: .email)
        }
    }
}
