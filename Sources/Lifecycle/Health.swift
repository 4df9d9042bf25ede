import Synchronization

/// Whether this process can do its work: what `/readyz` says.
///
/// Readiness watches progress, not existence: a process whose claims or commits have all failed for a while is not ready,
/// however alive it is and however well it can look at the database.
public final class Health: Sendable {
    public typealias Instant = ContinuousClock.Instant

    private struct State {
        var succeeded: Instant
        /// The last failure since work last succeeded.
        var failed: Instant?
        var isDraining = false
    }

    private let patience: Duration
    private let state: Mutex<State>

    /// `patience`: how long the work may fail before the process counts as not ready.
    public init(patience: Duration = .seconds(15), at now: Instant = .now) {
        self.patience = patience
        self.state = Mutex(State(succeeded: now))
    }

    /// The work (a claim, a commit) has just succeeded.
    public func succeeded(at now: Instant = .now) {
        self.state.withLock { state in
            state.succeeded = now
            state.failed = nil
        }
    }

    /// The database has just answered something that is not the work. That stands for success while there is no work,
    /// but not within `patience` of work that failed and has not succeeded since.
    public func looked(at now: Instant = .now) {
        self.state.withLock { state in
            if let failed = state.failed, now - failed <= self.patience { return }
            state.succeeded = now
        }
    }

    /// The work has just failed.
    public func failed(at now: Instant = .now) { self.state.withLock { $0.failed = now } }

    /// Not ready from here on: others should be asked.
    public func drain() { self.state.withLock { $0.isDraining = true } }

    /// Nil when ready; otherwise why not.
    public var problem: String? { self.problem(at: .now) }

    /// Nil when ready at that time; otherwise why not.
    public func problem(at now: Instant) -> String? {
        self.state.withLock { state in
            if state.isDraining { return "draining" }
            let silence = now - state.succeeded
            return silence > self.patience ? "no success for \(silence.components.seconds) s" : nil
        }
    }
}
