/// What to do after each attempt: a pure decision, so that every rule of it is a line in a table of tests.
///
/// - Delays grow exponentially with *full* jitter: anywhere between nothing and the limit of this attempt. When a
///   provider comes back after an outage, all messages that waited would otherwise return at the same moment and knock
///   it over again.
/// - Attempts are counted at the claim, so a message that kills its worker reaches its limit too.
/// - Nothing is sent after its expiry: a dead code only confuses the person who gets it.
/// - A request that may have been processed is repeated only where the duplicate is harmless (the same code twice), and
///   with the same reference, so that a provider which knows references can drop it.
public struct RetryPolicy: Sendable, Hashable {
    /// How fast the delays of one priority grow.
    public struct Backoff: Sendable, Hashable {
        /// The longest delay after the first attempt; each further attempt doubles it.
        public var base: Duration
        /// No delay of ours is longer.
        public var cap: Duration

        public init(base: Duration, cap: Duration) {
            self.base = base
            self.cap = cap
        }
    }

    /// Attempts that a message gets, at least 1.
    public var attemptLimit = 6
    public var backoff = Backoff(base: .seconds(1), cap: .seconds(300))
    /// Somebody is waiting for a code with the page open: half a minute is already long.
    public var codeBackoff = Backoff(base: .milliseconds(500), cap: .seconds(30))
    /// The longest wait after a throttle before the jitter: limits are by the second or the minute, and waiting longer
    /// than they last wastes the provider's capacity.
    public var throttleDelayLimit = Duration.seconds(60)
    /// The longest wait that a provider may ask of us otherwise; more than this is a mistake on its side.
    public var retryAfterLimit = Duration.seconds(900)
    /// How long a receipt has to arrive before a request without an answer is repeated.
    public var unansweredGrace = Duration.seconds(5)
    /// The shortest wait after a halt: the account's key or credit is not mended in less.
    public var haltDelay = Duration.seconds(30)

    public init() {}

    /// Decides what becomes of a message.
    /// - Parameters:
    ///   - outcome: what came of the attempt.
    ///   - attempt: its number, from 1, as counted at the claim.
    ///   - waits: how often in a row it has been throttled before.
    ///   - series: the series of its reference, from 1; above 1 the message was refused before.
    ///   - remaining: time until the message expires; zero or less when it has.
    ///   - random: at least 0 and below 1, new for each decision.
    ///   - onward: where it may go beside this provider.
    public func settle(
        _ outcome: Outcome, attempt: Int, series: Int16, waits: Int = 0, priority: Priority, remaining: Duration,
        random: Double, onward: Onward = .nowhere
    ) -> Settlement {
        let move = self.moveOn(
            after: outcome, onward: onward, attempt: attempt, series: series, priority: priority)
        if let move, remaining > .zero { return move }
        let trial = Trial(
            attempt: attempt, series: series, waits: waits, priority: priority, remaining: remaining, random: random,
            delay: self.delay(attempt: attempt, priority: priority, random: random)
        )
        return switch outcome {
        case .accepted(let parts): .accepted(parts: parts)
        case .refused(let verdict, let code, let retryAfter):
            self.settleRefused(verdict, code: code, retryAfter: retryAfter, trial)
        case .notSent(let reason): self.settleNotSent(reason, trial)
        case .unanswered(let reason): self.settleUnanswered(reason, trial)
        }
    }

    /// Our own wait after an attempt: `random` of its limit, which doubles from the base up to the cap.
    public func delay(attempt: Int, priority: Priority, random: Double) -> Duration {
        let backoff = self.backoff(for: priority)
        // 2³⁰ times any base is beyond any cap, and is no overflow yet.
        let limit = min(backoff.cap, backoff.base * (1 << min(max(attempt - 1, 0), 30)))
        return limit * random
    }

    // MARK: - Private

    /// One attempt and all that the decision depends on beside its outcome.
    private struct Trial {
        let attempt: Int
        let series: Int16
        let waits: Int
        let priority: Priority
        let remaining: Duration
        let random: Double
        /// Our own wait.
        let delay: Duration
    }

    private func backoff(for priority: Priority) -> Backoff {
        priority == .otp ? self.codeBackoff : self.backoff
    }

    /// Nothing left us, so the reference is unused and stays: the series is the same.
    private func settleNotSent(_ reason: Verdict.Reason, _ trial: Trial) -> Settlement {
        guard trial.attempt < self.attemptLimit else { return .failed(.attemptsSpent, code: reason.rawValue) }
        return self.retry(after: trial.delay, newSeries: false, trial)
    }

    /// Sent or not, nobody knows. A second newsletter is worse than none, so bulk stops here; for the others a lost
    /// code is worse than a doubled one.
    private func settleUnanswered(_ reason: Verdict.Reason, _ trial: Trial) -> Settlement {
        guard trial.priority != .bulk, trial.attempt < self.attemptLimit else { return .unknown(reason) }
        // The grace for the receipt, and our own delay on top, for a provider in trouble loses many answers at once.
        let retry = self.retry(after: self.unansweredGrace + trial.delay, newSeries: false, trial)
        // It may well have arrived, so it cannot be called expired.
        return retry == .expired ? .unknown(reason) : retry
    }

    private func settleRefused(
        _ verdict: Verdict, code: String, retryAfter: Duration?, _ trial: Trial
    ) -> Settlement {
        if verdict.action == .throttle { return self.settleThrottled(verdict, code: code, retryAfter, trial) }
        guard verdict.allowsAnotherAttempt(series: trial.series) else { return .failed(verdict.reason, code: code) }
        guard trial.attempt < self.attemptLimit else { return .failed(.attemptsSpent, code: code) }
        // Never sooner than our own delay: a provider that says "0" to everybody asks for a storm.
        var delay = max(trial.delay, min(retryAfter ?? .zero, self.retryAfterLimit))
        let halt = verdict.action == .haltProvider
        if halt { delay = max(delay, self.haltDelay) }
        // Surely not sent: a new series, since a provider that drops doubled references would drop the next attempt.
        return self.retry(after: delay, newSeries: true, halt: halt, trial)
    }

    /// Too fast, which is our fault and not the message's: the attempt is given back, or a busy hour would use them up.
    /// The provider looked at nothing, so the reference is unused and the series stays.
    ///
    /// A limit of the recipient is different. No slowing down of ours lifts it, so it costs attempts and waits the
    /// longest it may; otherwise one message would knock once a second until it expires. The provider has recorded it
    /// with its reference, so a new series begins.
    private func settleThrottled(
        _ verdict: Verdict, code: String, _ retryAfter: Duration?, _ trial: Trial
    ) -> Settlement {
        let isRecipients = verdict.reason == .throttledRecipient
        if isRecipients, trial.attempt >= self.attemptLimit { return .failed(.attemptsSpent, code: code) }
        let shortest = isRecipients ? self.throttleDelayLimit : self.backoff(for: trial.priority).base
        // Attempts do not count these waits, so they count themselves: a provider that is down for an hour is not asked
        // again every second by every message that waits for it.
        let own = self.delay(attempt: trial.waits + 1, priority: trial.priority, random: trial.random)
        let wanted = max(shortest, min(retryAfter ?? own, self.throttleDelayLimit))
        // Up to a fifth more, because everybody was told the same time.
        let delay = wanted + wanted * (0.2 * trial.random)
        return self.retry(after: delay, consumesAttempt: isRecipients, newSeries: isRecipients, trial)
    }

    private func retry(
        after delay: Duration, consumesAttempt: Bool = true, newSeries: Bool, halt: Bool = false, _ trial: Trial
    ) -> Settlement {
        guard delay < trial.remaining else { return .expired }
        return .retry(after: delay, consumesAttempt: consumesAttempt, newSeries: newSeries, halt: halt)
    }
}

extension Verdict {
    /// Whether a refusal with this verdict leaves hope. A bad number or a bad text stays bad, whatever the table
    /// proposes; `failover_once` is granted to the first refusal only, because repeating what a filter caught makes it
    /// worse.
    fileprivate func allowsAnotherAttempt(series: Int16) -> Bool {
        switch self.permanence {
        case .permanentRecipient, .permanentMessage: return false
        case .none, .config, .transientRecipient, .transientProvider: break
        }
        return switch self.action {
        case .retrySame, .failover, .failoverChannel, .haltProvider, .throttle: true
        case .failoverOnce: series == 1
        // `none` and `wait` follow reports of success; in a refusal they promise nothing.
        case .none, .wait, .stop, .stopSuppress: false
        }
    }
}
