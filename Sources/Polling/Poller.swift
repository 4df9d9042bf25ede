import CLinux
import Glibc
import Synchronization

/// Waits for sockets, and for moments, on behalf of suspended tasks.
///
/// One thread sits in `epoll_wait`. A task with nothing to do until a socket is ready leaves a continuation here and is
/// resumed when the kernel says so. A registration lasts for one wait only, so a descriptor nobody waits for is unknown
/// to the poller and may be closed freely.
///
/// Deadlines are few and mostly alike (a statement's time-out), so they are not sorted: the loop remembers the earliest
/// one, and looks through all of them when it has come. They are kept to within 2 ms.
public final class Poller: Sendable {
    private let epoll: Int32
    private let alarm: Int32
    private let state = Mutex(State())

    public init() throws(SystemError) {
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw SystemError("epoll_create1") }
        self.alarm = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard self.alarm >= 0 else { throw SystemError("eventfd") }
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: alarmTicket))
        guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.alarm, &event) == 0 else { throw SystemError("epoll_ctl") }
    }

    /// Starts the polling thread, once; it lives until the process exits. Without it no wait ends.
    public func start() {
        let isFirst = self.state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if isFirst { Thread.detach(name: "poller") { self.loop() } }
    }

    /// Suspends until `descriptor` is ready for one of `events`, and says for which.
    ///
    /// Errors and hang-ups are reported as readiness for all of `events`: the caller's next read finds out. At most one
    /// task may wait on a descriptor, which must stay open until the wait has ended.
    public func wait(
        for events: Events, on descriptor: Int32, until deadline: ContinuousClock.Instant? = nil
    ) async throws(WaitError) -> Events {
        let ticket = self.state.withLock { state in state.makeTicket() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(
                    descriptor: descriptor, events: events, deadline: deadline, continuation: continuation
                )
                self.register(waiter, ticket: ticket)
            }
        } onCancel: {
            self.resume(ticket, with: .failure(.cancelled))
        }
        return try result.get()
    }

    /// Runs `action` on the poller's thread once `instant` has come. It must be short and cannot be taken back.
    public func schedule(at instant: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) {
        let isEarlier = self.state.withLock { state in
            state.timers.append(Timer(instant: instant, action: action))
            return state.expectLook(at: instant)
        }
        if isEarlier { self.ring() }
    }

    // MARK: - Private

    private func register(_ waiter: Waiter, ticket: UInt64) {
        var isEarlier = false
        let refusal = self.state.withLock { state -> WaitError? in
            // `onCancel` takes the same lock, so a cancellation is seen either here or there.
            if Task.isCancelled { return .cancelled }
            if let error = self.watch(waiter, ticket: ticket) { return .refused(error) }
            state.waiters[ticket] = waiter
            if let deadline = waiter.deadline { isEarlier = state.expectLook(at: deadline) }
            return nil
        }
        if let refusal { waiter.continuation.resume(returning: .failure(refusal)) }
        if isEarlier { self.ring() }
    }

    private func watch(_ waiter: Waiter, ticket: UInt64) -> SystemError? {
        var event = epoll_event(
            events: waiter.events.rawValue | EPOLLONESHOT.rawValue,
            data: epoll_data(u64: ticket)
        )
        guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, waiter.descriptor, &event) != 0 else { return nil }
        let error = SystemError("epoll_ctl")
        precondition(error.code != EEXIST, "two tasks wait on descriptor \(waiter.descriptor)")
        precondition(error.code != EBADF, "a task waits on descriptor \(waiter.descriptor), which is closed")
        return error
    }

    private func resume(_ ticket: UInt64, with result: Result<Events, WaitError>) {
        let waiter = self.state.withLock { state in self.remove(ticket, from: &state) }
        waiter?.continuation.resume(returning: result)
    }

    private func remove(_ ticket: UInt64, from state: inout State) -> Waiter? {
        guard let waiter = state.waiters.removeValue(forKey: ticket) else { return nil }
        epoll_ctl(self.epoll, EPOLL_CTL_DEL, waiter.descriptor, nil)
        return waiter
    }

    /// Brings the loop out of `epoll_wait`, to learn of an earlier deadline.
    private func ring() {
        eventfd_write(self.alarm, 1)
    }

    /// Events taken from the kernel at once.
    private static let eventLimit = 64

    private func loop() {
        // For as long as the process lives.
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: Self.eventLimit)
        while true { self.round(events) }
    }

    /// Apart from the loop and never put into it: what is retained on a way that never leads out of its function need not be released for
    /// all the compiler cares, and it does not do so. An array of events was copied each time and leaked, 800 bytes a wake-up.
    @inline(never) private func round(_ events: UnsafeMutableBufferPointer<epoll_event>) {
        let count = epoll_wait(self.epoll, events.baseAddress, Int32(events.count), self.millisecondsToSleep())
        precondition(count >= 0 || errno == EINTR, "epoll_wait failed with errno \(errno)")
        for index in 0..<max(0, Int(count)) { self.handle(events[index]) }
        self.endOverdue()
    }

    private func millisecondsToSleep() -> Int32 {
        guard let look = self.state.withLock({ state in state.nextLook }) else { return -1 }
        let (seconds, attoseconds) = (look - .now).components
        // Rounded up: waking early would only mean sleeping again. An hour is as good as for ever.
        let milliseconds = min(seconds, 3600) * 1000 + attoseconds / 1_000_000_000_000_000 + 1
        return Int32(max(0, milliseconds))
    }

    private func handle(_ event: epoll_event) {
        guard event.data.u64 != alarmTicket else {
            var count = eventfd_t()
            eventfd_read(self.alarm, &count)
            return
        }
        let ready = Events(rawValue: event.events).intersection([.readable, .writable])
        self.resume(event.data.u64, with: .success(ready.isEmpty ? [.readable, .writable] : ready))
    }

    private func endOverdue() {
        let now = ContinuousClock.now
        let (waiters, timers) = self.state.withLock { state -> ([Waiter], [Timer]) in
            guard let look = state.nextLook, look <= now else { return ([], []) }
            let overdue = state.waiters.filter { _, waiter in waiter.deadline.map { $0 <= now } ?? false }
            let waiters = overdue.keys.compactMap { ticket in self.remove(ticket, from: &state) }
            return (waiters, state.takeTimers(at: now))
        }
        for waiter in waiters { waiter.continuation.resume(returning: .failure(.timedOut)) }
        for timer in timers { timer.action() }
    }
}

// MARK: - Private

/// The ticket of the descriptor that wakes the loop itself.
private let alarmTicket: UInt64 = 0

private struct Waiter {
    let descriptor: Int32
    let events: Poller.Events
    let deadline: ContinuousClock.Instant?
    let continuation: CheckedContinuation<Result<Poller.Events, WaitError>, Never>
}

private struct Timer {
    let instant: ContinuousClock.Instant
    let action: @Sendable () -> Void
}

private struct State {
    var isStarted = false
    var lastTicket = alarmTicket
    var waiters: [UInt64: Waiter] = [:]
    var timers: [Timer] = []

    /// When the loop next looks for deadlines that have passed; no deadline is earlier.
    var nextLook: ContinuousClock.Instant?

    mutating func makeTicket() -> UInt64 {
        self.lastTicket += 1
        return self.lastTicket
    }

    /// True if the loop would have slept past `instant`.
    mutating func expectLook(at instant: ContinuousClock.Instant) -> Bool {
        if let nextLook, nextLook <= instant { return false }
        self.nextLook = instant
        return true
    }

    /// Takes the timers due at `now` out, and sets the next look at what remains.
    mutating func takeTimers(at now: ContinuousClock.Instant) -> [Timer] {
        let due = self.timers.filter { $0.instant <= now }.sorted { $0.instant < $1.instant }
        if !due.isEmpty { self.timers.removeAll { $0.instant <= now } }
        let earliest = (self.waiters.values.compactMap(\.deadline) + self.timers.map(\.instant)).min()
        // Never sooner than in 2 ms: thousands of deadlines a microsecond apart cost one look, not thousands.
        self.nextLook = earliest.map { max($0, now + .milliseconds(2)) }
        return due
    }
}
