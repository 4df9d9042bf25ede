import Synchronization

/// The exchanges that have been accepted: how many, since when, and whether all have been sent.
///
/// Two numbers are kept apart. A place is held until the handler returns, also past its deadline, because until then
/// it costs what a handler costs; `requestLimit` counts places. An exchange is unsent until libmicrohttpd is done with
/// it, so that a drain does not cut responses.
final class OpenExchanges: Sendable {
    private struct State {
        var places: [(exchange: Exchange, since: ContinuousClock.Instant)?]
        var free: [Int]
        var unsentCount = 0
        var isDraining = false
        var allSent: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    init(limit: Int) {
        self.state = Mutex(State(places: Array(repeating: nil, count: limit), free: Array((0..<limit).reversed())))
    }

    var isDraining: Bool { self.state.withLock { $0.isDraining } }

    /// A place for a complete request; nil when all are taken or the server drains.
    func enter(_ exchange: Exchange) -> Int? {
        let now = ContinuousClock.now
        return self.state.withLock { state in
            guard !state.isDraining, let place = state.free.popLast() else { return nil }
            state.places[place] = (exchange, now)
            state.unsentCount += 1
            return place
        }
    }

    /// The handler has returned.
    func leave(_ place: Int) {
        self.state.withLock { state in
            state.places[place] = nil
            state.free.append(place)
        }
    }

    /// libmicrohttpd is done with an exchange that had entered.
    func markSent() {
        let allSent = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.unsentCount -= 1
            return state.unsentCount == 0 ? state.allSent.take() : nil
        }
        allSent?.resume()
    }

    /// The exchanges that have been open for longer than `deadline`.
    func overdue(after deadline: Duration) -> [Exchange] {
        let oldest = ContinuousClock.now - deadline
        return self.state.withLock { state in
            state.places.compactMap { place in
                guard let place, place.since < oldest else { return nil }
                return place.exchange
            }
        }
    }

    /// Lets nobody enter any more.
    func drain() { self.state.withLock { $0.isDraining = true } }

    /// Waits until every exchange that entered has been sent, or its connection has died. Only after `drain()`.
    func waitUntilSent() async {
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state -> Bool in
                precondition(state.isDraining, "exchanges still enter")
                guard state.unsentCount > 0 else { return true }
                state.allSent = continuation
                return false
            }
            if isDone { continuation.resume() }
        }
    }
}
