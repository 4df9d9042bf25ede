import Synchronization

/// A doorbell for one waiter. A ring while nobody waits is kept for the next wait; several rings count as one.
public final class Signal: Sendable {
    private enum State {
        case quiet
        case rung
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.quiet)

    public init() {}

    /// Lets the waiter go on, now or when it comes.
    public func ring() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .waiting(let waiter) = state else {
                state = .rung
                return nil
            }
            state = .quiet
            return waiter
        }
        waiter?.resume()
    }

    /// Suspends until the bell rings, or until the task is cancelled. One task at a time may wait.
    public func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = self.state.withLock { state -> Bool in
                    switch state {
                    case .waiting: preconditionFailure("two tasks wait on one signal")
                    case .quiet where !Task.isCancelled:
                        state = .waiting(continuation)
                        return false
                    case .quiet, .rung:
                        state = .quiet
                        return true
                    }
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            // `wait` checks for cancellation under the lock that this takes, so one of the two sees the other.
            self.ring()
        }
    }

    /// Suspends until the bell rings, `timeout` has passed, or the task is cancelled.
    public func wait(upTo timeout: Duration) async {
        await withTaskGroup { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
    }
}
