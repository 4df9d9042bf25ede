import JSON
import Timestamps

/// What the carrier holds under its lock.
struct CarrierState {
    typealias Poster = CheckedContinuation<Void, Never>

    var inbox: Inbox
    var arrivals: Arrivals
    var knownIDs: KnownIDs
    var faults = FaultRules()
    var random: CarrierRandom
    var schedule: ReceiptSchedule
    /// Suspended because nothing is scheduled.
    var idlePoster: Poster?
    var isDraining = false
    /// For asking what became of a message.
    var known: KnownMessages
    private var counts: [Provider: Statistics] = [:]
    var smpp = SMPPState()

    init(_ configuration: Carrier.Configuration) {
        self.inbox = Inbox(limit: configuration.inboxLimit)
        self.arrivals = Arrivals(limit: configuration.arrivalLimit)
        self.knownIDs = KnownIDs(limit: configuration.knownIDLimit)
        self.known = KnownMessages(limit: configuration.knownMessageLimit)
        self.random = CarrierRandom(seed: configuration.seed)
        self.schedule = ReceiptSchedule(
            limit: configuration.scheduledReceiptLimit, batchLimit: configuration.infobip.receiptBatchLimit,
            gatheringTime: configuration.infobip.receiptGathering
        )
    }

    subscript(_ provider: Provider) -> Statistics {
        get { self.counts[provider] ?? Statistics() }
        set { self.counts[provider] = newValue }
    }

    /// Puts an accepted message into its recipient's inbox; one that is not heard yet comes there with ``hear(_:)``.
    mutating func take(_ message: TakenMessage, isHeard: Bool = true) {
        self[message.provider].accepted += 1
        self[message.provider].segments += message.segments
        if let reference = message.reference { self.arrivals.add(reference) }
        if isHeard { self.hear(message) }
    }

    mutating func hear(_ message: TakenMessage) {
        self.inbox.add(
            Inbox.Message(to: message.to, from: message.from, content: message.content, at: message.takenAt)
        )
    }

    /// Schedules a post, counts what finds no room, and returns a poster to wake.
    mutating func schedule(_ post: ReceiptPost, due: ContinuousClock.Instant) -> Poster? {
        guard !self.isDraining, self.schedule.add(post, due: due) else {
            self[post.provider].lost += post.receipts.reduce(0) { $0 + $1.count }
            return nil
        }
        return self.idlePoster.take()
    }

    var statistics: JSON {
        let providers = Provider.allCases.map { JSON.Member($0.rawValue, self[$0].json) }
        return .object(
            providers + [
                .init("scheduled", JSON(self.schedule.count)),
                .init(
                    "arrivals",
                    [
                        "references": JSON(self.arrivals.counts.count), "uncounted": JSON(self.arrivals.uncounted),
                    ]),
            ])
    }
}
