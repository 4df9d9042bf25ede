import Lifecycle
import Messaging
import Routing
import Store
import Synchronization
import Telemetry

/// The breakers of this process: what it has seen itself, on top of what all processes know of each other.
///
/// What it decides holds here at once, and for the others once it is written; see ``Store/openBreaker(_:reason:)``.
final class Breakers: Sendable {
    /// Whether a message may go where it is bound for, when it could go elsewhere.
    enum Admission: Sendable, Equatable {
        case pass
        /// It may, to find out whether the provider is well again; its outcome decides.
        case probe
        case skip
    }

    /// What an attempt says of its provider, whatever becomes of the message.
    enum Sign: Sendable, Equatable {
        case well
        case failed(Verdict.Reason)
        /// Nothing: the message was at fault, or its recipient.
        case nothing

        /// Of two messages of one request: one that went well says more than others that did not.
        func joined(_ other: Sign) -> Sign {
            switch (self, other) {
            case (.well, _), (_, .well): .well
            case (.failed, _): self
            case (.nothing, _): other
            }
        }
    }

    /// Before the database has told for how long.
    private static let firstOpening = Duration.seconds(5)
    /// How long what was decided here holds against what the shared view still says.
    private static let precedence = Duration.seconds(3)

    private enum Change: Sendable {
        case open(Conditions.Place, Verdict.Reason)
        case ramp(Conditions.Place)
    }

    private struct State {
        var seen: [Conditions.Place: Breaker] = [:]
        /// Decided here, until the shared view must have it.
        var own: [Conditions.Place: (phase: Conditions.Phase, until: ContinuousClock.Instant)] = [:]
        var probing: Set<Conditions.Place> = []
        /// Providers that asked for a pause, or refuse our account: nothing goes there that can go elsewhere.
        var resting: [ProviderID: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())
    private let shared: @Sendable () -> Conditions
    private let store: Store
    private let metrics: DeliveryMetrics
    private let logger: Logger
    private let changes: AsyncStream<Change>
    private let changing: AsyncStream<Change>.Continuation

    /// `shared`: what is known of all processes.
    init(shared: @escaping @Sendable () -> Conditions, store: Store, metrics: DeliveryMetrics, logger: Logger) {
        self.shared = shared
        self.store = store
        self.metrics = metrics
        self.logger = logger
        (self.changes, self.changing) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1000))
    }

    /// How everything is, for a choice.
    func conditions(now: ContinuousClock.Instant = .now) -> Conditions {
        var conditions = self.shared()
        self.state.withLock { state in
            for (place, own) in state.own where now < own.until { conditions.breakers[place] = own.phase }
            for (provider, until) in state.resting where now < until { conditions.resting[provider] = until }
        }
        return conditions
    }

    /// Whether anything here is not as it should be; false most of the time, and then nobody need look closer.
    func isAnyOpen(now: ContinuousClock.Instant = .now) -> Bool {
        if !self.shared().breakers.isEmpty { return true }
        return self.state.withLock { state in
            state.own.contains { now < $0.value.until } || state.resting.contains { now < $0.value }
        }
    }

    /// What is to become of a message that is bound for a place and could go elsewhere. One that is patient waits out a pause that the
    /// provider asked for. Each ``Admission/probe`` is to be
    /// followed by ``finish(_:isProbe:_:)``.
    func admit(
        _ place: Conditions.Place, isPatient: Bool = false, now: ContinuousClock.Instant = .now
    ) -> Admission {
        let shared = self.shared().breakers[place]
        return self.state.withLock { state in
            if !isPatient, let until = state.resting[place.provider], now < until { return .skip }
            let own = state.own[place].flatMap { now < $0.until ? $0.phase : nil }
            switch own ?? shared {
            case nil, .ramping: return .pass
            case .open(let until):
                guard now >= until, state.probing.insert(place).inserted else { return .skip }
                return .probe
            }
        }
    }

    /// Whether ``admit(_:now:)`` would refuse a message, without its being admitted.
    func refuses(_ place: Conditions.Place, isPatient: Bool = false, now: ContinuousClock.Instant = .now) -> Bool {
        let shared = self.shared().breakers[place]
        return self.state.withLock { state in
            if !isPatient, let until = state.resting[place.provider], now < until { return true }
            let own = state.own[place].flatMap { now < $0.until ? $0.phase : nil }
            guard case .open(let until) = own ?? shared else { return false }
            return now < until || state.probing.contains(place)
        }
    }

    /// Takes note of what an attempt said of its provider.
    func finish(
        _ place: Conditions.Place, isProbe: Bool, _ sign: Sign, now: ContinuousClock.Instant = .now
    ) {
        let shared = self.shared().breakers[place]
        let change = self.state.withLock { state -> Change? in
            if isProbe { state.probing.remove(place) }
            let phase = state.own[place].flatMap { now < $0.until ? $0.phase : nil } ?? shared
            return Self.change(place, phase, isProbe: isProbe, sign, &state, now: now)
        }
        if let change { self.changing.yield(change) }
    }

    /// Sends nothing there for a while that can go elsewhere.
    func rest(_ provider: ProviderID, for duration: Duration, now: ContinuousClock.Instant = .now) {
        self.state.withLock { state in
            state.resting = state.resting.filter { now < $0.value }
            state.resting[provider] = max(state.resting[provider] ?? now, now + duration)
        }
    }

    /// Tells the others what was decided here, until cancelled.
    func run() async {
        for await change in self.changes {
            do {
                try await self.publish(change)
            } catch {
                // It holds here all the same; and the next failures will say so again.
                self.logger.warning("could not tell other processes of a breaker", ["error": "\(error)"])
            }
        }
    }

    // MARK: - Private

    private static func change(
        _ place: Conditions.Place, _ phase: Conditions.Phase?, isProbe: Bool, _ sign: Sign, _ state: inout State,
        now: ContinuousClock.Instant
    ) -> Change? {
        var isRamping = false
        if case .ramping = phase { isRamping = true }
        switch sign {
        case .nothing: return nil
        case .well:
            _ = state.seen[place]?.record(failed: false)
            guard isProbe else { return nil }
            state.own[place] = (.ramping(since: now), now + Self.precedence)
            return .ramp(place)
        case .failed(let reason):
            let isTooMuch = state.seen[place, default: Breaker()].record(failed: true, isRamping: isRamping)
            if case .open(let until) = phase, now < until { return nil }
            guard isProbe || isTooMuch else { return nil }
            state.own[place] = (.open(until: now + Self.firstOpening), now + Self.precedence)
            return .open(place, reason)
        }
    }

    private func publish(_ change: Change) async throws {
        switch change {
        case .open(let place, let reason):
            let duration = try await self.store.openBreaker(place, reason: reason)
            self.state.withLock { state in
                state.own[place] = (.open(until: .now + duration), .now + Self.precedence)
            }
            self.metrics.breakerOpenings(provider: place.provider).add(1)
            self.logger.warning(
                "a provider fails; its messages go elsewhere where they can",
                [
                    "provider": Int(place.provider.rawValue), "country": place.country, "reason": reason.rawValue,
                    "for": "\(duration)",
                ])
        case .ramp(let place):
            try await self.store.rampBreaker(place)
            self.logger.info(
                "a provider is well again; its messages come back to it",
                ["provider": Int(place.provider.rawValue), "country": place.country])
        }
    }
}

extension Outcome {
    /// What it says of the provider. Too much at once is no failure: the provider says so itself, and for how long.
    var sign: Breakers.Sign {
        switch self {
        case .accepted: .well
        case .notSent(let reason), .unanswered(let reason): .failed(reason)
        case .refused(let verdict, _, _):
            switch (verdict.permanence, verdict.action) {
            case (_, .throttle): .nothing
            case (_, .haltProvider): .failed(verdict.reason)
            case (.transientProvider, .retrySame), (.transientProvider, .failover): .failed(verdict.reason)
            // It has looked at the message and given an answer, so it works.
            case (.permanentRecipient, _), (.permanentMessage, _), (.transientRecipient, _): .well
            case (.none, _), (.config, _), (.transientProvider, _): .nothing
            }
        }
    }
}
