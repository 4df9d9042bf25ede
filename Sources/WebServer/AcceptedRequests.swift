import Synchronization

/// Complete requests on their way from libmicrohttpd's threads to `run()`, which takes all that wait at a time:
/// under load one hop serves many requests. Bounded by `requestLimit`, as only entered exchanges come here.
final class AcceptedRequests: Sendable {
    struct Accepted: Sendable {
        let exchange: Exchange
        /// The exchange's place among the open ones.
        let place: Int
    }

    private struct State {
        var waiting: [Accepted] = []
        var isFinished = false
        var taker: CheckedContinuation<[Accepted]?, Never>?
    }

    private let state = Mutex(State())

    /// False after `finish()`: the request is then the caller's to refuse.
    func put(_ accepted: Accepted) -> Bool {
        let taker = self.state.withLock { state -> CheckedContinuation<[Accepted]?, Never>?? in
            guard !state.isFinished else { return .none }
            let taker = state.taker.take()
            if taker == nil { state.waiting.append(accepted) }
            return .some(taker)
        }
        guard let taker else { return false }
        taker?.resume(returning: [accepted])
        return true
    }

    /// Ends the row; what waits in it is still taken.
    func finish() {
        let taker = self.state.withLock { state in
            state.isFinished = true
            return state.taker.take()
        }
        taker?.resume(returning: nil)
    }

    /// Everything that waits, as soon as something does; nil when the row has ended. For one taker at a time. It does
    /// not look at cancellation: whoever cancels calls `finish()`.
    func next() async -> [Accepted]? {
        await withCheckedContinuation { continuation in
            let ready = self.state.withLock { state -> [Accepted]?? in
                if !state.waiting.isEmpty { return .some(state.waiting.takeAll()) }
                if state.isFinished { return .some(nil) }
                state.taker = continuation
                return .none
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}

extension Array {
    fileprivate mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
