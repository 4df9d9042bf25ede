import Messaging
import Store
import Synchronization
import Telemetry

/// Claims what is ready for the whole process: one claimer, one statement for all that have room.
struct Claimer<Source: ClaimSource>: Sendable {
    let source: Source
    let lanes: [Lane]
    let lease: Lease
    let holdings: Holdings<Source.ID>
    /// Rung by a hint that something is ready, and when there is room again.
    let signal: LaneBell
    let metrics: WorkMetrics
    /// At least so long from one claim to the next, unless the first left something behind.
    let interval: Duration
    /// Told after each claim, and when there was no room for one.
    let onProgress: @Sendable () -> Void
    let logger: Logger
    private let stopping = Stop()

    init(
        source: Source, lanes: [Lane], lease: Lease, holdings: Holdings<Source.ID>, signal: LaneBell,
        metrics: WorkMetrics, interval: Duration = .zero, logger: Logger,
        onProgress: @escaping @Sendable () -> Void
    ) {
        self.source = source
        self.lanes = lanes
        self.lease = lease
        self.holdings = holdings
        self.signal = signal
        self.metrics = metrics
        self.logger = logger
        self.interval = interval
        self.onProgress = onProgress
    }

    /// Claims nothing more. `run` returns once a claim under way is answered: were it cut off instead, it could commit
    /// all the same, and what it brought would stay with this worker until its lease ends.
    func stop() {
        self.stopping.isSet.store(true, ordering: .releasing)
        self.signal.ring()
    }

    private var isStopping: Bool { self.stopping.isSet.load(ordering: .acquiring) || Task.isCancelled }

    /// Claims until stopped, or until the task is cancelled.
    func run() async {
        var pause = ClaimTiming.firstPause
        var turns = LaneTurns(self.lanes, place: .random(in: 0..<self.lanes.count))
        while !self.isStopping {
            do {
                let started = ContinuousClock.now
                let found = try await self.round(&turns)
                let rest = max(self.interval, ClaimTiming.rest(after: .now - started))
                switch found {
                case .more: pause = ClaimTiming.firstPause
                case .some:
                    pause = ClaimTiming.firstPause
                    await self.wait(upTo: pause, afterResting: rest)
                case .nothing:
                    let isDoubtful = self.holdings.isDoubtful
                    await self.wait(
                        upTo: isDoubtful ? min(pause, HoldingsTiming.doubtfulInterval) : pause, afterResting: rest)
                    pause = min(pause * 2, ClaimTiming.pollInterval)
                }
            } catch {
                self.holdings.doubt()
                if self.isStopping { return }
                self.metrics.claimFailures.add(1)
                pause = ClaimTiming.firstPause
                self.logger.warning("could not claim", ["work": "\(Source.noun)", "error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            }
        }
    }

    /// However often the bell rings meanwhile, the rest passes first.
    private func wait(upTo pause: Duration, afterResting rest: Duration) async {
        try? await Task.sleep(for: rest)
        await self.signal.wait(upTo: pause)
    }

    private enum Found {
        /// Something, and there is more.
        case more
        case some, nothing
    }

    /// One claim in each lane whose turn it is.
    private func round(_ turns: inout LaneTurns) async throws -> Found {
        turns.ask(self.signal.take())
        guard let worker = self.lease.held else { return .nothing }
        try await self.settleDoubts(of: worker)
        var found = Found.nothing
        for lane in turns.round() where !self.isStopping && self.source.isOpen(lane) {
            let started = ContinuousClock.now
            guard let (claims, more) = try await self.source.claim(lane: lane, worker: worker) else {
                // No room, or nobody to send through: with a lease that is renewed this process is as well as can be.
                self.onProgress()
                return found
            }
            self.metrics.claimTime.observe(ContinuousClock.now - started)
            self.onProgress()
            try await self.take(claims.map { Held(claim: $0, worker: worker, since: started) }, worker: worker)
            if !more { turns.finish(lane) }
            if more { found = .more } else if !claims.isEmpty, found == .nothing { found = .some }
        }
        return found
    }

    private func take(_ held: [Held<Source.Claim>], worker: WorkerID) async throws {
        guard !held.isEmpty else { return }
        self.metrics.claimed.add(held.count)
        self.holdings.insert(held.map { Source.id(of: $0.claim) })
        let stranded = self.source.pass(held)
        guard !stranded.isEmpty else { return }
        self.holdings.remove(stranded.map { Source.id(of: $0.claim) })
        _ = try await self.source.handBack(stranded.map(\.claim), worker: worker)
    }

    /// Gives up what the database thinks that this process holds and this process does not. Here, because nothing may be
    /// claimed meanwhile.
    private func settleDoubts(of worker: WorkerID) async throws {
        guard let holding = self.holdings.toCompare() else { return }
        let started = ContinuousClock.now
        defer { self.holdings.compared(took: .now - started) }
        for lane in self.lanes {
            let count = try await self.source.disown(lane: lane, worker: worker, holding: holding)
            if count > 0 {
                self.logger.warning(
                    "gave up what was claimed or settled without an answer", ["work": "\(Source.noun)", "count": count])
            }
        }
    }
}

enum ClaimTiming {
    /// Between polls when nothing tells of work. When a hint is lost, the outlook tells within a second, or
    /// a few while dead rows make it slow; see ``Upkeep``.
    static let pollInterval = Duration.seconds(10)
    /// The first pause after a claim that left nothing behind; it doubles up to the poll's. Under a steady trickle this
    /// is how long a message may wait for its claim when no hint came.
    static let firstPause = Duration.milliseconds(4)
    /// A busy database gets fewer and larger claims: after one that left nothing behind, the next begins no sooner than after
    /// twice the time that it took, and after so long at most.
    static let mostRest = Duration.milliseconds(10)

    static func rest(after duration: Duration) -> Duration { min(duration * 2, self.mostRest) }
}

private final class Stop: Sendable {
    let isSet = Atomic(false)
}
