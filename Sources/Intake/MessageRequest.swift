import JSON
import Messaging
import Timestamps

/// One message as a customer asks for it, checked.
struct MessageRequest: Sendable {
    var recipient: PhoneNumber
    var channel: Channel
    var sender: String?
    var body: String
    var parts: Int16
    var timeToLive: Duration
    var sendAt: Timestamp?
    var priority: Priority
    var reference: String?
    var metadata: String?
}

/// What a message may be. Each limit is told to whoever passes it.
enum MessageLimits {
    /// Messages in one request.
    static let messages = 1000
    /// Segments of one text; providers take between 6 and 25.
    static let segments = 10
    /// Bytes; more cannot be within the limit of segments.
    static let bodyBytes = 8000
    /// Characters, as providers allow of numeric senders; alphanumeric ones are shorter.
    static let senderCharacters = 1...15
    static let referenceCharacters = 1...64
    static let metadataMembers = 20
    static let metadataBytes = 2048
    /// Seconds.
    static let timeToLive: ClosedRange<Int64> = 10...259_200
    /// A request may be so late, for clocks that differ.
    static let sendAtPast = Duration.seconds(60)
    /// As far ahead as partitions are kept whatever the retention.
    static let sendAtFuture = Duration.seconds(7 * 86400)

    /// Seconds that a message may be sent when the request does not say: a code is worthless after ten minutes.
    static func defaultTimeToLive(_ priority: Priority) -> Int64 {
        switch priority {
        case .otp: 600
        case .transactional: 86_400
        case .bulk: 259_200
        }
    }
}

/// Reads messages out of a request's body, and finds every problem in it at once.
struct MessageReader {
    private(set) var problems: [Problem.Detail] = []
    private let now: Timestamp

    /// Problems told in one answer.
    static let problemLimit = 50

    init(now: Timestamp) { self.now = now }

    /// A message, or an array of at most ``MessageLimits/messages``.
    mutating func read(_ body: JSON) -> [MessageRequest] {
        guard let elements = body.array else { return self.message(body, at: "").map { [$0] } ?? [] }
        guard (1...MessageLimits.messages).contains(elements.count) else {
            self.fail("", "give between 1 and \(MessageLimits.messages) messages")
            return []
        }
        var messages: [MessageRequest] = []
        messages.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard self.problems.count < Self.problemLimit else { break }
            if let message = self.message(element, at: "/\(index)") { messages.append(message) }
        }
        return messages
    }

    private static let fields: Set<String> = [
        "to", "channel", "from", "body", "ttl", "send_at", "priority", "reference", "metadata",
    ]

    private mutating func message(_ json: JSON, at path: String) -> MessageRequest? {
        guard let members = json.members else {
            self.fail(path, "must be an object, not \(json.kind)")
            return nil
        }
        let before = self.problems.count
        for member in members where !Self.fields.contains(member.name) {
            self.fail("\(path)/\(Self.escaped(member.name))", "is not a field of a message")
        }
        let channel = self.channel(json, at: path)
        let recipient = self.recipient(json, at: path)
        let (body, parts) = self.body(json, at: path)
        let priority = self.priority(json, at: path)
        let sendAt = self.sendAt(json, at: path)
        let message = MessageRequest(
            recipient: recipient ?? Self.nobody, channel: channel, sender: self.sender(json, at: path), body: body,
            parts: parts, timeToLive: self.timeToLive(json, priority: priority, at: path), sendAt: sendAt,
            priority: priority,
            reference: self.text(json, "reference", characters: MessageLimits.referenceCharacters, at: path),
            metadata: self.metadata(json, at: path))
        return self.problems.count == before ? message : nil
    }

    // MARK: - Fields

    /// Stands for a recipient that could not be read, until the problem is told.
    private static let nobody = PhoneNumber("+1000000")!  // Seven digits after the plus: always a number.

    private mutating func recipient(_ json: JSON, at path: String) -> PhoneNumber? {
        guard let text = self.string(json, "to", required: true, at: path) else { return nil }
        guard let number = PhoneNumber(text) else {
            self.fail(
                "\(path)/to", "must be a number in E.164: a plus sign, then 7 to 15 digits that do not begin with 0")
            return nil
        }
        return number
    }

    private mutating func channel(_ json: JSON, at path: String) -> Channel {
        guard let text = self.string(json, "channel", at: path) else { return .sms }
        guard let channel = Channel(rawValue: text) else {
            self.fail("\(path)/channel", "must be one of \(Channel.allCases.map(\.rawValue).joined(separator: ", "))")
            return .sms
        }
        return channel
    }

    private mutating func sender(_ json: JSON, at path: String) -> String? {
        guard let text = self.text(json, "from", characters: MessageLimits.senderCharacters, at: path) else {
            return nil
        }
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            self.fail("\(path)/from", "may hold printable ASCII characters only")
            return nil
        }
        return text
    }

    private mutating func body(_ json: JSON, at path: String) -> (text: String, parts: Int16) {
        guard let text = self.string(json, "body", required: true, at: path) else { return ("", 1) }
        guard !text.isEmpty else {
            self.fail("\(path)/body", "must not be empty")
            return ("", 1)
        }
        guard text.utf8.count <= MessageLimits.bodyBytes else {
            self.fail("\(path)/body", "must be at most \(MessageLimits.segments) segments long")
            return ("", 1)
        }
        let parts = Segments(of: text).count
        if parts > MessageLimits.segments {
            self.fail("\(path)/body", "is \(parts) segments long; at most \(MessageLimits.segments) can be sent")
        }
        return (text, Int16(parts))
    }

    private mutating func priority(_ json: JSON, at path: String) -> Priority {
        guard let text = self.string(json, "priority", at: path) else { return .transactional }
        guard let priority = Priority(name: text) else {
            self.fail("\(path)/priority", "must be one of \(Priority.allCases.map(\.name).joined(separator: ", "))")
            return .transactional
        }
        return priority
    }

    private mutating func timeToLive(_ json: JSON, priority: Priority, at path: String) -> Duration {
        let fallback = Duration.seconds(MessageLimits.defaultTimeToLive(priority))
        guard let value = json["ttl"], !value.isNull else { return fallback }
        guard let seconds = value.integer else {
            self.fail("\(path)/ttl", "must be an integer, the seconds that the message may be sent; not \(value.kind)")
            return fallback
        }
        let range = MessageLimits.timeToLive
        guard range.contains(seconds) else {
            self.fail("\(path)/ttl", "must be between \(range.lowerBound) and \(range.upperBound) seconds")
            return fallback
        }
        return .seconds(seconds)
    }

    private mutating func sendAt(_ json: JSON, at path: String) -> Timestamp? {
        guard let text = self.string(json, "send_at", at: path) else { return nil }
        guard let moment = Timestamp(text) else {
            self.fail("\(path)/send_at", "must be a time in RFC 3339, as in 2026-11-21T09:15:00Z")
            return nil
        }
        let earliest = self.now - MessageLimits.sendAtPast
        let latest = self.now + MessageLimits.sendAtFuture
        guard moment >= earliest, moment <= latest else {
            self.fail("\(path)/send_at", "must be a time between now and seven days from now")
            return nil
        }
        return moment
    }

    /// Kept as compact text, so that what the customer gets back is what it gave.
    private mutating func metadata(_ json: JSON, at path: String) -> String? {
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
            self.fail("\(path)/\(Self.escaped(member.name))", "must be a string, a number, a boolean or null")
        }
        for member in members where member.value.string?.utf8.contains(0) == true {
            self.fail("\(path)/\(Self.escaped(member.name))", "must not hold a NUL")
        }
        let text = value.text
        guard text.utf8.count <= MessageLimits.metadataBytes else {
            self.fail(path, "must be at most \(MessageLimits.metadataBytes) bytes of JSON")
            return nil
        }
        return text
    }

    // MARK: - Kinds

    /// A string without NUL, which PostgreSQL cannot store; null counts as absent.
    private mutating func string(_ json: JSON, _ name: String, required: Bool = false, at path: String) -> String? {
        guard let value = json[name], !value.isNull else {
            if required { self.fail("\(path)/\(name)", "is required") }
            return nil
        }
        guard let text = value.string else {
            self.fail("\(path)/\(name)", "must be a string, not \(value.kind)")
            return nil
        }
        guard !text.utf8.contains(0) else {
            self.fail("\(path)/\(name)", "must not hold a NUL")
            return nil
        }
        return text
    }

    private mutating func text(
        _ json: JSON, _ name: String, characters: ClosedRange<Int>, at path: String
    ) -> String? {
        guard let text = self.string(json, name, at: path) else { return nil }
        guard characters.contains(text.unicodeScalars.count) else {
            self.fail("\(path)/\(name)", "must have \(characters.lowerBound) to \(characters.upperBound) characters")
            return nil
        }
        return text
    }

    private mutating func fail(_ path: String, _ problem: String) {
        guard self.problems.count < Self.problemLimit else { return }
        self.problems.append(Problem.Detail(path, problem))
    }

    /// A name as a reference token of a JSON Pointer (RFC 6901 section 3), cut where a stranger's name is long.
    private static func escaped(_ name: String) -> String {
        var escaped = String.UnicodeScalarView()
        // Scalars: one Character may be a whole body of accents.
        for scalar in name.unicodeScalars.prefix(64) {
            switch scalar {
            case "~": escaped += "~0".unicodeScalars
            case "/": escaped += "~1".unicodeScalars
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
