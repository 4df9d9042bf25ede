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
    private var vonage = Statistics()
    private var infobip = Statistics()
    private var own = Statistics()
    private var smppStatistics = Statistics()
    var smpp = SMPPState()

    init(_ configuration: Carrier.Configuration) {
        self.inbox = Inbox(limit: configuration.inboxLimit)
        self.arrivals = Arrivals(limit: configuration.arrivalLimit)
        self.knownIDs = KnownIDs(limit: configuration.knownIDLimit)
        self.random = CarrierRandom(seed: configuration.seed)
        self.schedule = ReceiptSchedule(
            limit: configuration.scheduledReceiptLimit, batchLimit: configuration.infobip.receiptBatchLimit,
            gatheringTime: configuration.infobip.receiptGathering
        )
    }

    subscript(_ provider: Provider) -> Statistics {
        get {
            switch provider {
            case .vonage: self.vonage
            case .infobip: self.infobip
            case .own: self.own
            case .smpp: self.smppStatistics
            }
        }
        set {
            switch provider {
            case .vonage: self.vonage = newValue
            case .infobip: self.infobip = newValue
            case .own: self.own = newValue
            case .smpp: self.smppStatistics = newValue
            }
        }
    }

    /// Puts an accepted message into its recipient's inbox.
    mutating func take(_ message: TakenMessage) {
        self[message.provider].accepted += 1
        self[message.provider].segments += message.segments
        if let reference = message.reference { self.arrivals.add(reference) }
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
        [
            "vonage": self.vonage.json, "infobip": self.infobip.json, "carrier": self.own.json,
            "smpp": self.smppStatistics.json,
            "scheduled": JSON(self.schedule.count),
            "arrivals": [
                "references": JSON(self.arrivals.counts.count), "uncounted": JSON(self.arrivals.uncounted),
            ],
        ]
    }
}
