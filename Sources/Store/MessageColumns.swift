import Messaging
import Postgres
import Timestamps

/// New messages, a column an array, as `unnest` wants them.
struct MessageColumns {
    var ids: [MessageID] = []
    var providers: [Int32] = []
    var priorities: [Int16] = []
    var parts: [Int16] = []
    var channels: [String] = []
    var recipients: [String] = []
    var senders: [String?] = []
    var references: [String?] = []
    var metadata: [String?] = []
    var sendTimes: [Timestamp?] = []
    var timesToLive: [Int64] = []
    var bodies: [Bytes] = []
    var prices: [Int64?] = []
    var networks: [String?] = []
    var endpoints: [Int32?] = []
    var callbackURLs: [String?] = []

    mutating func append(_ message: NewMessage) {
        self.ids.append(message.id)
        self.providers.append(message.provider.rawValue)
        self.priorities.append(message.priority.rawValue)
        self.parts.append(message.parts)
        self.channels.append(message.channel.rawValue)
        self.recipients.append(message.recipient)
        self.senders.append(message.sender)
        self.references.append(message.reference)
        self.metadata.append(message.metadata)
        self.sendTimes.append(message.sendAt)
        self.timesToLive.append(message.timeToLive.microseconds)
        self.bodies.append(Bytes(message.body))
        self.prices.append(message.price?.amount.rawValue)
        self.networks.append(message.price?.network)
        self.endpoints.append(message.callback?.endpoint.rawValue)
        self.callbackURLs.append(message.callback?.url)
    }
}
