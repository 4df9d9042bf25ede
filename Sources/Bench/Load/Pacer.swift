import Synchronization

/// When the load client sends its next request.
struct Pacer {
    enum Mode: Sendable {
        /// Each caller sends as soon as it has its answer, for so long, and while `gate` lets messages through.
        case closedLoop(seconds: Double, gate: Gate)
        /// A request each 1/`rate` seconds, `count` of them, whether or not those before were answered: a server that
        /// falls behind cannot slow its own measurement down.
        case openLoop(rate: Double, count: Int)
        /// A request at each of these moments, in seconds from the start, whether or not those before were answered.
        case moments([Double])
    }

    enum Step: Equatable {
        /// Now; its latency counts from `scheduled`.
        case send(scheduled: MonotonicTime)
        case wait(until: MonotonicTime)
        case end
    }

    private let mode: Mode
    private let start: MonotonicTime
    private let messagesPerRequest: Int
    private var sent = 0

    init(_ mode: Mode, messagesPerRequest: Int, start: MonotonicTime) {
        self.mode = mode
        self.messagesPerRequest = messagesPerRequest
        self.start = start
    }

    /// Asked when a caller is free. A request that is let go counts as sent.
    mutating func next(now: MonotonicTime) -> Step {
        switch self.mode {
        case .closedLoop(let seconds, let gate):
            if now >= self.start + seconds { return .end }
            guard gate.admits((self.sent + 1) * self.messagesPerRequest) else { return .wait(until: now + 0.002) }
            self.sent += 1
            return .send(scheduled: now)
        case .openLoop(let rate, let count):
            if self.sent == count { return .end }
            return self.send(at: self.start + Double(self.sent) / rate, now: now)
        case .moments(let moments):
            if self.sent == moments.count { return .end }
            return self.send(at: self.start + moments[self.sent], now: now)
        }
    }

    private mutating func send(at scheduled: MonotonicTime, now: MonotonicTime) -> Step {
        if now < scheduled { return .wait(until: scheduled) }
        self.sent += 1
        return .send(scheduled: scheduled)
    }
}

/// How many messages may have been sent so far, altogether: keeps what is accepted and not delivered within bounds.
final class Gate: Sendable {
    private let limit: Atomic<Int>

    init(limit: Int) { self.limit = Atomic(limit) }

    /// Lets everything through.
    static var open: Gate { Gate(limit: .max) }

    func admits(_ messages: Int) -> Bool { messages <= self.limit.load(ordering: .relaxed) }
    func raise(to limit: Int) { self.limit.store(limit, ordering: .relaxed) }
}
