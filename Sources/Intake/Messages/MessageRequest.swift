import Guard
import JSON
import Messaging
import Routing
import Timestamps
import Verification

/// One message as a customer asks for it, checked.
struct MessageRequest: Sendable {
    var recipient: Recipient
    var sender: String?
    var content: Content
    /// Short messages that the text becomes; 1 on the other channels.
    var parts: Int16
    var timeToLive: Duration
    var sendAt: Timestamp?
    var priority: Priority
    var reference: String?
    var metadata: String?
    /// Whose user it is for.
    var caller = GuardCaller()
    var callback: Callback?

    var channel: Channel { self.content.channel }

    /// What its route is looked for by.
    func routeQuery(of account: AccountID) -> RouteQuery {
        RouteQuery(
            account: account, channel: self.channel, recipient: self.recipient, sender: self.sender,
            priority: self.priority)
    }
}

/// A message whose way and price are known.
struct RoutedMessage: Sendable {
    var request: MessageRequest
    var provider: ProviderID
    /// For all of its segments.
    var price: Price?
    /// Whether its id must be one of 16 characters; see ``MessageID/compactText``.
    var hasCompactID = false
}

/// What was accepted, committed.
struct AcceptedMessages: Sendable {
    var ids: [MessageID]
    /// What the account has left; nil for one that pays afterwards, and for an answer that is repeated.
    var balance: Money?
    /// The answer to a request that had been made before under the same idempotency key.
    var isRepeated = false
}

/// What a message may be. Each limit is told to whoever passes it.
enum MessageLimits {
    /// Messages in one request.
    static let messages = 1000
    /// Segments of one text; providers take between 6 and 25.
    static let segments = TemplateLimits.segments
    /// Bytes; more cannot be within the limit of segments.
    static let bodyBytes = 8000
    /// Characters of a text to be spoken: a minute or more.
    static let speechCharacters = 1...1000
    static let voiceCharacters = TemplateLimits.voiceCharacters
    /// Characters of a language's tag, as RFC 5646 section 4.4.1 would have buffers take.
    static let languageCharacters = 2...35
    /// Bytes of a mail's text, so that a full array of messages may hold some.
    static let mailBytes = 16 << 10
    static let subjectCharacters = TemplateLimits.subjectCharacters
    /// Characters, as providers allow of numeric senders; alphanumeric ones are shorter.
    static let senderCharacters = TemplateLimits.senderCharacters
    /// Characters of an address and the name before it.
    static let mailSenderCharacters = 1...320
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
    private var fields = FieldReader()
    private let now: Timestamp

    var problems: [JSONProblem] { self.fields.problems }

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
            guard self.problems.count < FieldReader.problemLimit else { break }
            if let message = self.message(element, at: "/\(index)") { messages.append(message) }
        }
        return messages
    }

    /// With the one channel that has the field; nil for those that all have.
    private static let owners: [String: Channel?] = [
        "to": nil, "channel": nil, "from": nil, "body": nil, "ttl": nil, "send_at": nil, "priority": nil,
        "reference": nil, "metadata": nil, "caller": nil, "language": .voice, "voice": .voice, "subject": .email,
    ]

    private mutating func message(_ json: JSON, at path: String) -> MessageRequest? {
        guard let members = json.members else {
            self.fail(path, "must be an object, not \(json.kind)")
            return nil
        }
        let before = self.problems.count
        let channel = self.fields.channel(json, at: path) ?? .sms
        self.refuseUnknown(members, on: channel, at: path)
        let recipient = self.fields.recipient(json, on: channel, at: path)
        let (content, parts) = self.content(json, on: channel, at: path)
        let priority = self.priority(json, at: path)
        let sendAt = self.sendAt(json, at: path)
        let message = MessageRequest(
            recipient: recipient ?? Self.nobody, sender: self.fields.sender(json, on: channel, at: path),
            content: content, parts: parts, timeToLive: self.timeToLive(json, priority: priority, at: path),
            sendAt: sendAt,
            priority: priority,
            reference: self.fields.reference(json, at: path), metadata: self.fields.metadata(json, at: path),
            caller: self.fields.caller(json, at: path))
        return self.problems.count == before ? message : nil
    }

    // MARK: - Fields

    private mutating func refuseUnknown(_ members: [JSON.Member], on channel: Channel, at path: String) {
        for member in members {
            guard let owner = Self.owners[member.name] else {
                self.fail("\(path)/\(FieldReader.escaped(member.name))", "is not a field of a message")
                continue
            }
            if let owner, owner != channel, !member.value.isNull {
                self.fail("\(path)/\(member.name)", "is for the channel \(owner.rawValue) only")
            }
        }
    }

    /// Stands for a recipient that could not be read, until the problem is told. Seven digits after the plus are always a
    /// number.
    private static let nobody = Recipient.phone(PhoneNumber("+1000000")!)

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

    // MARK: - For the content too

    mutating func string(_ json: JSON, _ name: String, required: Bool = false, at path: String) -> String? {
        self.fields.string(json, name, required: required, at: path)
    }

    mutating func text(
        _ json: JSON, _ name: String, characters: ClosedRange<Int>, required: Bool = false, at path: String
    ) -> String? {
        self.fields.string(json, name, characters: characters, required: required, at: path)
    }

    mutating func fail(_ path: String, _ problem: String) { self.fields.fail(path, problem) }
}
