public import Polling
import Synchronization

/// A bounded set of connections, lent one task at a time, first come, first served.
///
/// Connections are opened when they are needed and kept. One that the server closed while it lay idle is replaced when it
/// is next asked for; one that breaks under a statement is that statement's error, and is never retried here.
public final class ConnectionPool: Sendable {
    private let configuration: Configuration
    private let poller: Poller
    private let backoff = Backoff()
    private let state: Mutex<State>

    public init(_ configuration: Configuration, poller: Poller) {
        self.configuration = configuration
        self.poller = poller
        let pool = PoolState<Idle, Waiter>(limit: configuration.limit, waiterLimit: configuration.waiterLimit)
        self.state = Mutex(State(pool: pool))
    }

    deinit { self.close() }

    /// Lends a connection for the duration of `body`.
    ///
    /// One that comes back unusable, or inside a transaction, is closed. Throws what `body` throws, and `.poolExhausted`
    /// after `acquireTimeout`, `.connection` if none can be opened, `.cancelled`.
    public func withConnection<Value>(
        _ body: (Connection) async throws -> sending Value
    ) async throws -> sending Value {
        let connection = try await self.lease()
        defer { self.release(connection) }
        return try await body(connection)
    }

    /// `Connection.execute` on a connection borrowed for this one statement.
    @discardableResult
    public func execute(_ statement: SQL, timeout: Duration? = nil) async throws(PostgresError) -> Int {
        let connection = try await self.lease(for: statement.planning)
        defer { self.release(connection) }
        return try await connection.execute(statement, timeout: timeout)
    }

    /// `Connection.query` on a connection borrowed for this one statement.
    public func query<Value>(
        _ statement: SQL, timeout: Duration? = nil,
        decode: (borrowing Row) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> [Value] {
        let connection = try await self.lease(for: statement.planning)
        defer { self.release(connection) }
        return try await connection.query(statement, timeout: timeout, decode: decode)
    }

    /// Refuses leases from here on and closes the connections: idle ones now, lent ones when they come back.
    public func close() {
        let closed = self.state.withLock { state in state.pool.close() }
        self.tell(closed.answers)
    }

    /// For metrics: a moment's view.
    public var statistics: Statistics {
        self.state.withLock { state in
            Statistics(
                open: state.pool.openCount, idle: state.pool.idleCount, waiting: state.pool.waitingCount,
                acquisitions: state.pool.acquisitions, totalWait: state.pool.totalWait, timeouts: state.pool.timeouts
            )
        }
    }

    // MARK: - Leasing

    /// A session is told how its statements are planned, which takes a round trip; so each kind gets connections of its own,
    /// as long as there may be more.
    private func lease(for planning: Planning? = nil) async throws(PostgresError) -> Connection {
        switch await self.grant(for: planning) {
        case .refused(let error): throw error
        case .open:
            do throws(PostgresError) {
                return try await self.open()
            } catch {
                // It was a wish: one that is set for something else does as well.
                guard planning != nil, error != .cancelled,
                    case .idle(let idle)? = self.state.withLock({ $0.pool.leaseIdle() })
                else { throw error }
                return idle.connection
            }
        case .idle(let idle):
            if idle.connection.isAlive { return idle.connection }
            return try await self.open()
        }
    }

    private func open() async throws(PostgresError) -> Connection {
        do {
            let connection = try await Connection.open(
                url: self.configuration.url, applicationName: self.configuration.applicationName,
                connectTimeout: self.configuration.connectTimeout,
                statementTimeout: self.configuration.statementTimeout, poller: self.poller
            )
            self.tell(self.state.withLock { state in state.pool.opened(at: .now) })
            return connection
        } catch {
            self.tell(
                self.state.withLock { state in
                    let pause = self.backoff.pause(afterFailures: state.pool.failures + 1)
                    return state.pool.openingFailed(error, at: .now, pause: pause)
                })
            throw error
        }
    }

    private func release(_ connection: Connection) {
        let idle = connection.isReusable ? Idle(connection: connection) : nil
        self.tell(self.state.withLock { state in state.pool.release(idle, at: .now) })
    }

    private func grant(for planning: Planning?) async -> Grant {
        let now = ContinuousClock.now
        let (ticket, atOnce) = self.state.withLock { state in
            state.lastTicket += 1
            let grant = state.pool.lease(at: now) { idle in planning.map { idle.connection.isSet(for: $0) } ?? true }
            return (state.lastTicket, grant)
        }
        if let atOnce { return atOnce }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in self.wait(waiter, ticket: ticket, since: now) }
        } onCancel: {
            let waiter = self.state.withLock { state in state.pool.leave(ticket) }
            waiter?.resume(returning: .refused(.cancelled))
        }
    }

    private func wait(_ waiter: Waiter, ticket: UInt64, since now: ContinuousClock.Instant) {
        let deadline = now + self.configuration.acquireTimeout
        let (atOnce, isFirstToExpire) = self.state.withLock { state -> (Grant?, Bool) in
            // `onCancel` takes the same lock, so a cancellation is seen either here or there.
            if Task.isCancelled { return (.refused(.cancelled), false) }
            // A connection may have come back since the first look.
            if let grant = state.pool.lease(at: now) { return (grant, false) }
            state.pool.wait(waiter, ticket: ticket, since: now, until: deadline)
            defer { state.isExpiryScheduled = true }
            return (nil, !state.isExpiryScheduled)
        }
        if let atOnce { waiter.resume(returning: atOnce) }
        if isFirstToExpire { self.scheduleExpiry(at: deadline) }
    }

    /// One timer serves all: who came first is first to have waited too long.
    private func scheduleExpiry(at deadline: ContinuousClock.Instant) {
        self.poller.schedule(at: deadline) { [weak self] in self?.expire() }
    }

    private func expire() {
        let (waiters, next) = self.state.withLock { state in
            let expired = state.pool.expire(at: .now)
            state.isExpiryScheduled = expired.next != nil
            return expired
        }
        for waiter in waiters { waiter.resume(returning: .refused(.poolExhausted)) }
        if let next { self.scheduleExpiry(at: next) }
    }

    private func tell(_ answers: [PoolState<Idle, Waiter>.Answer]) {
        for answer in answers { answer.waiter.resume(returning: answer.grant) }
    }
}

// MARK: - Private

private typealias Waiter = CheckedContinuation<PoolGrant<Idle>, Never>

/// An unlent connection. Unchecked, because region isolation cannot see that what is taken out of an array is in it no
/// longer: it may cross tasks, as nobody else holds it.
private struct Idle: @unchecked Sendable {
    let connection: Connection
}

private typealias Grant = PoolGrant<Idle>

private struct State {
    var pool: PoolState<Idle, Waiter>
    var lastTicket: UInt64 = 0
    /// True while a timer is under way that will call `expire`.
    var isExpiryScheduled = false
}
