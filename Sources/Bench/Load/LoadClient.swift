import CLinux
import Glibc
import Polling

/// The load generator: a small HTTP/1.1 client on one thread with one epoll, made to cost little, because it shares the
/// processors with what it measures.
final class LoadClient {
    /// Seconds without any answer after which a run is given up.
    static let patience = 15.0

    private static let timerTag = UInt64.max

    private let load: Load
    private let epoll: Int32
    private let timer: Int32
    private let callers: [Caller]
    /// Indexes of callers without a request under way. They take turns: the API closes a connection that is unused for a minute.
    private var idle: [Int]
    private var result = LoadResult()
    private var numbers = 0
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    /// Connects all callers.
    init(_ load: Load) throws {
        self.load = load
        let requests = load.senders.map { RequestTemplate($0.request, key: $0.key) }
        self.callers = try (0..<load.callers).map { index in
            try Caller(port: load.ports[index % load.ports.count], request: requests[index % requests.count])
        }
        self.idle = Array(0..<load.callers)
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw SystemError("epoll_create1") }
        self.timer = clinux_open_timer()
        guard self.timer >= 0 else { throw SystemError("timerfd_create") }
        try self.watch(self.timer, tag: Self.timerTag, EPOLLIN)
        for (index, caller) in self.callers.enumerated() {
            try self.watch(caller.descriptor, tag: UInt64(index), EPOLLIN)
        }
    }

    deinit {
        close(self.timer)
        close(self.epoll)
        self.buffer.deallocate()
    }

    /// Sends until the pacer ends and all is answered.
    func run(_ stop: BlockingWork.StopFlag) throws -> LoadResult {
        let start = MonotonicTime.now
        self.result.started = start
        self.result.ended = start
        var pacer = Pacer(self.load.mode, messagesPerRequest: self.load.weight, start: start)
        var events = [epoll_event](repeating: epoll_event(), count: 128)
        while true {
            let hasMore = try self.sendWhatIsDue(&pacer)
            if !hasMore, self.idle.count == self.callers.count { return self.result }
            let count = epoll_wait(self.epoll, &events, Int32(events.count), 100)
            guard count >= 0 || errno == EINTR else { throw SystemError("epoll_wait") }
            for event in events[..<max(0, Int(count))] { try self.handle(event) }
            try stop.check()
            let isWaiting = self.idle.count < self.callers.count
            if isWaiting, MonotonicTime.now - self.result.ended > Self.patience {
                throw BenchError("the API has not answered for \(Int(Self.patience)) s")
            }
        }
    }

    // MARK: - Private

    /// False once nothing more is to be sent.
    private func sendWhatIsDue(_ pacer: inout Pacer) throws -> Bool {
        while let index = self.idle.first {
            switch pacer.next(now: .now) {
            case .send(let scheduled):
                self.idle.removeFirst()
                let isSent = try self.callers[index].send(from: self.numbers, scheduled: scheduled)
                self.numbers += self.load.weight
                if !isSent { try self.watch(self.callers[index].descriptor, tag: UInt64(index), EPOLLOUT, again: true) }
            case .wait(let moment):
                self.setTimer(moment)
                return true
            case .end: return false
            }
        }
        return true
    }

    private func handle(_ event: epoll_event) throws {
        guard event.data.u64 != Self.timerTag else {
            var count: UInt64 = 0
            read(self.timer, &count, 8)
            return
        }
        let index = Int(event.data.u64)
        let caller = self.callers[index]
        if event.events & EPOLLOUT.rawValue != 0 {
            if try caller.goOn() { try self.watch(caller.descriptor, tag: UInt64(index), EPOLLIN, again: true) }
        } else if let status = try caller.receive(into: self.buffer) {
            self.record(status, since: caller.scheduled)
            self.idle.append(index)
        }
    }

    private func record(_ status: Int, since scheduled: MonotonicTime) {
        let now = MonotonicTime.now
        self.result.requests += 1
        self.result.ended = now
        self.result.latencies.append((now - scheduled) * 1000)
        if status == self.load.success {
            self.result.accepted += self.load.weight
        } else {
            self.result.refused += 1
            if self.result.firstRefusal == nil { self.result.firstRefusal = status }
        }
    }

    /// Finer than the milliseconds of `epoll_wait`, which would be measured as latency.
    private func setTimer(_ moment: MonotonicTime) {
        let (seconds, nanoseconds) = moment.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        clinux_set_timer(self.timer, seconds, nanoseconds)
    }

    private func watch(_ descriptor: Int32, tag: UInt64, _ events: EPOLL_EVENTS, again: Bool = false) throws {
        var event = epoll_event(events: events.rawValue, data: epoll_data(u64: tag))
        guard epoll_ctl(self.epoll, again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw SystemError("epoll_ctl")
        }
    }
}
