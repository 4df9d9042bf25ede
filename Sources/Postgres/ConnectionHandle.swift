import CPostgres
import Glibc
import Polling

/// An open `PGconn`, whoever has it.
///
/// Unchecked, because the compiler cannot know that libpq lets any thread use a connection as long as it is one at a
/// time. That holds: a handle is moved, from the thread that opens it, to the one `Connection` that uses it, to the thread
/// that cancels and closes it.
struct ConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    /// True when the session is a server's own: it keeps what it is told. False behind a pooler.
    private(set) var isDirect = false

    private init(pointer: OpaquePointer) { self.pointer = pointer }

    func close() { PQfinish(self.pointer) }

    var errorMessage: String { tidied(PQerrorMessage(self.pointer)) }

    /// Connects, blocking the calling thread: libpq resolves names with `getaddrinfo`, reads certificate files and
    /// computes password proofs without ever giving way.
    static func open(
        _ parameters: ConnectionParameters, until deadline: ContinuousClock.Instant
    ) throws(PostgresError) -> ConnectionHandle {
        let pointer = parameters.withUnsafePointers { PQconnectStartParams($0, $1, 0) }
        guard let pointer else { throw .connection("out of memory") }
        var handle = ConnectionHandle(pointer: pointer)
        do {
            // Notices would go to standard error.
            PQsetNoticeProcessor(pointer, { _, _ in }, nil)
            try handle.connect(until: deadline)
            handle.isDirect = handle.asksDirectly()
            PQsetnonblocking(pointer, 1)
            return handle
        } catch {
            handle.close()
            throw error
        }
    }

    /// Whether the session is a server's own.
    ///
    /// PgBouncer greets a client with a process number of its own making, so a session whose number is another than the
    /// greeting's goes through a pooler, and whatever it is told may be told to somebody else.
    private func asksDirectly() -> Bool {
        guard let result = PQexec(self.pointer, "SELECT pg_backend_pid()") else { return false }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, let text = PQgetvalue(result, 0, 0) else { return false }
        return Int32(String(cString: text)) == PQbackendPID(self.pointer)
    }

    private func connect(until deadline: ContinuousClock.Instant) throws(PostgresError) {
        // Until the first call, libpq's manual says, behave as if it had asked for a writable socket.
        var status = PGRES_POLLING_WRITING
        while PQstatus(self.pointer) != CONNECTION_BAD {
            switch status {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: try self.block(for: POLLIN, until: deadline)
            case PGRES_POLLING_WRITING: try self.block(for: POLLOUT, until: deadline)
            default: throw .connection(self.errorMessage)
            }
            status = PQconnectPoll(self.pointer)
        }
        throw .connection(self.errorMessage)
    }

    private func block(for events: Int32, until deadline: ContinuousClock.Instant) throws(PostgresError) {
        let left = (deadline - .now).components
        guard left.seconds >= 0 && left.attoseconds >= 0 else { throw connectTimedOut }
        var descriptor = pollfd(fd: PQsocket(self.pointer), events: Int16(events), revents: 0)
        let milliseconds = min(left.seconds, 3600) * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
        poll(&descriptor, 1, Int32(milliseconds))
    }
}

let connectTimedOut = PostgresError.connection("connecting took too long")
