import Glibc
public import Polling
import Synchronization

/// A PostgreSQL server of our own: for `pinpost up`, for benches and for tests.
///
/// It listens on a Unix socket in a directory only its owner may enter, so it asks for no password. Its directory holds
/// the data, the log, the socket (unless the path is too long for one) and a lock, which keeps two processes from using it
/// at once. Run by root, the server runs as user `postgres` and the directory becomes that user's.
///
/// Should this process be killed, the server shuts down (given util-linux's `setpriv`); one that is left all the same is
/// stopped by the next `start`.
public final class PostgresServer: Sendable {
    /// How a server is stopped, by the names of `pg_ctl`.
    public enum StopMode: Sendable {
        /// Waits for the clients to leave, for half a minute.
        case smart
        /// Rolls back what is open.
        case fast
        /// As in a crash: what was committed is recovered at the next start.
        case immediate
    }

    private enum State {
        case stopped
        case changing
        case running(ChildProcess)
    }

    private let directory: ServerDirectory
    private let settings: [String: String]
    private let state = Mutex(State.stopped)
    private let lock: DirectoryLock

    /// `directory` is made on first use, and nothing is touched before `start`. `settings` go over the ones chosen here.
    public init(directory: String, settings: [String: String] = [:]) {
        let directory = ServerDirectory(path: directory, port: settings["port"] ?? "5432")
        self.directory = directory
        self.settings = settings
        self.lock = DirectoryLock(path: directory.lock)
    }

    deinit {
        if case .running(let process) = self.state.withLock({ $0 }) { process.kill(SIGINT) }
        self.lock.release()
    }

    /// Where to connect to: role and database `pinpost`. The same for the same directory and port.
    public var url: String { self.url(database: "pinpost") }

    public func url(database: String) -> String {
        let host = percentEncoded(self.directory.sockets)
        return "postgresql://pinpost@/\(percentEncoded(database))?host=\(host)&port=\(self.directory.port)"
    }

    /// Starts the server and returns once it takes connections, within 30 s. Makes the database first if there is none.
    ///
    /// Does nothing if it is running. Throws what stands in the way, with the end of the server's log.
    public func start() async throws(PostgresServerError) {
        guard try self.beginChange() == nil else { return }
        do {
            let launch = ServerLaunch(directory: self.directory, settings: self.settings, lock: self.lock)
            let process = try await launch.run()
            self.state.withLock { state in state = .running(process) }
        } catch {
            self.lock.release()
            self.state.withLock { state in state = .stopped }
            throw error
        }
    }

    /// Stops the server and returns once it has ended. Does nothing if it is not running. `start` may follow.
    ///
    /// A server that does not end within half a minute is stopped immediately. Goes on even if the task is cancelled.
    public func stop(_ mode: StopMode = .fast) async throws(PostgresServerError) {
        guard let process = try self.beginChange(isStop: true) else { return }
        // Cancelling what stops a server must not leave it running; the next line waits for this task.
        await Task { await process.end(mode) }.value
        self.lock.release()
        self.state.withLock { state in state = .stopped }
    }

    /// Returns once the server has ended, by itself or stopped: for who wants to know when it crashes. Nil if it is not
    /// running.
    public func waitForExit() async -> ChildProcess.ExitStatus? {
        guard case .running(let process) = self.state.withLock({ $0 }) else { return nil }
        return await process.waitForExit()
    }

    // MARK: - State

    /// Takes the right to start or stop the server. Returns the process there is; nil also if there is nothing to do.
    private func beginChange(isStop: Bool = false) throws(PostgresServerError) -> ChildProcess? {
        let result = self.state.withLock { state -> Result<ChildProcess?, PostgresServerError> in
            switch state {
            case .changing: return .failure(PostgresServerError("the server is being started or stopped already"))
            case .stopped:
                if !isStop { state = .changing }
                return .success(nil)
            case .running(let process):
                if process.status == nil && !isStop { return .success(process) }
                state = .changing
                return .success(isStop ? process : nil)
            }
        }
        return try result.get()
    }
}

// MARK: - Private

private func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
        let character = Character(Unicode.Scalar(byte))
        let isPlain = byte < 128 && (character.isLetter || character.isNumber || "-._~".contains(character))
        let digits = String(byte, radix: 16, uppercase: true)
        return isPlain ? String(character) : "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
}
