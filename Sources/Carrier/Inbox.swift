import JSON
import Messaging
import Timestamps

/// What the handsets and mailboxes have received: the newest messages, by arrival and by recipient.
///
/// A ring: each message remembers the one before it to the same recipient, so that a look-up walks only over that
/// recipient's messages, and a message that makes room leaves no trace.
struct Inbox {
    struct Message: Hashable {
        var to: String
        var from: String
        var content: Content
        var at: Timestamp

        /// The same five members for every channel, and then what its own has beside.
        var json: JSON {
            let common: [(String, JSON?)] = [
                ("to", .string(self.to)), ("from", .string(self.from)), ("text", .string(self.content.body)),
                ("channel", .string(self.content.channel.rawValue)), ("at", "\(self.at)"),
            ]
            return .object((common + self.special).compactMap { name, value in value.map { .init(name, $0) } })
        }

        private var special: [(String, JSON?)] {
            switch self.content {
            case .text: []
            case .speech(let speech):
                [
                    ("language", .string(speech.language)), ("voice", speech.voice.map { .string($0) }),
                    ("rate", .number(speech.rate)), ("repeat", speech.repeatDTMF.map { .string($0) }),
                ]
            case .mail(let mail): [("subject", .string(mail.subject))]
            }
        }
    }

    private struct Slot {
        var message: Message
        /// The number, in order of arrival, of the message before it to the same recipient.
        var previous: Int?
    }

    private let limit: Int
    /// Message `n` stands in slot `n % limit`.
    private var slots: [Slot] = []
    private var count = 0
    private var first = 0
    private var latest: [String: Int] = [:]

    init(limit: Int) {
        precondition(limit > 0, "an inbox holds something")
        self.limit = limit
    }

    mutating func add(_ message: Message) {
        let slot = Slot(message: message, previous: self.latest[message.to])
        if self.slots.count < self.limit {
            self.slots.append(slot)
        } else {
            let index = self.count % self.limit
            let oldest = self.slots[index].message.to
            if self.latest[oldest] == self.first { self.latest[oldest] = nil }
            self.slots[index] = slot
            self.first += 1
        }
        self.latest[message.to] = self.count
        self.count += 1
    }

    /// Oldest first.
    var all: [Message] { (self.first..<self.count).map { self.slots[$0 % self.limit].message } }

    /// Those to one recipient, oldest first.
    func messages(to recipient: String) -> [Message] {
        var found: [Message] = []
        var next = self.latest[recipient]
        while let current = next, current >= self.first {
            let slot = self.slots[current % self.limit]
            found.append(slot.message)
            next = slot.previous
        }
        return found.reversed()
    }

    mutating func clear() { self = Inbox(limit: self.limit) }
}
