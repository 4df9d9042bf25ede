import Polling
import Synchronization

/// One connection being opened on a thread of its own, for a task that may stop waiting at any time.
///
/// The thread always ends by itself: soon after the deadline, except that the resolver takes as long as it takes. A
/// connection nobody waits for any more is closed.
final class ConnectionAttempt: Sendable {
    private enum State {
        case begun
        case awaited(CheckedContinuation<Result<ConnectionHandle, PostgresError>, Never>)
        case ended
    }

    private let state = Mutex(State.begun)

    /// Opens a connection. Throws `.connection` if that fails or is not done at `deadline`, or `.cancelled`.
    static func run(
        _ parameters: ConnectionParameters, until deadline: ContinuousClock.Instant, poller: Poller
    ) async throws(PostgresError) -> ConnectionHandle {
        let attempt = ConnectionAttempt()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard attempt.wait(with: continuation) else { return }
                poller.schedule(at: deadline) { attempt.end(with: .failure(connectTimedOut)) }
                attempt.start(parameters, until: deadline)
            }
        } onCancel: {
            attempt.end(with: .failure(.cancelled))
        }
        return try result.get()
    }

    // MARK: - Private

    private func wait(with continuation: CheckedContinuation<Result<ConnectionHandle, PostgresError>, Never>) -> Bool {
        let isWanted = self.state.withLock { state in
            // `onCancel` may have come first.
            guard case .begun = state else { return false }
            state = .awaited(continuation)
            return true
        }
        if !isWanted { continuation.resume(returning: .failure(.cancelled)) }
        return isWanted
    }

    private func start(_ parameters: ConnectionParameters, until deadline: ContinuousClock.Instant) {
        do {
            try Thread.start(name: "pg-connect") {
                do throws(PostgresError) {
                    let handle = try ConnectionHandle.open(parameters, until: deadline)
                    if !self.end(with: .success(handle)) { handle.close() }
                } catch {
                    self.end(with: .failure(error))
                }
            }
        } catch {
            self.end(with: .failure(.connection("\(error)")))
        }
    }

    /// Resumes the waiting task. False if something else did so before.
    @discardableResult
    private func end(with result: Result<ConnectionHandle, PostgresError>) -> Bool {
        let former = self.state.withLock { state in
            defer { state = .ended }
            return state
        }
        guard case .awaited(let continuation) = former else { return false }
        continuation.resume(returning: result)
        return true
    }
}
