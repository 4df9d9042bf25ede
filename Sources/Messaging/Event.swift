/// An event's name: made as a message's is, in the lane of its subject.
public struct EventID: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: MessageID
    public init(rawValue: MessageID) { self.rawValue = rawValue }

    public var lane: Lane { self.rawValue.lane }

    /// As customers see it, in `webhook-id` and in the API: `evt_` and 32 lower-case hexadecimal digits.
    public var description: String { Self.prefix + self.rawValue.description.filter { $0 != "-" } }

    /// Reads what ``description`` writes. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + 32 else { return nil }
        var canonical = Array(text.utf8.dropFirst(Self.prefix.utf8.count))
        for position in [20, 16, 12, 8] { canonical.insert(UInt8(ascii: "-"), at: position) }
        guard let id = MessageID(String(decoding: canonical, as: UTF8.self)) else { return nil }
        self.init(rawValue: id)
    }

    private static let prefix = "evt_"
}

/// What an event tells: that a message or a verification has come into a state, or that an endpoint was switched off.
public enum EventType: String, Sendable, Hashable, CaseIterable {
    case messageAccepted = "message.accepted"
    case messageUnknown = "message.unknown"
    case messageDelivered = "message.delivered"
    case messageUndelivered = "message.undelivered"
    case messageFailed = "message.failed"
    case messageExpired = "message.expired"
    case messageCancelled = "message.cancelled"
    case verificationVerified = "verification.verified"
    case verificationExhausted = "verification.exhausted"
    case verificationExpired = "verification.expired"
    case webhookDisabled = "webhook.disabled"

    /// The state that a message has come into; nil for what is no message's.
    public var messageState: MessageState? {
        guard self.rawValue.hasPrefix("message.") else { return nil }
        return MessageState(rawValue: String(self.rawValue.dropFirst(8)))
    }
}

/// Where a customer wants to be told.
public struct EndpointID: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// Whose words an endpoint understands.
public enum EndpointKind: String, Sendable, Hashable, CaseIterable {
    /// Our own, signed as Standard Webhooks has it; told of everything of its account.
    case standard
    /// Told of the messages that came in by this vendor's API.
    case infobip, bandwidth, nexmo

    /// What the sealed secrets of an endpoint are bound to: those moved to another row do not open.
    public func sealingContext(account: AccountID, publicID: String) -> String {
        "endpoint/\(account.rawValue)/\(self.rawValue)/\(publicID)"
    }
}
