import Polling
import Synchronization

/// Work that blocks its thread, as everything that measures here does: it runs on a thread of its own, so that no
/// executor stands between the clock and the socket.
enum BlockingWork {
    /// Told from outside that nobody waits for the work any more. The work looks at it, several times a second.
    final class StopFlag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { self.value.load(ordering: .relaxed) }
        func set() { self.value.store(true, ordering: .relaxed) }

        func check() throws {
            if self.isSet { throw CancellationError() }
        }
    }

    /// Runs `body` on a thread called `name` and returns what it does. Cancelling the task sets the flag.
    static func run<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable (StopFlag) throws -> Value
    ) async throws -> Value {
        let stop = StopFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try Thread.start(name: name) { continuation.resume(with: Result { try body(stop) }) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            stop.set()
        }
    }
}
