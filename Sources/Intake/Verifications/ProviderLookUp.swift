public import Channels
public import HTTP
import JSON
public import Messaging
public import Store
import Synchronization
public import Telemetry

/// Whom to ask about numbers, and on what terms.
public struct LookUpSource: Sendable {
    var directory: any NumberDirectory
    /// How long an answer is used again.
    var maxAge: Duration
    /// How long whoever asks waits, all told.
    var timeLimit: Duration

    public init(directory: any NumberDirectory, maxAge: Duration, timeLimit: Duration) {
        self.directory = directory
        self.maxAge = maxAge
        self.timeLimit = timeLimit
    }
}

/// Looks numbers up at a provider, after the numbering plans have had their say.
///
/// An answer is kept in memory and in the database for as long as the operator says; requests for one number at the same time
/// share one question. Whatever fails or takes too long is unknown. A provider that fails again and again is left alone for a
/// while, so that codes do not wait for it one by one.
public final class ProviderLookUp: NumberLookUp {
    /// Sends a request, and returns its response within the time, or nil.
    public typealias Ask = @Sendable (_ request: OutgoingRequest, _ timeout: Duration) async -> HTTPResponse?

    private let store: Store
    private let source: @Sendable () -> LookUpSource?
    private let ask: Ask
    private let offline = OfflineLookUp()
    private let state = Mutex(LookUpState())
    private let metrics: LookUpMetrics

    /// `source`: what the configuration says at the moment; nil asks nobody.
    public init(
        store: Store, metrics: Metrics, source: @escaping @Sendable () -> LookUpSource?, ask: @escaping Ask
    ) {
        self.store = store
        self.source = source
        self.ask = ask
        self.metrics = LookUpMetrics(metrics)
    }

    public func reachability(of number: PhoneNumber) async -> Reachability {
        let offline = await self.offline.reachability(of: number)
        guard case .unknown = offline, let facts = await self.facts(of: number) else { return offline }
        return switch facts.reachability {
        case .reachable: .reachable
        case .unreachable: .unreachable(reason: "no network has it")
        case .unknown: .unknown
        }
    }

    /// What is known of a number; nil when nothing is, or nothing could be found out in time.
    public func facts(of number: PhoneNumber) async -> NumberFacts? {
        guard let source = self.source() else { return nil }
        return await withCheckedContinuation { continuation in
            switch self.state.withLock({ $0.join(number, continuation, now: .now) }) {
            case .known(let facts): continuation.resume(returning: facts)
            case .refused:
                self.metrics.lookUps("refused").add(1)
                continuation.resume(returning: nil)
            case .joined: break
            case .begun(let flight): self.begin(flight, number, source)
            }
        }
    }

    // MARK: - Private

    /// The two that end a question: its answer, and its time. Neither belongs to one of those who wait, so that none of them
    /// takes it away from the others by leaving.
    private func begin(_ flight: UInt64, _ number: PhoneNumber, _ source: LookUpSource) {
        Task {
            let found = await self.find(number, source)
            self.metrics.lookUps(found == nil ? "failed" : "found").add(1)
            let waiting = self.state.withLock {
                $0.end(flight, number, found?.facts, keptFor: found?.freshness ?? .zero, now: .now)
            }
            for continuation in waiting { continuation.resume(returning: found?.facts) }
        }
        Task {
            try? await Task.sleep(for: source.timeLimit)
            for continuation in self.state.withLock({ $0.giveUp(flight, number) }) {
                continuation.resume(returning: nil)
            }
        }
    }

    private func find(
        _ number: PhoneNumber, _ source: LookUpSource
    ) async -> (facts: NumberFacts, freshness: Duration)? {
        if let kept = try? await self.store.lookedUp(number, maxAge: source.maxAge),
            let facts = (try? JSON(parsing: Array(kept.facts.utf8))).flatMap({ NumberFacts($0) })
        {
            return (facts, source.maxAge - kept.age)
        }
        let response = await self.ask(source.directory.request(for: number), source.timeLimit)
        guard let response, !Self.isTrouble(response.status) else { return nil }
        // Who has nothing to say of a number is not asked again so soon, and is in no trouble.
        let facts = source.directory.facts(of: number, in: response) ?? NumberFacts(reachability: .unknown)
        // What cannot be kept is asked for again.
        try? await self.store.keepLookUp(of: number, facts: facts.json.text)
        return (facts, source.maxAge)
    }

    /// What would be said of every number: not let in, too many at once, out of order.
    private static func isTrouble(_ status: Int) -> Bool {
        [401, 402, 403, 408, 429].contains(status) || status >= 500
    }
}

/// What is known, and who waits for what: every rule without a clock and without a provider.
struct LookUpState {
    typealias Waiter = CheckedContinuation<NumberFacts?, Never>

    enum Step {
        case known(NumberFacts)
        /// The provider is in trouble, or too much is under way.
        case refused
        /// Another question is about the same number.
        case joined
        case begun(UInt64)
    }

    private struct Flight {
        var id: UInt64
        var waiters: [Waiter]
    }

    /// Numbers in memory; the database has the others.
    static let knownLimit = 20_000
    /// No answer is used from memory for longer: processes that were told of another forget it as soon.
    static let memory = Duration.seconds(600)
    /// Questions under way at once.
    static let flightLimit = 500
    /// Failures in a row after which a provider is left alone, and for how long.
    static let failureLimit = 5
    static let pause = Duration.seconds(10)

    private var known: [PhoneNumber: (facts: NumberFacts, until: ContinuousClock.Instant)] = [:]
    private var flights: [PhoneNumber: Flight] = [:]
    private var nextFlight: UInt64 = 0
    private var failures = 0
    private var pausedUntil: ContinuousClock.Instant?

    mutating func join(_ number: PhoneNumber, _ waiter: Waiter, now: ContinuousClock.Instant) -> Step {
        if let known = self.known[number], known.until > now { return .known(known.facts) }
        if self.flights[number] != nil {
            self.flights[number]?.waiters.append(waiter)
            return .joined
        }
        if let pausedUntil, pausedUntil > now { return .refused }
        guard self.flights.count < Self.flightLimit else { return .refused }
        // After a pause one goes to see; the others wait for what becomes of it.
        if self.pausedUntil != nil { self.pausedUntil = now + Self.pause }
        self.nextFlight += 1
        self.flights[number] = Flight(id: self.nextFlight, waiters: [waiter])
        return .begun(self.nextFlight)
    }

    /// Keeps what was found; returns who still waits for it.
    mutating func end(
        _ flight: UInt64, _ number: PhoneNumber, _ facts: NumberFacts?, keptFor freshness: Duration,
        now: ContinuousClock.Instant
    ) -> [Waiter] {
        if let facts {
            self.failures = 0
            self.pausedUntil = nil
            if self.known.count >= Self.knownLimit { self.known = self.known.filter { $0.value.until > now } }
            if self.known.count >= Self.knownLimit { self.known = [:] }
            self.known[number] = (facts, now + min(freshness, Self.memory))
        } else {
            self.failures += 1
            if self.failures >= Self.failureLimit { self.pausedUntil = now + Self.pause }
        }
        return self.giveUp(flight, number)
    }

    /// Waits no longer; returns who has waited.
    mutating func giveUp(_ flight: UInt64, _ number: PhoneNumber) -> [Waiter] {
        guard self.flights[number]?.id == flight else { return [] }
        return self.flights.removeValue(forKey: number)?.waiters ?? []
    }
}

private struct LookUpMetrics: Sendable {
    let metrics: Metrics

    init(_ metrics: Metrics) { self.metrics = metrics }

    func lookUps(_ result: String) -> Counter {
        self.metrics.counter(
            "pinpost_look_ups_total", help: "Numbers looked up and not known in memory, by what came of it.",
            labels: ["result": result])
    }
}
