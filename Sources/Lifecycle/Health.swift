import Synchronization

/// Whether this process can do its work: what `/readyz` says.
///
/// Readiness watches progress, not existence: a process whose claims have all failed for a while is not ready, however
/// alive it is.
public final class Health: Sendable {
    private struct State {
        var succeeded: ContinuousClock.Instant
        var isDraining = false
    }

    private let patience: Duration
    private let state: Mutex<State>

    /// `patience`: how long the work may fail before the process counts as not ready.
    public init(patience: Duration = .seconds(15)) {
        self.patience = patience
        self.state = Mutex(State(succeeded: .now))
    }

    /// The work (a claim, a commit) has just succeeded.
    public func succeeded() { self.state.withLock { $0.succeeded = .now } }

    /// Not ready from here on: others should be asked.
    public func drain() { self.state.withLock { $0.isDraining = true } }

    /// Nil when ready; otherwise why not.
    public var problem: String? {
        self.state.withLock { state in
            if state.isDraining { return "draining" }
            let silence = ContinuousClock.now - state.succeeded
            return silence > self.patience ? "no success for \(silence.components.seconds) s" : nil
        }
    }
}
