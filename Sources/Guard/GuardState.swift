import Messaging
import PhoneNumbers
public import Timestamps

/// What one process knows of all accounts' traffic, and what it decides by it. Pure: time is given, nothing is asked.
///
/// Codes are judged by whether they are used. One that is sent counts, one that is used takes back more than itself: a network or
/// a country is *ahead* by its codes of the last hour less ``usedWorth`` times those of them that were used. People who log in use
/// most of theirs, so what they do is never ahead for long, however many they are; whoever pumps uses none. How far ahead one may
/// be grows with what was used in the day before. Blocks of neighbouring numbers, which nobody's users all live in, are held to
/// plain limits of codes that were not used.
public struct GuardState: Sendable {
    /// Counters kept; beyond it the oldest go, and then the smallest. As many as a table of 2^17 places holds, three quarters full: some
    /// 8 MB, of the 64 that a process may take. A number that gets a code has four, of which two are its block's; so this is for
    /// 25,000 numbers an hour at least.
    public static let counterLimit = 98_304
    /// Seconds without a code or a guess after which others are kept rather.
    static let coldAfter: Int64 = 3600
    /// How often those are looked for.
    static let coldSearchInterval = Duration.seconds(60)
    /// Counters among which those of which the most is to be told are looked for.
    static let candidateLimit = 10_000
    /// A used code takes back so many: where fewer than one in so many are used, a country or a network is ahead for good.
    static let usedWorth: Int64 = 3
    /// Of the codes used in a day, the part that an hour may be ahead by.
    static let learnedShare: Int64 = 4
    /// How much more than in an hour a day may be ahead by.
    static let dayFactor: Int64 = 2
    /// A country or a network that has been ahead for so long is blocked, and not only held back: codes take a while to be used.
    static let patience = Duration.seconds(120)
    /// After this, one that is held back may try again.
    static let holdBack = Duration.seconds(30)
    /// To one number in a day, whoever sends.
    static let everywherePerDay: Int64 = 20
    /// A code to a neighbour of the number before counts for so many.
    static let neighbourWeight: Int64 = 2
    /// Numbers so close are neighbours.
    static let neighbourhood: Int32 = 3
    /// An account's own codes in a day from which on it must tell what became of them.
    static let feedbackVolume: Int64 = 20
    /// One in so many must have been told of.
    static let feedbackShare: Int64 = 50
    /// Wrong guesses in an hour from which on an account's are looked at closely, if they are most of them.
    static let guessAlarm: Int64 = 50
    /// An alarm lasts so long after the last guess that was refused for it.
    static let alarmRest = Duration.seconds(600)
    /// What is left to each address and device then.
    static let guessesInAlarm: Int64 = 2
    /// What is left in an hour, of wrong ones, to all those together from where no right guess has come so far.
    static let newcomersInAlarm: Int64 = 100
    /// Of a day's codes or guesses, so many say what is usual.
    static let baseline: Int64 = 200
    /// How much further than a country all countries together may be ahead.
    static let accountFactor: Int64 = 3
    /// When others have not been heard of for so long, nothing is known for certain.
    public static let freshness = Duration.seconds(30)

    public var blocks = GuardBlocks()
    /// When the counts were last exchanged with the other processes.
    public var exchangedAt: Timestamp?
    var counters = GuardCounters()
    /// Of which the others are to be told, each once; what there is little of does not stand behind what there is much of.
    var queue: [GuardKey] = []
    var broadQueue: [GuardKey] = []
    /// When all were last looked through: for what is of past days, and for what is cold.
    var tidiedDay: Int64 = 0
    var soughtColdAt: Timestamp?
    /// Since when countries and networks have been ahead without a break.
    var aheadSince: [GuardKey: Timestamp] = [:]
    /// Accounts whose guesses are looked at closely for longer than what was counted says: while whoever guesses goes on.
    var alarmedUntil: [AccountID: Timestamp] = [:]

    public init() {}

    // MARK: - Sends

    /// Judges a message without counting it: what is refused whatever else has been sent.
    ///
    /// `hashes`: what a number, an address or a device may stand as in a block, one for each master key.
    public func screen(
        _ send: GuardedSend, _ policy: GuardPolicy, at now: Timestamp, hashes: (String) -> [String]
    ) -> GuardRefusal? {
        let country = policy.country(of: send.number.e164, send.range)
        return self.standing(send, policy, country, at: now, hashes: hashes)
            .first { policy.mode == .enforce || $0.reason.isOperators }
    }

    /// Judges a message, cheapest question first, and counts it when it may go.
    public mutating func judge(
        _ send: GuardedSend, _ policy: GuardPolicy, at now: Timestamp, hashes: (String) -> [String]
    ) -> GuardVerdict {
        let country = policy.country(of: send.number.e164, send.range)
        var verdict = GuardVerdict(country: country.name)
        for refusal in self.standing(send, policy, country, at: now, hashes: hashes) {
            if self.note(refusal, policy, &verdict) { return verdict }
        }
        self.judgeAmount(send, policy, country, at: now, &verdict)
        return verdict
    }

    /// Takes back what was counted for a message that was not sent after all.
    public mutating func takeBack(_ pass: GuardPass, at now: Timestamp) {
        for (key, count) in pass.counts {
            self.add(GuardCount(sent: -count.sent, used: -count.used), to: key, at: now)
        }
    }

    // MARK: - For the judgements

    /// Whether the message ends with this.
    func note(_ refusal: GuardRefusal, _ policy: GuardPolicy, _ verdict: inout GuardVerdict) -> Bool {
        guard policy.mode == .enforce || refusal.reason.isOperators else {
            verdict.watched = verdict.watched ?? refusal.reason
            return false
        }
        verdict.refusal = refusal
        return true
    }
}
