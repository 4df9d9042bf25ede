import Glibc
import Polling

/// One start of a private server: what there is to do before, and until it is ready.
struct ServerLaunch {
    let directory: ServerDirectory
    let settings: [String: String]
    let lock: DirectoryLock

    /// Returns the server once it takes connections.
    func run() async throws(PostgresServerError) -> ChildProcess {
        let account = try ServerAccount.find()
        try self.directory.prepare(for: account)
        try self.lock.take()
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
        var settings = defaultSettings.merging(self.settings) { _, chosen in chosen }
        settings["unix_socket_directories"] = quotedForList(self.directory.sockets)
        let options = settings.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        return ["-D", self.directory.data] + options
    }

    /// Runs initdb beside the place of the data, and puts it there when all of it has succeeded.
    private func makeData(_ binaries: ServerBinaries, _ account: ServerAccount) async throws(PostgresServerError) {
        let unfinished = self.directory.unfinishedData
        try await runToEnd(["/bin/rm", "-rf", "--", unfinished])
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
                await Task { await process.end(.fast) }.value
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

extension ChildProcess {
    /// Stops a server, harder when it takes too long.
    func end(_ mode: PostgresServer.StopMode) async {
        let signal =
            switch mode {
            case .smart: SIGTERM
            case .fast: SIGINT
            case .immediate: SIGQUIT
            }
        for (signal, limit) in [(signal, Duration.seconds(30)), (SIGQUIT, .seconds(10))] {
            self.kill(signal)
            if await self.waitForExit(until: .now + limit) != nil { return }
        }
        self.kill(SIGKILL)
        _ = await self.waitForExit()
    }
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

/// An element of a list of directories, which commas separate.
private func quotedForList(_ path: String) -> String {
    "\"" + path.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
