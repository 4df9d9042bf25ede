import Callbacks
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

/// Events of one message, and what becomes of them at endpoints.
enum Sample {
    static let now = Timestamp(seconds: 1_614_265_330)
    static let occurredAt = Timestamp(microseconds: 1_614_265_329_250_000)
    static let id = MessageID(high: 0x0192_d1e4_7000_7abc, low: 0x8000_0000_0000_00fe)

    static func message(
        recipient: String = "+16365553226", channel: Channel = .sms, isTracked: Bool = true
    ) -> CallbackEvent.Message {
        CallbackEvent.Message(
            id: Self.id, channel: channel, recipient: recipient, currency: "EUR",
            acceptedAt: Timestamp(seconds: 1_614_265_300), isTracked: isTracked)
    }

    static func event(
        _ type: EventType, _ message: CallbackEvent.Message = Self.message(), reason: String? = nil,
        at moment: Timestamp = Self.occurredAt
    ) -> CallbackEvent {
        CallbackEvent(
            id: EventID(rawValue: Self.id), type: type, sequence: 2, occurredAt: moment, reason: reason,
            subject: .message(message))
    }

    static func endpoint(
        _ kind: EndpointKind, url: String = "https://example.com/hook?token=1", _ settings: [String: String] = [:],
        _ secrets: CallbackSecrets = CallbackSecrets()
    ) -> CallbackEndpoint {
        CallbackEndpoint(kind: kind, url: url, settings: settings, secrets: secrets)
    }

    /// The JSON that an endpoint is told.
    static func told(_ event: CallbackEvent, to endpoint: CallbackEndpoint) throws -> JSON {
        let request = try #require(Callbacks.request(for: event, to: endpoint, now: Self.now))
        return try JSON(parsing: request.body)
    }

    /// The event that tells of a state.
    static func type(of state: MessageState) -> EventType? { EventType(rawValue: "message.\(state.rawValue)") }
}
