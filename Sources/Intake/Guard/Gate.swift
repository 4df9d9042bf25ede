import Guard
import Lifecycle
import Messaging
import PhoneNumbers
import Store
import Synchronization
import Telemetry
import Timestamps

/// The guard of one API process: every text and every call passes it, whichever API it comes by.
///
/// It decides from memory. Once a second it exchanges counts with the other processes, so that together they may let pass too much
/// by what comes within that second, and no message waits for it.
final class Gate: Sendable {
    struct Kept {
        var state = GuardState()
        var refusals: [Refused: GuardRefusalCount] = [:]
        /// Blocks that the table does not know yet, by the order in which they were made.
        var trips: [Int: (block: GuardBlock, reason: GuardReason)] = [:]
        var tripCount = 0
        /// Accounts that were warned of, so that the log tells it once a day.
        var warned: [AccountID: Int64] = [:]
        /// By how much the database's clock is ahead of this process's.
        var offset = Duration.zero
        /// Of the blocks that it knows.
        var revision: Int64?
    }

    struct Refused: Hashable {
        var account: AccountID
        var reason: GuardReason
        var country: String
    }

    let store: Store
    let hashing: GuardHashing
    let logger: Logger
    let kept = Mutex(Kept())
    private let access: DirectoryWatch<Access>
    let metrics: GuardMetrics
    private let clock: (@Sendable () -> Timestamp)?
    let stop = Signal()

    /// `clock` is for tests: with one, nothing is exchanged, since the database has a time of its own.
    init(
        store: Store, access: DirectoryWatch<Access>, hashing: GuardHashing, metrics: Metrics, logger: Logger,
        clock: (@Sendable () -> Timestamp)?
    ) {
        self.store = store
        self.access = access
        self.hashing = hashing
        self.metrics = GuardMetrics(metrics)
        self.logger = logger
        self.clock = clock
        // Who never hears of the others is as blind as who has not for long.
        if clock == nil { self.kept.withLock { $0.state.exchangedAt = .now } }
    }

    var exchanges: Bool { self.clock == nil }

    /// A message that wants to pass.
    struct Request {
        var account: AccountID
        var recipient: Recipient
        var channel: Channel
        var isCode = true
        /// Whether its code is checked here.
        var isVerification = true
        var cost: Money?
        var caller = GuardCaller()
    }

    // MARK: - Sends

    /// Refuses what is refused whatever else has been sent, and counts nothing: before anything costs time or money.
    func screen(_ request: Request) throws(GuardRefusal) {
        guard let send = Self.send(request) else { return }
        let policy = self.policy(of: request.account)
        let refusal = self.kept.withLock { kept in
            kept.state.screen(send, policy, at: self.now(kept), hashes: self.hashing.hashes)
        }
        guard let refusal else { return }
        let country = policy.countryName(of: send.number, send.range)
        self.note(Refused(account: request.account, reason: refusal.reason, country: country), isWatched: false)
        throw refusal
    }

    /// Lets a message pass, and counts it. What is not sent after all is to be taken back.
    func admit(_ request: Request) throws(GuardRefusal) -> GuardPass {
        let verdicts = self.judge([request], of: request.account)
        if let refusal = verdicts[0].refusal { throw refusal }
        return verdicts[0].pass
    }

    /// Judges messages of one account, as far as the first that is refused; then none is counted. In one go, since processors
    /// that come for the lock with each message wait for each other more than they judge.
    func judge(_ requests: [Request], of account: AccountID) -> [GuardVerdict] {
        let sends = requests.map(Self.send)
        let policy = self.policy(of: account)
        let verdicts = self.kept.withLock { kept in
            let now = self.now(kept)
            var verdicts: [GuardVerdict] = []
            verdicts.reserveCapacity(sends.count)
            for send in sends {
                verdicts.append(self.judge(send, policy, &kept, at: now))
                guard verdicts[verdicts.count - 1].refusal != nil else { continue }
                for verdict in verdicts { kept.state.takeBack(verdict.pass, at: now) }
                break
            }
            return verdicts
        }
        self.note(verdicts, of: account)
        for verdict in verdicts { self.tell(verdict, of: account) }
        return verdicts
    }

    func takeBack(_ pass: GuardPass) {
        self.kept.withLock { kept in
            let now = self.now(kept)
            kept.state.takeBack(pass, at: now)
        }
    }

    // MARK: - Uses and guesses

    /// A code that was sent to this recipient was used. `isReported` when the customer tells of a code of its own.
    func used(_ recipient: String, of account: AccountID, isReported: Bool = false) {
        guard let number = PhoneNumber(recipient) else { return }
        let policy = self.policy(of: account)
        let range = PhoneNumberRanges.shared.range(of: number.e164)
        self.kept.withLock { kept in
            let now = self.now(kept)
            kept.state.used(number, range, of: account, policy, isReported: isReported, at: now)
        }
    }

    /// Refuses a guess from where too many were wrong.
    func admitGuess(of account: AccountID, _ caller: GuardCaller) throws(GuardRefusal) {
        let policy = self.policy(of: account)
        let refusal = self.kept.withLock { kept in
            let now = self.now(kept)
            return kept.state.judgeGuess(of: account, caller, policy, at: now)
        }
        guard let refusal else { return }
        self.note(Refused(account: account, reason: refusal.reason, country: ""), isWatched: false)
        throw refusal
    }

    func guessed(isRight: Bool, of account: AccountID, _ caller: GuardCaller) {
        self.kept.withLock { kept in
            let now = self.now(kept)
            kept.state.guessed(isRight: isRight, of: account, caller, at: now)
        }
    }

    // MARK: - For the exchange

    /// The database's time, as far as is known.
    func now(_ kept: borrowing Kept) -> Timestamp { self.clock?() ?? .now + kept.offset }

    // MARK: - Private

    /// Nil: nobody pumps mails.
    private func judge(
        _ send: GuardedSend?, _ policy: GuardPolicy, _ kept: inout Kept, at now: Timestamp
    ) -> GuardVerdict {
        guard let send else { return GuardVerdict() }
        let verdict = kept.state.judge(send, policy, at: now, hashes: self.hashing.hashes)
        if let block = verdict.block {
            kept.trips[kept.tripCount] = block
            kept.tripCount += 1
        }
        return verdict
    }

    private func policy(of account: AccountID) -> GuardPolicy { self.access.current.guardPolicy(of: account) }

    private static func send(_ request: Request) -> GuardedSend? {
        guard case .phone(let number) = request.recipient else { return nil }
        return GuardedSend(
            account: request.account, number: number, range: PhoneNumberRanges.shared.range(of: number.e164),
            channel: request.channel, isCode: request.isCode, isVerification: request.isVerification,
            cost: request.cost, caller: request.caller)
    }

    private func tell(_ verdict: GuardVerdict, of account: AccountID) {
        if verdict.softCapReached {
            self.metrics.softCaps.add(1)
            self.logger.warning(
                "a day's messages cost as much as the soft cap of a country or of the account; it is guarded from here on",
                ["account": Int(account.rawValue), "country": verdict.country])
        }
        if verdict.lacksFeedback { self.warn(of: account) }
    }

    /// All of them under one lock.
    private func note(_ verdicts: [GuardVerdict], of account: AccountID) {
        let stopped = verdicts.filter { $0.refusal != nil || $0.watched != nil }
        guard !stopped.isEmpty else { return }
        self.kept.withLock { kept in
            for verdict in stopped {
                guard let reason = verdict.refusal?.reason ?? verdict.watched else { continue }
                let refused = Refused(account: account, reason: reason, country: verdict.country)
                self.note(refused, isWatched: verdict.refusal == nil, &kept)
            }
        }
    }

    private func note(_ refused: Refused, isWatched: Bool) {
        self.kept.withLock { self.note(refused, isWatched: isWatched, &$0) }
    }

    private func note(_ refused: Refused, isWatched: Bool, _ kept: inout Kept) {
        (isWatched ? self.metrics.watched(refused.reason) : self.metrics.refused(refused.reason)).add(1)
        let none = GuardRefusalCount(
            account: refused.account, reason: refused.reason, country: refused.country, refused: 0, watched: 0)
        if isWatched {
            kept.refusals[refused, default: none].watched += 1
        } else {
            kept.refusals[refused, default: none].refused += 1
        }
    }

    /// Without word of which codes are used, the guard sees half of what it could.
    private func warn(of account: AccountID) {
        let isNew = self.kept.withLock { kept in
            let day = self.now(kept).seconds / 86_400
            return kept.warned.updateValue(day, forKey: account) != day
        }
        guard isNew else { return }
        self.metrics.lacksFeedback.add(1)
        self.logger.warning(
            "an account sends codes of its own and does not tell which are used; report conversions",
            ["account": Int(account.rawValue)])
    }
}
