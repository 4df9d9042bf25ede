import Messaging
import Store
import Synchronization
import Telemetry

/// This process's right to hold messages: a row with a heartbeat.
///
/// Others take over what it holds when the heartbeat is older than ``Timing/lease``. The process itself stops sending
/// earlier, by its own monotonic clock and counted from before the last heartbeat was sent: a process that was paused
/// finds its lease gone before it sends anything more.
final class Lease: Sendable {
    /// How long a lease lasts and how often it is renewed.
    struct Timing: Sendable {
        /// After so much silence others take over.
        var lease: Duration = .seconds(15)
        /// Between heartbeats.
        var interval: Duration = .seconds(3)
        /// Nothing is begun in the last part of a lease, so that a request in flight has time to end.
        var margin: Duration = .seconds(3)
    }

    private struct State {
        var worker: WorkerID?
        var renewed: ContinuousClock.Instant
        /// Workers alive, this one among them.
        var alive = 1
    }

    private let store: Store
    private let name: String
    private let timing: Timing
    private let logger: Logger
    private let state = Mutex(State(renewed: .now))
    private let onLoss: @Sendable () -> Void

    /// `onLoss` drops everything that was held.
    init(
        store: Store, name: String, timing: Timing, logger: Logger, onLoss: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.name = name
        self.timing = timing
        self.logger = logger
        self.onLoss = onLoss
    }

    /// The worker as which this process may claim and send now; nil while it has no lease that lasts.
    var held: WorkerID? {
        let now = ContinuousClock.now
        return self.state.withLock { state in
            now - state.renewed < self.timing.lease - self.timing.margin ? state.worker : nil
        }
    }

    /// Workers alive at the last heartbeat, this one among them.
    var workersAlive: Int { self.state.withLock { $0.alive } }

    /// Takes out a lease and renews it until the task is cancelled, and a new one whenever it was lost.
    func run() async {
        while !Task.isCancelled {
            let started = ContinuousClock.now
            do {
                try await self.renew(at: started)
                try await Task.sleep(for: self.timing.interval)
            } catch is CancellationError {
                break
            } catch {
                self.logger.warning("could not renew the lease", ["error": "\(error)"])
                self.noticeLoss()
                try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            }
        }
    }

    /// Ends the lease at once, so that others need not wait for it to run out. `holdsNothing`: neither here nor in the database.
    func end(holdsNothing: Bool) async {
        guard let worker = self.state.withLock({ $0.worker }) else { return }
        do {
            try await self.store.unregisterWorker(worker, holdsNothing: holdsNothing)
        } catch {
            self.logger.warning(
                "could not end the lease; it will run out", ["worker": worker.rawValue, "error": "\(error)"])
        }
    }

    // MARK: - Private

    private func renew(at started: ContinuousClock.Instant) async throws {
        guard let worker = self.state.withLock({ $0.worker }) else { return try await self.begin(at: started) }
        guard let alive = try await self.store.heartbeat(worker) else {
            self.logger.error("the lease was lost; what it held belongs to others now", ["worker": worker.rawValue])
            self.lose()
            return try await self.begin(at: .now)
        }
        guard self.goOn(from: started, alive: alive) else {
            self.logger.error("the lease had lapsed; a new one is taken out", ["worker": worker.rawValue])
            self.lose()
            try await self.store.unregisterWorker(worker)
            return try await self.begin(at: .now)
        }
    }

    /// False when the lease had lapsed by our own clock, whatever the database says: claims were dropped and settlements
    /// given up under it, and nobody would take them over from a worker that lives on.
    private func goOn(from started: ContinuousClock.Instant, alive: Int) -> Bool {
        let now = ContinuousClock.now
        return self.state.withLock { state in
            guard now - state.renewed < self.timing.lease - self.timing.margin else { return false }
            state.renewed = started
            state.alive = max(1, alive)
            return true
        }
    }

    private func begin(at started: ContinuousClock.Instant) async throws {
        let worker = try await self.store.registerWorker(name: self.name, lease: self.timing.lease)
        let alive = try await self.store.heartbeat(worker)
        self.state.withLock { $0 = State(worker: worker, renewed: started, alive: max(1, alive ?? 1)) }
        self.logger.info("took out a lease", ["worker": worker.rawValue])
    }

    /// When the database was away for too long, the lease is over whatever the database will say.
    private func noticeLoss() {
        let isOver = self.state.withLock { state in
            state.worker != nil && ContinuousClock.now - state.renewed > self.timing.lease
        }
        if isOver { self.lose() }
    }

    private func lose() {
        self.state.withLock { $0.worker = nil }
        self.onLoss()
    }
}
