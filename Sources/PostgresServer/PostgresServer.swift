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
    private let lock = Mutex<Int32?>(nil)

    /// `directory` is made on first use, and nothing is touched before `start`. `settings` go over the ones chosen here.
    public init(directory: String, settings: [String: String] = [:]) {
        let directory = ServerDirectory(path: directory, port: settings["port"] ?? "5432")
        self.directory = directory
        self.settings = defaultSettings.merging(settings) { _, chosen in chosen }
    }

    deinit {
        if case .running(let process) = self.state.withLock({ $0 }) { process.kill(SIGINT) }
        self.releaseLock()
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
            let process = try await self.launch()
            self.state.withLock { state in state = .running(process) }
        } catch {
            self.releaseLock()
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
        await Task { await end(process, mode) }.value
        self.releaseLock()
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

    /// The kernel drops the lock with the process that holds it.
    private func takeLock(for account: ServerAccount) throws(PostgresServerError) {
        let descriptor = open(self.directory.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw PostgresServerError("cannot open \(self.directory.lock): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw PostgresServerError("another process runs a server in \(self.directory.path)")
        }
        self.lock.withLock { lock in
            if let lock { close(lock) }
            lock = descriptor
        }
    }

    private func releaseLock() {
        self.lock.withLock { lock in
            if let lock { close(lock) }
            lock = nil
        }
    }

    // MARK: - Starting

    private func launch() async throws(PostgresServerError) -> ChildProcess {
        let account = try ServerAccount.find()
        try self.directory.prepare(for: account)
        try self.takeLock(for: account)
        let binaries = try ServerBinaries.find(version: self.directory.version)
        if self.directory.hasData {
            try await FormerServer(in: self.directory).stop()
            self.directory.removeLeftovers()
        } else {
            try await self.makeData(binaries, account)
        }
        self.directory.turnLog()
        let command = try account.command(binaries.postgres, self.serverArguments)
        let process = try await spawn(command, output: .file(self.directory.log))
        try await self.waitUntilReady(process)
        return process
    }

    private var serverArguments: [String] {
        var settings = self.settings
        settings["unix_socket_directories"] = quotedForList(self.directory.sockets)
        let options = settings.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        return ["-D", self.directory.data] + options
    }

    /// Runs initdb beside the place of the data, and puts it there when all of it has succeeded.
    private func makeData(_ binaries: ServerBinaries, _ account: ServerAccount) async throws(PostgresServerError) {
        let unfinished = self.directory.unfinishedData
        try await runToEnd(account.command("/bin/rm", ["-rf", "--", unfinished]))
        let isThrowaway = self.settings["fsync"] == "off"
        let options = [
            "--pgdata=\(unfinished)", "--username=pinpost", "--encoding=UTF8", "--locale=C", "--auth-local=trust",
            "--auth-host=reject",
        ]
        try await runToEnd(account.command(binaries.initdb, options + (isThrowaway ? ["--no-sync"] : [])))
        let singleUser = ["--single", "-D", unfinished, "-c", "log_checkpoints=off", "postgres"]
        let output = try await runToEnd(
            account.command(binaries.postgres, singleUser), input: "CREATE DATABASE pinpost\n"
        )
        // This mode reports a failed statement and then succeeds.
        if output.contains("ERROR:") { throw PostgresServerError("cannot make the database `pinpost`", log: output) }
        guard rename(unfinished, self.directory.data) == 0 else {
            throw PostgresServerError("cannot rename \(unfinished): \(String(cString: strerror(errno)))")
        }
    }

    /// Reads, as `pg_ctl` does, the state the postmaster writes into its file.
    private func waitUntilReady(_ process: ChildProcess) async throws(PostgresServerError) {
        let deadline = ContinuousClock.now + .seconds(30)
        while !self.isReady(process) {
            let status = await process.waitForExit(until: .now + .milliseconds(10))
            if let status {
                throw PostgresServerError("the PostgreSQL server \(status)", log: self.directory.logTail)
            }
            if ContinuousClock.now > deadline || Task.isCancelled {
                await Task { await end(process, .fast) }.value
                let reason = Task.isCancelled ? "was not waited for" : "did not come up in 30 s"
                throw PostgresServerError("the PostgreSQL server \(reason)", log: self.directory.logTail)
            }
        }
    }

    private func isReady(_ process: ChildProcess) -> Bool {
        let lines = lines(of: self.directory.postmasterFile)
        return lines.count >= 8 && lines[0] == "\(process.identifier)" && lines[7].hasPrefix("ready")
    }
}

// MARK: - Private

private let defaultSettings = [
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
]

private func end(_ process: ChildProcess, _ mode: PostgresServer.StopMode) async {
    let signal =
        switch mode {
        case .smart: SIGTERM
        case .fast: SIGINT
        case .immediate: SIGQUIT
        }
    for (signal, limit) in [(signal, Duration.seconds(30)), (SIGQUIT, .seconds(10))] {
        process.kill(signal)
        if await process.waitForExit(until: .now + limit) != nil { return }
    }
    process.kill(SIGKILL)
    _ = await process.waitForExit()
}

private func spawn(
    _ command: [String], input: String = "", output: ChildProcess.Output
) async throws(PostgresServerError) -> ChildProcess {
    var errorOutput = output
    if case .captured = output { errorOutput = .captured(byteLimit: 65536) }
    do {
        // In `/`, as the server's user may not enter the directory we are in; in English, as errors are looked for.
        return try await ChildProcess.start(
            command[0], Array(command.dropFirst()), environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
            directory: "/", input: Array(input.utf8), output: output, errorOutput: errorOutput
        )
    } catch {
        throw PostgresServerError(error)
    }
}

/// Runs a program that ends by itself, and returns what it printed.
@discardableResult
private func runToEnd(_ command: [String], input: String = "") async throws(PostgresServerError) -> String {
    let process = try await spawn(command, input: input, output: .captured(byteLimit: 65536))
    let status = await process.waitForExit()
    let output = String(decoding: process.output + process.errorOutput, as: UTF8.self)
    guard status.isSuccess else {
        throw PostgresServerError("\(command.joined(separator: " ")) \(status)", log: output)
    }
    return output
}

private func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
        let character = Character(Unicode.Scalar(byte))
        let isPlain = byte < 128 && (character.isLetter || character.isNumber || "-._~".contains(character))
        let digits = String(byte, radix: 16, uppercase: true)
        return isPlain ? String(character) : "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
}

/// An element of a list of directories, which commas separate.
private func quotedForList(_ path: String) -> String {
    "\"" + path.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
