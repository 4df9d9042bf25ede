import CPostgres
import Glibc
public import Polling

/// An open connection to PostgreSQL.
///
/// Deliberately not `Sendable`. libpq forbids two threads inside one `PGconn`, and two statements may not overlap on the
/// wire; as a non-`Sendable` class lent to one task at a time by ``ConnectionPool``, the compiler rules out both. Its
/// methods run on the caller's actor.
///
/// Statements go unnamed and leave nothing in the session, so that PgBouncer in transaction mode may sit between. Those that
/// ask for it are prepared where the session is the server's own; see ``SQL/prepared``.
public final class Connection {
    /// Nil once the connection has been given away to be closed.
    private var handle: ConnectionHandle?
    private let poller: Poller
    private let statementTimeout: Duration
    private var prepared = PreparedStatements()
    /// What the session was last set to.
    private var planning = Planning.eachTime
    /// When it was last told to plan anew.
    private var plannedSince = ContinuousClock.now
    /// When it last ran a statement that is planned anew now and then.
    private var lookedUp = ContinuousClock.now

    /// False once anything happened after which the state of the protocol is unknown: false on the way into a statement
    /// and true on the way out, so that any early exit leaves it false and no half-read result meets the next borrower.
    private(set) var isUsable = true

    init(owning handle: ConnectionHandle, statementTimeout: Duration, poller: Poller) {
        self.handle = handle
        self.statementTimeout = statementTimeout
        self.poller = poller
    }

    deinit { self.handle?.close() }

    /// Opens a connection of its own, outside any pool.
    ///
    /// Throws `.connection` if that fails or takes longer than `connectTimeout`.
    public static func open(
        url: String, applicationName: String = "pinpost", connectTimeout: Duration = .seconds(5),
        statementTimeout: Duration = .seconds(30), poller: Poller
    ) async throws(PostgresError) -> sending Connection {
        let parameters = try ConnectionParameters(url: url, applicationName: applicationName)
        let handle = try await ConnectionAttempt.run(parameters, until: .now + connectTimeout, poller: poller)
        return Connection(owning: handle, statementTimeout: statementTimeout, poller: poller)
    }

    /// Runs a statement and says how many rows it changed, or returned.
    ///
    /// Throws `.timedOut` after `timeout`, the pool's `statementTimeout` if nil; the server is asked to stop it and the
    /// connection is closed. The same happens to a statement whose task is cancelled. A task cancelled before sends
    /// nothing.
    @discardableResult
    public func execute(_ statement: SQL, timeout: Duration? = nil) async throws(PostgresError) -> Int {
        try await self.run(statement, timeout).affectedRows
    }

    /// Runs a statement and returns its rows, each decoded by `decode`. As many as there are: the statement has the limit.
    ///
    /// Ends as `execute` does. What `decode` throws leaves the connection usable.
    public func query<Value>(
        _ statement: SQL, timeout: Duration? = nil,
        decode: (borrowing Row) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> [Value] {
        try await self.run(statement, timeout).rows(decode)
    }

    /// Runs a text of several statements without parameters, as one transaction unless it says otherwise. For migrations
    /// and test fixtures. Without a time-out, as building an index takes what it takes, unless given one.
    public func executeScript(_ script: String, timeout: Duration? = nil) async throws(PostgresError) {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        try await self.set(.eachTime, until: deadline)
        _ = try await self.run(until: deadline) { handle in PQsendQuery(handle, script) == 1 }
    }

    // MARK: - Between statements

    /// False if the server has closed the connection while nothing was going on. Costs one system call.
    ///
    /// An idle connection has nothing to say: what can be read is a farewell, or the end.
    var isAlive: Bool {
        guard self.isUsable, let handle = self.handle, PQstatus(handle.pointer) == CONNECTION_OK else { return false }
        var descriptor = pollfd(fd: PQsocket(handle.pointer), events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) == 0
    }

    /// True if the next borrower finds it as a new one would be.
    var isReusable: Bool { self.isUsable && self.transactionStatus == PQTRANS_IDLE }

    /// True if a statement of the open transaction has failed, so that COMMIT would roll back.
    var isInFailedTransaction: Bool { self.transactionStatus == PQTRANS_INERROR }

    private var transactionStatus: PGTransactionStatusType {
        self.handle.map { PQtransactionStatus($0.pointer) } ?? PQTRANS_UNKNOWN
    }

    /// Whether a statement of this kind finds the session as it should be.
    func isSet(for planning: Planning) -> Bool { self.planning == planning || self.handle?.isDirect != true }

    // MARK: - Listening

    /// The notifications that have come, or the first to come before `deadline`, or none.
    func notifications(until deadline: ContinuousClock.Instant) async throws(PostgresError) -> [Notification] {
        guard let handle = self.handle?.pointer else { throw .connection("closed") }
        while true {
            let notifications = takeNotifications(handle)
            if !notifications.isEmpty { return notifications }
            do {
                _ = try await self.wait(for: .readable, until: deadline)
            } catch .timedOut {
                return []
            }
            guard PQconsumeInput(handle) == 1 else { throw .connection(tidied(PQerrorMessage(handle))) }
        }
    }

    // MARK: - Running statements

    private func run(_ statement: SQL, _ timeout: Duration?) async throws(PostgresError) -> QueryResult {
        let deadline = ContinuousClock.now + (timeout ?? self.statementTimeout)
        guard let name = try await self.name(of: statement, until: deadline) else {
            return try await self.run(until: deadline) { handle in
                statement.parameters.send(statement.text, on: handle)
            }
        }
        return try await self.run(until: deadline) { handle in
            statement.parameters.send(prepared: name, on: handle)
        }
    }

    /// The name under which the server has prepared the statement, or does now; nil when it goes unprepared.
    private func name(
        of statement: SQL, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> String? {
        // In a transaction a setting would go with a rollback, so nothing is set there and nothing prepared.
        guard statement.planning != .eachTime, self.handle?.isDirect == true, self.transactionStatus == PQTRANS_IDLE
        else {
            try await self.set(.eachTime, until: deadline)
            return nil
        }
        // Whenever it is planned anew, as after an ANALYZE, it is planned as it should be.
        try await self.set(statement.planning, until: deadline)
        if statement.planning == .onceForLookUps {
            // Its plan would be dropped before it is used again. Unnamed it is planned by the same means, and without having to say so.
            if self.comesSeldom() { return nil }
            try await self.dropOldPlans(until: deadline)
        }
        switch self.prepared.plan(for: statement) {
        case .prepared(let name): return name
        case .prepare(let name, let isFull):
            if isFull { try await self.forgetPrepared(until: deadline) }
            try await self.prepare(statement, as: name, until: deadline)
            return name
        }
    }

    /// Whether the last statement that is planned anew now and then was so long ago that this one is to be.
    private func comesSeldom() -> Bool {
        defer { self.lookedUp = .now }
        return .now - self.lookedUp > Planning.seldom
    }

    private func prepare(
        _ statement: SQL, as name: String, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        do {
            _ = try await self.run(until: deadline) { handle in
                statement.parameters.prepare(statement.text, as: name, on: handle)
            }
        } catch {
            throw error.withoutEffect
        }
        self.prepared.didPrepare(statement, as: name)
    }

    private func forgetPrepared(until deadline: ContinuousClock.Instant) async throws(PostgresError) {
        try await self.change("DEALLOCATE ALL", until: deadline)
        self.prepared.forgetAll()
    }

    /// A plan knows the tables as they were. Of one that is empty PostgreSQL reads all, and would go on to when it has grown.
    private func dropOldPlans(until deadline: ContinuousClock.Instant) async throws(PostgresError) {
        guard .now - self.plannedSince > Planning.lifetime else { return }
        try await self.change("DISCARD PLANS", until: deadline)
        self.plannedSince = .now
    }

    private func set(_ planning: Planning, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        guard planning != self.planning else { return }
        try await self.change(planning.settings, until: deadline)
        self.planning = planning
    }

    /// Changes the session and nothing else: whatever fails, no statement of a caller has had an effect.
    private func change(_ command: String, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        do {
            _ = try await self.run(until: deadline) { handle in PQsendQuery(handle, command) == 1 }
        } catch {
            throw error.withoutEffect
        }
    }

    private func run(
        until deadline: ContinuousClock.Instant?, send: (OpaquePointer) -> Bool
    ) async throws(PostgresError) -> QueryResult {
        if Task.isCancelled { throw .cancelled }
        guard self.isUsable, let handle = self.handle else { throw .connection("an earlier statement broke it") }
        self.isUsable = false
        guard send(handle.pointer) else { throw .connection(handle.errorMessage) }
        do {
            try await self.flush(handle.pointer, until: deadline)
            let result = try await self.receive(handle.pointer, until: deadline)
            return try self.finish(result, of: handle)
        } catch {
            if error == .timedOut || error == .cancelled { self.cancelAndClose() }
            throw error
        }
    }

    private func flush(_ handle: OpaquePointer, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                // A server that blocks on its own output must be drained before it reads ours.
                let ready = try await self.wait(for: [.readable, .writable], until: deadline)
                if ready.contains(.readable), PQconsumeInput(handle) != 1 { return }
            default: return
            }
        }
    }

    /// Waits for all results of the statement, which ends with a null: only then has the server committed. Returns the
    /// first that is an error, or else the last.
    private func receive(
        _ handle: OpaquePointer, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> QueryResult {
        var final: QueryResult?
        var hasFailed = false
        while let pointer = try await self.next(handle, until: deadline) {
            let result = QueryResult(owning: pointer)
            if result.isCopy { throw .connectionLost("COPY is not spoken here") }
            if !hasFailed {
                hasFailed = result.hasFailed
                final = consume result
            }
        }
        guard let final else { throw .connectionLost(tidied(PQerrorMessage(handle))) }
        return final
    }

    private func next(
        _ handle: OpaquePointer, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> OpaquePointer? {
        while PQisBusy(handle) == 1 {
            _ = try await self.wait(for: .readable, until: deadline)
            // The connection is gone. `PQgetResult` does not wait for a closed socket; it knows why.
            guard PQconsumeInput(handle) == 1 else { break }
        }
        return PQgetResult(handle)
    }

    private func finish(
        _ result: consuming QueryResult, of handle: ConnectionHandle
    ) throws(PostgresError) -> QueryResult {
        let isLost = PQstatus(handle.pointer) != CONNECTION_OK
        let error = result.error(isLost: isLost)
        self.isUsable = !isLost
        guard let error else { return result }
        if case .server(let state, _, _) = error, state.endsSession {
            self.isUsable = false
        }
        throw error
    }

    private func wait(
        for events: Poller.Events, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Poller.Events {
        guard let handle = self.handle else { throw .connectionLost("closed") }
        do {
            return try await self.poller.wait(for: events, on: PQsocket(handle.pointer), until: deadline)
        } catch .cancelled {
            throw .cancelled
        } catch .timedOut {
            throw .timedOut
        } catch {
            throw .connectionLost("\(error)")
        }
    }

    private func cancelAndClose() {
        guard let handle = self.handle else { return }
        self.handle = nil
        Canceller.shared.cancelAndClose(handle)
    }
}
