/// Who has a connection, who waits for one, and whether the server may be asked for another: the pool's decisions, without
/// its locks, clocks and sockets.
///
/// Those who wait are served in the order they came. While the server refuses connections, one attempt is made at a time
/// and not before its pause has passed; until then who asks is refused at once, unless a connection is out that may come
/// back for them.
struct PoolState<Connection, Waiter> {
    typealias Grant = PoolGrant<Connection>

    struct Answer {
        let waiter: Waiter
        let grant: Grant
    }

    private struct Place {
        let waiter: Waiter
        let since: ContinuousClock.Instant
        let deadline: ContinuousClock.Instant
    }

    private struct Outage {
        var failures = 0
        var error = PostgresError.connection("never tried")
        var retryAt: ContinuousClock.Instant?
        var isBeingTried = false
    }

    let limit: Int
    let waiterLimit: Int

    private var idle: [Connection] = []
    /// Connections lent or being opened.
    private var out = 0
    private var waiting: [UInt64: Place] = [:]
    private var line = Line()
    private var outage = Outage()
    private var isClosed = false

    private(set) var acquisitions = 0
    private(set) var timeouts = 0
    private(set) var totalWait = Duration.zero

    init(limit: Int, waiterLimit: Int) {
        precondition(limit > 0, "a pool without connections serves nobody")
        self.limit = limit
        self.waiterLimit = waiterLimit
    }

    var openCount: Int { self.out + self.idle.count }
    var idleCount: Int { self.idle.count }
    var waitingCount: Int { self.waiting.count }

    /// Consecutive failures to connect.
    var failures: Int { self.outage.failures }

    // MARK: - Asking

    /// What who asks gets at once: a connection that is preferred, or a new one, or any. Nil: it has to wait.
    mutating func lease(
        at now: ContinuousClock.Instant, preferring isPreferred: (Connection) -> Bool = { _ in true }
    ) -> Grant? {
        if self.isClosed { return .refused(poolIsClosed) }
        if self.waiting.isEmpty, let grant = self.decide(at: now, preferring: isPreferred) { return grant }
        if self.waiting.count >= self.waiterLimit {
            self.timeouts += 1
            return .refused(.poolExhausted)
        }
        return nil
    }

    /// A connection that lies ready, whatever it is set for; nil when there is none, or when others were there first.
    mutating func leaseIdle() -> Grant? {
        guard !self.isClosed, self.waiting.isEmpty, let connection = self.idle.popLast() else { return nil }
        return self.grant(.idle(connection))
    }

    /// Puts `waiter` at the end of the line.
    mutating func wait(
        _ waiter: Waiter, ticket: UInt64, since: ContinuousClock.Instant, until deadline: ContinuousClock.Instant
    ) {
        self.waiting[ticket] = Place(waiter: waiter, since: since, deadline: deadline)
        self.line.append(ticket)
    }

    /// Takes a waiter out that was cancelled. Nil if it was served before.
    mutating func leave(_ ticket: UInt64) -> Waiter? {
        self.waiting.removeValue(forKey: ticket)?.waiter
    }

    /// Takes out who has waited too long, and says when to look again.
    mutating func expire(at now: ContinuousClock.Instant) -> (waiters: [Waiter], next: ContinuousClock.Instant?) {
        var waiters: [Waiter] = []
        while let ticket = self.first, let place = self.waiting[ticket] {
            guard place.deadline <= now else { return (waiters, place.deadline) }
            waiters.append(place.waiter)
            self.waiting.removeValue(forKey: ticket)
            self.timeouts += 1
        }
        return (waiters, nil)
    }

    // MARK: - Coming back

    /// Takes a connection back, nil if it is not fit to be lent again.
    mutating func release(_ connection: Connection?, at now: ContinuousClock.Instant) -> [Answer] {
        self.out -= 1
        if let connection, !self.isClosed { self.idle.append(connection) }
        return self.serve(at: now)
    }

    /// The server took us: whoever waits for a further connection need wait no longer.
    mutating func opened(at now: ContinuousClock.Instant) -> [Answer] {
        self.outage = Outage()
        return self.serve(at: now)
    }

    /// The server would not have us. Nobody asks it again before `pause` is over.
    mutating func openingFailed(
        _ error: PostgresError, at now: ContinuousClock.Instant, pause: Duration
    ) -> [Answer] {
        self.out -= 1
        self.outage.isBeingTried = false
        // One who gave up has learnt nothing about the server.
        guard error != .cancelled else { return self.serve(at: now) }
        self.outage.failures += 1
        self.outage.error = error
        self.outage.retryAt = now + pause
        return self.out == 0 ? self.refuseAll(error) : []
    }

    /// Refuses everything from here on. Returns what is to be closed and who is to be told.
    mutating func close() -> (connections: [Connection], answers: [Answer]) {
        self.isClosed = true
        defer { self.idle = [] }
        return (self.idle, self.refuseAll(poolIsClosed))
    }

    // MARK: - Private

    private mutating func decide(
        at now: ContinuousClock.Instant, preferring isPreferred: (Connection) -> Bool = { _ in true }
    ) -> Grant? {
        if let index = self.idle.lastIndex(where: isPreferred) { return self.grant(.idle(self.idle.remove(at: index))) }
        let mayOpen = self.openCount < self.limit && self.outage.retryAt == nil
        if !mayOpen, let connection = self.idle.popLast() { return self.grant(.idle(connection)) }
        guard self.out < self.limit else { return nil }
        guard let retryAt = self.outage.retryAt else { return self.grant(.open) }
        if retryAt <= now && !self.outage.isBeingTried {
            self.outage.isBeingTried = true
            return self.grant(.open)
        }
        let mayComeBack = self.out - (self.outage.isBeingTried ? 1 : 0)
        return mayComeBack > 0 ? nil : .refused(self.outage.error)
    }

    private mutating func grant(_ grant: Grant) -> Grant {
        self.out += 1
        self.acquisitions += 1
        return grant
    }

    private mutating func serve(at now: ContinuousClock.Instant) -> [Answer] {
        var answers: [Answer] = []
        while let ticket = self.first, let grant = self.decide(at: now) {
            guard let place = self.waiting.removeValue(forKey: ticket) else { continue }
            self.totalWait += now - place.since
            answers.append(Answer(waiter: place.waiter, grant: grant))
        }
        return answers
    }

    private mutating func refuseAll(_ error: PostgresError) -> [Answer] {
        defer { self.waiting = [:] }
        return self.waiting.values.map { Answer(waiter: $0.waiter, grant: .refused(error)) }
    }

    /// The ticket of who has waited longest.
    private var first: UInt64? {
        mutating get {
            while let ticket = self.line.first {
                if self.waiting[ticket] != nil { return ticket }
                self.line.removeFirst()
            }
            return nil
        }
    }
}

/// What the pool has for one who asked.
enum PoolGrant<Connection> {
    case idle(Connection)
    /// Open a connection, and report with `opened` or `openingFailed`.
    case open
    case refused(PostgresError)
}

extension PoolGrant: Sendable where Connection: Sendable {}

let poolIsClosed = PostgresError.connection("the pool is closed")

/// Tickets in order, those long gone among them.
private struct Line {
    private var tickets: [UInt64] = []
    private var start = 0

    var first: UInt64? { self.start < self.tickets.count ? self.tickets[self.start] : nil }

    mutating func append(_ ticket: UInt64) { self.tickets.append(ticket) }

    mutating func removeFirst() {
        self.start += 1
        // Moving the rest down once in so many removals keeps each of them cheap.
        guard self.start > 64 && self.start * 2 > self.tickets.count else { return }
        self.tickets.removeFirst(self.start)
        self.start = 0
    }
}
