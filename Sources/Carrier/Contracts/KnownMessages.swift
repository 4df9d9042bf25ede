/// Messages that may be asked after, as many of the newest as fit.
struct KnownMessages {
    struct Known {
        var message: TakenMessage
        /// What becomes of it in the end.
        var outcome: CarrierReceipt.Outcome
        /// A report that is given out once has been.
        var isGivenOut = false
    }

    private let limit: Int
    private var known: [String: Known] = [:]
    private var ring: [String] = []
    private var next = 0

    init(limit: Int) { self.limit = limit }

    subscript(_ id: String) -> Known? { self.known[id] }

    mutating func add(_ message: TakenMessage, _ outcome: CarrierReceipt.Outcome) {
        guard self.limit > 0, let id = message.ids.first else { return }
        if self.known.updateValue(Known(message: message, outcome: outcome), forKey: id) != nil { return }
        if self.ring.count < self.limit {
            self.ring.append(id)
        } else {
            self.known[self.ring[self.next]] = nil
            self.ring[self.next] = id
            self.next = (self.next + 1) % self.limit
        }
    }

    /// The message, and only the first time.
    mutating func giveOut(_ id: String) -> Known? {
        guard let known = self.known[id], !known.isGivenOut else { return nil }
        self.known[id]?.isGivenOut = true
        return known
    }
}
