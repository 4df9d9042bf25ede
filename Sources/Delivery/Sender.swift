import Channels
import Crypto
import Messaging
import Routing
import Store
import Telemetry

/// Hands batches of claims to their provider and has what came of them written back.
struct Sender: Sendable {
    let lease: Lease
    let masterKeys: MasterKeys
    let policy: RetryPolicy
    /// However long a provider may take by its own setting, a request ends early enough for a drain to write it back.
    let requestTimeLimit: Duration
    let navigator: Navigator
    let doubts: Doubts
    let settler: Settler<Settled>
    let holdings: Holdings<MessageID>
    let metrics: DeliveryMetrics
    let logger: Logger

    /// Sends what should be sent of `batch`, and returns what settles all of it: the provider's slot is free before.
    ///
    /// Claims of a lease that is no longer held are dropped: others have taken them over, and only they may send.
    func send(_ batch: [HeldClaim], through outlet: Outlet) async -> ProviderQueue.Settling {
        let ids = batch.map(\.claim.id)
        guard let worker = self.lease.held else { return { self.holdings.remove(ids) } }
        var settled: [Settled] = []
        var parcels: [Parcel] = []
        for held in batch where held.worker == worker {
            switch self.prepare(held.current(now: .now), for: outlet) {
            case .parcel(let parcel): parcels.append(parcel)
            case .settled(let end): settled.append(end)
            }
        }
        // Those that do not wait long for an answer go apart from those that do.
        let hurried = parcels.filter(\.isHurried)
        async let early = self.deliver(hurried, through: outlet)
        settled += await self.deliver(parcels.filter { !$0.isHurried }, through: outlet)
        settled += await early
        return { [settled] in
            await self.settler.settle(settled, worker: worker)
            self.holdings.remove(ids)
        }
    }

    /// Has claims go on to other providers without being handed to theirs. Each has some other to go to.
    func skip(_ held: [HeldClaim], through outlet: Outlet) async {
        defer { self.holdings.remove(held.lazy.map(\.claim.id)) }
        guard let worker = self.lease.held else { return }
        let settled = held.filter { $0.worker == worker }.map { held in
            let claim = held.current(now: .now)
            switch Triage(claim, attemptLimit: self.policy.attemptLimit) {
            case .settle(let settled): return settled
            case .send: return self.skipped(claim, self.navigator.way(of: claim), outlet)
            }
        }
        await self.settler.settle(settled, worker: worker)
    }

    // MARK: - Private

    /// A claim with its content opened.
    private struct Parcel {
        var claim: Claim
        var dispatch: Dispatch
        /// Nil when it can go nowhere else.
        var way: Way?
        /// Its outcome tells whether the provider is well again.
        var isProbe = false

        /// A code that goes elsewhere rather than wait, and can.
        var isHurried = false
        /// It has been here before, and may have been sent.
        var isDoubtful: Bool {
            guard self.claim.state == .unknown else { return false }
            guard let way = self.way, let index = way.route.index(of: self.claim.provider) else { return true }
            return self.claim.tried.contains(index)
        }
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
        guard let dispatch = self.open(claim, for: outlet.driver) else {
            self.logger.error(
                "cannot open the body; is the master key the one it was sealed with?", ["message": "\(claim.id)"])
            return .settled(Settled(claim, outcome: "refused", reason: .configError, state: .failed))
        }
        guard outlet.driver.channels.contains(dispatch.channel) else {
            self.logger.error(
                "a route leads to a provider that does not carry its channel; apply the routes again",
                ["message": "\(claim.id)", "provider": outlet.name, "channel": dispatch.channel.rawValue])
            return .settled(self.conclude(Parcel(claim: claim, dispatch: dispatch), .unsupportedChannel, .zero, outlet))
        }
        return self.admit(Parcel(claim: claim, dispatch: dispatch, way: self.navigator.way(of: claim)), outlet)
    }

    /// Has a message that can go elsewhere do so while its provider is not well.
    private func admit(_ parcel: Parcel, _ outlet: Outlet) -> Prepared {
        var parcel = parcel
        guard let way = parcel.way else { return .parcel(parcel) }
        let conditions = self.navigator.breakers.conditions()
        let canGoOn = way.next(in: conditions) != nil
        parcel.isHurried = way.isCode && canGoOn
        switch self.navigator.breakers.admit(way.place, isPatient: way.isPatient) {
        case .pass: return .parcel(parcel)
        case .probe:
            parcel.isProbe = true
            return .parcel(parcel)
        case .skip:
            return canGoOn ? .settled(self.skipped(parcel.claim, way, outlet)) : .parcel(parcel)
        }
    }

    private func open(_ claim: Claim, for driver: any Driver) -> Dispatch? {
        guard
            let sealed = claim.body, let recipient = Recipient(claim.recipient, channel: claim.channel),
            let bytes = try? self.masterKeys.open(sealed, for: claim.id.sealingContext(account: claim.account)),
            var content = Content(decoding: bytes, channel: claim.channel)
        else { return nil }
        // It has come to a provider of calls, on a route that allows it.
        if !driver.channels.contains(content.channel), driver.channels.contains(.voice), let speech = content.spoken {
            content = .speech(speech)
        }
        return Dispatch(
            reference: claim.reference, recipient: recipient, sender: claim.sender, content: content,
            validity: claim.remaining, priority: claim.priority
        )
    }

    private func deliver(_ parcels: [Parcel], through outlet: Outlet) async -> [Settled] {
        guard let first = parcels.first else { return [] }
        let timeout =
            first.isHurried ? min(outlet.provider.timeout, outlet.provider.slowAfter) : outlet.provider.timeout
        let started = ContinuousClock.now
        let outcomes = await self.outcomes(of: parcels, timeout: min(timeout, self.requestTimeLimit), outlet)
        let duration = ContinuousClock.now - started
        self.metrics.providerTime(outlet.name).observe(duration)
        self.note(parcels, outcomes)
        return zip(parcels, outcomes).map { parcel, outcome in self.conclude(parcel, outcome, duration, outlet) }
    }

    /// What the provider knows already is not sent again.
    private func outcomes(of parcels: [Parcel], timeout: Duration, _ outlet: Outlet) async -> [Outcome] {
        let known = await self.doubts.outcomes(of: parcels.filter(\.isDoubtful).map(\.claim), by: outlet)
        let dispatches = parcels.filter { known[$0.claim.id] == nil }.map(\.dispatch)
        guard !dispatches.isEmpty else { return parcels.compactMap { known[$0.claim.id] } }
        var outcomes = await outlet.transport.outcomes(of: dispatches, timeout: timeout)[...]
        return parcels.map { known[$0.claim.id] ?? outcomes.removeFirst() }
    }

    /// Tells the breakers what a request says of its provider: once for each country, or one lost answer of a batch would be many.
    private func note(_ parcels: [Parcel], _ outcomes: [Outcome]) {
        guard self.navigator.routes().hasAlternatives else { return }
        var signs: [Conditions.Place: (isProbe: Bool, sign: Breakers.Sign)] = [:]
        for (parcel, outcome) in zip(parcels, outcomes) {
            let place = Conditions.Place(
                provider: parcel.claim.provider, country: parcel.dispatch.recipient.country)
            let former = signs[place]
            signs[place] = (
                former?.isProbe ?? false || parcel.isProbe, former.map { $0.sign.joined(outcome.sign) } ?? outcome.sign
            )
        }
        for (place, seen) in signs { self.navigator.breakers.finish(place, isProbe: seen.isProbe, seen.sign) }
    }

    /// Counts and tells what came of an attempt, and decides what follows.
    private func conclude(_ parcel: Parcel, _ outcome: Outcome, _ duration: Duration, _ outlet: Outlet) -> Settled {
        let claim = parcel.claim
        self.metrics.attempts(provider: outlet.name, outcome: outcome.name).add(1)
        self.logger.debug(
            "attempted",
            [
                "message": "\(claim.id)", "attempt": claim.attempt, "provider": outlet.name, "outcome": outcome.name,
                "reason": outcome.reason.rawValue, "code": outcome.code,
            ])
        if let pause = outcome.pause {
            outlet.queue.pause(for: pause)
            self.navigator.breakers.rest(claim.provider, for: pause)
        }
        return self.decide(parcel, outcome, duration, outlet)
    }

    private func decide(_ parcel: Parcel, _ outcome: Outcome, _ duration: Duration, _ outlet: Outlet) -> Settled {
        let claim = parcel.claim
        let remaining = claim.remaining - duration
        if case .accepted = outcome, parcel.way?.isCode != true {
            return self.settled(claim, outcome, self.settlement(of: claim, outcome, remaining), duration, outlet)
        }
        let conditions = self.navigator.breakers.conditions()
        let settlement = self.settlement(
            of: claim, outcome, remaining, onward: parcel.way?.onward(in: conditions) ?? .nowhere)
        if settlement.halts { self.halt(outlet, code: outcome.code) }
        var settled = self.settled(claim, outcome, settlement, duration, outlet)
        guard let way = parcel.way else { return settled }
        if case .accepted = settlement, Int(claim.attempt) < self.policy.attemptLimit {
            settled.standby = way.standby(in: conditions, remaining: remaining)
        }
        settled.retry = settled.retry.map { way.directed($0, after: settlement, outcome, conditions) }
        return settled
    }

    private func settled(
        _ claim: Claim, _ outcome: Outcome, _ settlement: Settlement, _ duration: Duration, _ outlet: Outlet
    ) -> Settled {
        var settled = Settled(claim, outcome: outcome, settlement: settlement, duration)
        // A call that may be under way asks for its words when somebody answers it.
        settled.keepsBody = outlet.driver.keepsContent && (settled.state == .accepted || settled.state == .unknown)
        return settled
    }

    private func settlement(
        of claim: Claim, _ outcome: Outcome, _ remaining: Duration, onward: Onward = .nowhere
    ) -> Settlement {
        self.policy.settle(
            outcome, attempt: Int(claim.attempt), series: claim.series, waits: Int(claim.waits),
            priority: claim.priority, remaining: remaining, random: .random(in: 0..<1), onward: onward)
    }

    private func halt(_ outlet: Outlet, code: String) {
        self.logger.error(
            "the provider refuses this account; look at its credentials and its credit",
            ["provider": outlet.name, "code": code])
        outlet.queue.pause(for: .seconds(1))
        self.navigator.breakers.rest(outlet.provider.id, for: self.policy.haltDelay)
    }

    /// A claim that goes on without having been handed over; the attempt is given back.
    private func skipped(_ claim: Claim, _ way: Way?, _ outlet: Outlet) -> Settled {
        self.metrics.attempts(provider: outlet.name, outcome: "skipped").add(1)
        var settled = Settled(claim, outcome: "skipped", reason: .providerError, state: nil)
        let next = way?.next(in: self.navigator.breakers.conditions())
        settled.retry = .init(
            after: next == nil
                ? self.policy.delay(attempt: 1, priority: claim.priority, random: .random(in: 0..<1)) : .zero,
            attempt: claim.attempt - 1, series: claim.series, waits: claim.waits, provider: next?.provider,
            tried: next == nil ? claim.tried : way?.tried ?? claim.tried)
        return settled
    }
}

extension Settlement {
    /// Whether the provider refuses our account.
    fileprivate var halts: Bool {
        switch self {
        case .retry(_, _, _, halt: true), .moveOn(_, _, _, halt: true): true
        default: false
        }
    }
}

extension Way {
    /// A retry as it is to be stored: to whom, and where the message has been.
    fileprivate func directed(
        _ retry: Settled.Retry, after settlement: Settlement, _ outcome: Outcome, _ conditions: Conditions
    ) -> Settled.Retry {
        var retry = retry
        if case .moveOn(let way, _, _, _) = settlement {
            retry.provider = self.next(way, in: conditions)?.provider
            retry.tried = self.tried
        } else if case .unanswered = outcome {
            // By the same provider, which may know it already.
            retry.tried = self.tried
        } else if outcome.isThrottle, self.isPatient {
            // It waits for its provider, however long.
            return retry
        } else {
            // It has been everywhere that is well; after its wait it begins anew.
            retry.provider = self.restart(in: conditions).provider
            retry.tried = TargetSet()
        }
        return retry
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
    init(_ claim: Claim, outcome: Outcome, settlement: Settlement, _ duration: Duration) {
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
                series: claim.series + (newSeries ? 1 : 0), waits: outcome.isThrottle ? claim.waits &+ 1 : 0,
                tried: claim.tried)
        case .moveOn(_, let consumesAttempt, let newSeries, _):
            if case .unanswered = outcome { self.state = .unknown }
            self.retry = Retry(
                after: .zero, attempt: claim.attempt - (consumesAttempt ? 0 : 1),
                series: claim.series + (newSeries ? 1 : 0), tried: claim.tried)
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
