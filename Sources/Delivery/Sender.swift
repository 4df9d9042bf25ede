import Channels
import Crypto
import Messaging
import Store
import Telemetry

/// Hands batches of claims to their provider and has what came of them written back.
struct Sender: Sendable {
    let lease: Lease
    let masterKeys: MasterKeys
    let policy: RetryPolicy
    /// However long a provider may take by its own setting, a request ends early enough for a drain to write it back.
    let requestTimeLimit: Duration
    let doubts: Doubts
    let settler: Settler<Settled>
    let holdings: Holdings<MessageID>
    let metrics: DeliveryMetrics
    let logger: Logger

    /// Sends what should be sent of `batch`, and settles all of it.
    ///
    /// Claims of a lease that is no longer held are dropped: others have taken them over, and only they may send.
    func send(_ batch: [HeldClaim], through outlet: Outlet) async {
        defer { self.holdings.remove(batch.lazy.map(\.claim.id)) }
        guard let worker = self.lease.held else { return }
        var settled: [Settled] = []
        var parcels: [Parcel] = []
        for held in batch where held.worker == worker {
            switch self.prepare(held.current(now: .now), for: outlet) {
            case .parcel(let parcel): parcels.append(parcel)
            case .settled(let end): settled.append(end)
            }
        }
        if !parcels.isEmpty { settled += await self.deliver(parcels, through: outlet) }
        await self.settler.settle(settled, worker: worker)
    }

    // MARK: - Private

    /// A claim with its content opened.
    private struct Parcel {
        var claim: Claim
        var dispatch: Dispatch
    }

    private enum Prepared {
        case parcel(Parcel)
        case settled(Settled)
    }

    private func prepare(_ claim: Claim, for outlet: Outlet) -> Prepared {
        switch Triage(claim, attemptLimit: self.policy.attemptLimit) {
        case .settle(let settled): return .settled(settled)
        case .send: break
        }
        guard let dispatch = self.open(claim) else {
            self.logger.error(
                "cannot open the body; is the master key the one it was sealed with?", ["message": "\(claim.id)"])
            return .settled(Settled(claim, outcome: "refused", reason: .configError, state: .failed))
        }
        guard outlet.driver.channels.contains(dispatch.channel) else {
            self.logger.error(
                "a route leads to a provider that does not carry its channel; apply the routes again",
                ["message": "\(claim.id)", "provider": outlet.name, "channel": dispatch.channel.rawValue])
            return .settled(self.conclude(claim, .unsupportedChannel, duration: .zero, through: outlet))
        }
        return .parcel(Parcel(claim: claim, dispatch: dispatch))
    }

    private func open(_ claim: Claim) -> Dispatch? {
        guard
            let sealed = claim.body, let recipient = Recipient(claim.recipient, channel: claim.channel),
            let bytes = try? self.masterKeys.open(sealed, for: claim.id.sealingContext(account: claim.account)),
            let content = Content(decoding: bytes, channel: claim.channel)
        else { return nil }
        return Dispatch(
            reference: claim.reference, recipient: recipient, sender: claim.sender, content: content,
            validity: claim.remaining, priority: claim.priority
        )
    }

    private func deliver(_ parcels: [Parcel], through outlet: Outlet) async -> [Settled] {
        let started = ContinuousClock.now
        let outcomes = await self.outcomes(of: parcels, through: outlet)
        let duration = ContinuousClock.now - started
        self.metrics.providerTime(outlet.name).observe(duration)
        return zip(parcels, outcomes).map { parcel, outcome in
            self.conclude(parcel.claim, outcome, duration: duration, through: outlet)
        }
    }

    /// Counts and tells what came of an attempt, and decides what follows.
    private func conclude(_ claim: Claim, _ outcome: Outcome, duration: Duration, through outlet: Outlet) -> Settled {
        self.metrics.attempts(provider: outlet.name, outcome: outcome.name).add(1)
        self.logger.debug(
            "attempted",
            [
                "message": "\(claim.id)", "attempt": claim.attempt, "provider": outlet.name, "outcome": outcome.name,
                "reason": outcome.reason.rawValue, "code": outcome.code,
            ])
        return self.decide(claim, outcome, duration: duration, through: outlet)
    }

    /// What the provider has already is accepted without being sent again.
    private func outcomes(of parcels: [Parcel], through outlet: Outlet) async -> [Outcome] {
        let settled = await self.doubts.settled(parcels.map(\.claim), by: outlet.driver)
        let dispatches = parcels.filter { !settled.contains($0.claim.id) }.map(\.dispatch)
        guard !dispatches.isEmpty else { return parcels.map { _ in .accepted(parts: []) } }
        let timeout = min(outlet.provider.timeout, self.requestTimeLimit)
        var outcomes = await outlet.transport.outcomes(of: dispatches, timeout: timeout)[...]
        return parcels.map { settled.contains($0.claim.id) ? .accepted(parts: []) : outcomes.removeFirst() }
    }

    private func decide(_ claim: Claim, _ outcome: Outcome, duration: Duration, through outlet: Outlet) -> Settled {
        let settlement = self.policy.settle(
            outcome, attempt: Int(claim.attempt), series: claim.series, waits: Int(claim.waits),
            priority: claim.priority, remaining: claim.remaining - duration, random: .random(in: 0..<1)
        )
        if let pause = outcome.pause { outlet.queue.pause(for: pause) }
        if case .retry(_, _, _, halt: true) = settlement {
            self.logger.error(
                "the provider refuses this account; look at its credentials and its credit",
                ["provider": outlet.name, "code": outcome.code])
            outlet.queue.pause(for: .seconds(1))
        }
        return Settled(claim, outcome: outcome, settlement: settlement, duration: duration)
    }
}

extension Outcome {
    /// The provider was not asked: it carries no such messages, and will not by the next attempt.
    static let unsupportedChannel = Outcome.refused(
        Verdict(.failed, .config, .stop, .configError), code: "unsupported_channel", retryAfter: nil)

    /// As in the `CHECK` of `attempts.outcome`.
    var name: String {
        switch self {
        case .accepted: "accepted"
        case .refused: "refused"
        case .notSent: "not_sent"
        case .unanswered: "unanswered"
        }
    }

    var reason: Verdict.Reason {
        switch self {
        case .accepted: .accepted
        case .refused(let verdict, _, _): verdict.reason
        case .notSent(let reason), .unanswered(let reason): reason
        }
    }

    /// How long to send this provider nothing: it counts requests, not messages, so the next would be refused as this one
    /// was. A limit of the recipient concerns this message alone.
    var pause: Duration? {
        guard
            case .refused(let verdict, _, let wait) = self, verdict.action == .throttle,
            verdict.reason != .throttledRecipient
        else { return nil }
        return min(max(wait ?? .milliseconds(200), .milliseconds(50)), .seconds(5))
    }

    var code: String { if case .refused(_, let code, _) = self { code } else { "" } }

    var isThrottle: Bool { if case .refused(let verdict, _, _) = self { verdict.action == .throttle } else { false } }
}

extension Settled {
    /// What an attempt's outcome and the policy's decision change in the database.
    init(_ claim: Claim, outcome: Outcome, settlement: Settlement, duration: Duration) {
        self.init(
            id: claim.id, provider: claim.provider, attempt: claim.attempt, series: claim.series,
            outcome: outcome.name, reason: outcome.reason, code: outcome.code, duration: duration, state: nil,
            retry: nil, parts: []
        )
        switch settlement {
        case .accepted(let parts):
            self.state = .accepted
            self.parts = parts
        case .retry(let after, let consumesAttempt, let newSeries, _):
            if case .unanswered = outcome { self.state = .unknown }
            self.retry = Retry(
                after: after, attempt: claim.attempt - (consumesAttempt ? 0 : 1),
                series: claim.series + (newSeries ? 1 : 0), waits: outcome.isThrottle ? claim.waits &+ 1 : 0)
        case .failed(let reason, _):
            self.state = .failed
            self.reason = reason
        case .unknown(let reason):
            self.state = .unknown
            self.reason = reason
        case .expired:
            self.state = .expired
            self.reason = .expired
        }
        // An earlier attempt may have been sent, whatever became of this one.
        if claim.state == .unknown, self.state != .accepted, self.state != nil { self.state = .unknown }
    }
}
