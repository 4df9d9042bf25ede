import JSON
import Messaging

// What a message and a code have in common, whoever sends them.
extension FieldReader {
    mutating func recipient(_ json: JSON, on channel: Channel, at path: String = "") -> Recipient? {
        guard let text = self.string(json, "to", required: true, at: path) else { return nil }
        if let recipient = Recipient(canonical: text, channel: channel) { return recipient }
        self.fail(
            "\(path)/to",
            channel == .email
                ? "must be a mail address: ASCII letters, digits and signs, an at sign, and a domain"
                : "must be a number in E.164: a plus sign, then 7 to 15 digits that do not begin with 0")
        return nil
    }

    /// Nil when none is named.
    mutating func channel(_ json: JSON, at path: String = "") -> Channel? {
        guard let text = self.string(json, "channel", at: path) else { return nil }
        guard let channel = Channel(rawValue: text) else {
            self.fail("\(path)/channel", "must be one of \(Channel.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return channel
    }

    mutating func sender(_ json: JSON, on channel: Channel, at path: String = "") -> String? {
        channel == .email ? self.mailSender(json, at: path) : self.shortSender(json, at: path)
    }

    private mutating func mailSender(_ json: JSON, at path: String) -> String? {
        guard let text = self.string(json, "from", characters: MessageLimits.mailSenderCharacters, at: path) else {
            return nil
        }
        guard Mailbox(text) != nil else {
            self.fail("\(path)/from", "must be a mail address, or a name and an address in angle brackets")
            return nil
        }
        return text
    }

    private mutating func shortSender(_ json: JSON, at path: String) -> String? {
        guard let text = self.string(json, "from", characters: MessageLimits.senderCharacters, at: path) else {
            return nil
        }
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            self.fail("\(path)/from", "may hold printable ASCII characters only")
            return nil
        }
        return text
    }

    mutating func reference(_ json: JSON, at path: String = "") -> String? {
        self.string(json, "reference", characters: MessageLimits.referenceCharacters, at: path)
    }

    /// Kept as compact text, so that what the customer gets back is what it gave.
    mutating func metadata(_ json: JSON, at path: String = "") -> String? {
        guard let value = json["metadata"], !value.isNull else { return nil }
        let path = "\(path)/metadata"
        guard let members = value.members else {
            self.fail(path, "must be an object, not \(value.kind)")
            return nil
        }
        guard members.count <= MessageLimits.metadataMembers else {
            self.fail(path, "may have at most \(MessageLimits.metadataMembers) members")
            return nil
        }
        for member in members where member.value.members != nil || member.value.array != nil {
            self.fail("\(path)/\(FieldReader.escaped(member.name))", "must be a string, a number, a boolean or null")
        }
        for member in members where member.value.string?.utf8.contains(0) == true {
            self.fail("\(path)/\(FieldReader.escaped(member.name))", "must not hold a NUL")
        }
        let text = value.text
        guard text.utf8.count <= MessageLimits.metadataBytes else {
            self.fail(path, "must be at most \(MessageLimits.metadataBytes) bytes of JSON")
            return nil
        }
        return text
    }
}
