import CPostgres
import Polling
import Synchronization

/// Stops statements on the server and closes their connections, on threads of its own: `PQcancel` blocks.
///
/// The connection stays open until the server has been told: PgBouncer forgets whom to tell once its client is gone.
/// Telling is a courtesy. With more than `backlogLimit` connections to close, the rest are closed without it.
final class Canceller: Sendable {
    static let shared = Canceller(threadLimit: 4, backlogLimit: 256)

    private let threadLimit: Int
    private let backlogLimit: Int
    private let state = Mutex(State())

    private struct State {
        var threads = 0
        var backlog: [ConnectionHandle] = []
    }

    init(threadLimit: Int, backlogLimit: Int) {
        self.threadLimit = threadLimit
        self.backlogLimit = backlogLimit
    }

    /// Takes the connection over, with whatever it is doing.
    func cancelAndClose(_ handle: ConnectionHandle) {
        let (isTaken, isShortOfThreads) = self.state.withLock { state -> (Bool, Bool) in
            guard state.backlog.count < self.backlogLimit else { return (false, false) }
            state.backlog.append(handle)
            guard state.threads < self.threadLimit else { return (true, false) }
            state.threads += 1
            return (true, true)
        }
        if !isTaken { handle.close() }
        if isShortOfThreads { self.startThread() }
    }

    // MARK: - Private

    private func startThread() {
        do {
            try Thread.start(name: "pg-cancel") {
                while let handle = self.next() {
                    cancel(handle)
                    handle.close()
                }
            }
        } catch {
            // Without a thread, closing must do.
            while let handle = self.next() { handle.close() }
        }
    }

    /// The next connection, or nil when the calling thread is to end.
    private func next() -> ConnectionHandle? {
        self.state.withLock { state in
            if state.backlog.isEmpty {
                state.threads -= 1
                return nil
            }
            return state.backlog.removeFirst()
        }
    }
}

private func cancel(_ handle: ConnectionHandle) {
    guard let cancellation = PQgetCancel(handle.pointer) else { return }
    defer { PQfreeCancel(cancellation) }
    // The reason it failed is of no use: the connection is closed in any case.
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { reason in
        _ = PQcancel(cancellation, reason.baseAddress, 256)
    }
}
