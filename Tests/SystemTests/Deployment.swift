import Crypto
import Glibc
import Polling
import Postgres
import PostgresServer
import Synchronization
import TestDatabase
import WebClient

/// A whole Pinpost for one test: a database, the processes on it, and the carrier.
///
/// Nothing runs until a test starts it. Whatever runs at the end is killed; when the test failed, the end of every log
/// is printed before.
final class Deployment: Sendable {
    /// What a test may want otherwise.
    struct Options: Sendable {
        /// A PostgreSQL of its own, which it may stop; otherwise a database on the one that all tests share.
        var hasOwnServer = false
        var lease = "15s"
        /// Requests at the one-message-a-request provider at once, over all workers.
        var inFlight = 32
        /// Puts a ``Tap`` between the workers and the carrier, and between the carrier and the receiver.
        var isTapped = false
        /// Beside those of ``Deployment/environment``, for every process.
        var environment: [String: String] = [:]
    }

    /// A place for files, readable by all.
    let directory: String
    let options: Options
    /// Nil unless the deployment has its own.
    let server: PostgresServer?
    let databaseURL: String
    let database: ConnectionPool
    let client = WebClient()
    let masterKey = MasterKeys.generate()
    let secrets = Secrets()
    let ports = (api: Ports.take(), receiver: Ports.take(), carrier: Ports.take())
    /// Before the carrier and before the receiver; they pass on only while ``withTaps(_:)`` runs.
    let sends: Tap
    let receipts: Tap
    private let processes = Mutex<[ManagedProcess]>([])

    static func run(_ options: Options = Options(), _ body: (Deployment) async throws -> Void) async throws {
        let directory = "/tmp/pinpost-system-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        guard mkdir(directory, 0o755) == 0 else { throw Failure("cannot make \(directory): errno \(errno)") }
        let result = await Result { () async throws in
            if options.hasOwnServer {
                try await Self.runOnOwnServer(options, directory, body)
            } else {
                try await TestDatabase.withDatabase { url in
                    try await Deployment(options, directory, server: nil, databaseURL: url).run(body)
                }
            }
        }
        _ = try await ChildProcess.start("/bin/rm", ["-rf", "--", directory]).waitForExit()
        try result.get()
    }

    /// A process of this deployment, not yet started.
    func process(
        _ role: ManagedProcess.Role, _ name: String? = nil, settings: [String: String] = [:]
    ) -> ManagedProcess {
        let environment = self.environment(of: role).merging(self.options.environment) { $1 }.merging(settings) { $1 }
        let process = ManagedProcess(
            name ?? role.rawValue, role, operationsPort: Ports.take(), environment: environment)
        self.processes.withLock { $0.append(process) }
        return process
    }

    /// A process that does its work.
    @discardableResult
    func start(
        _ role: ManagedProcess.Role, _ name: String? = nil, settings: [String: String] = [:]
    ) async throws -> ManagedProcess {
        let process = self.process(role, name, settings: settings)
        try await process.start()
        return process
    }

    /// Migrates the database and applies the usual configuration.
    func prepare() async throws {
        for result in [try await self.command(["migrate"]), try await self.apply(self.configuration)] {
            guard result.status.isSuccess else { throw Failure("not prepared: \(result.errorOutput)") }
        }
    }

    /// Runs a command that ends by itself, with the settings that all have.
    func command(_ arguments: [String], _ settings: [String: String] = [:]) async throws -> Executable.Result {
        try await Executable.run(arguments, environment: self.environment.merging(settings) { $1 })
    }

    /// What every process needs.
    var environment: [String: String] {
        ["DATABASE_URL": self.databaseURL, "PINPOST_MASTER_KEY": self.masterKey, "PINPOST_LOG_LEVEL": "debug"]
    }

    /// Holds a lock on a table for the time of `body`.
    func locking(_ table: String, _ body: () async throws -> Void) async throws {
        try await self.database.withConnection { connection in
            try await connection.executeScript("BEGIN; LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
            let result = await Result { () async throws in try await body() }
            try await connection.executeScript("ROLLBACK")
            try result.get()
        }
    }

    /// Everything that any process has printed.
    var logs: [(name: String, log: String)] { self.processes.withLock { $0 }.map { ($0.name, $0.log) } }

    // MARK: - Private

    private init(_ options: Options, _ directory: String, server: PostgresServer?, databaseURL: String) {
        self.options = options
        self.directory = directory
        self.server = server
        self.databaseURL = databaseURL
        self.database = TestDatabase.pool(databaseURL)
        self.sends = Tap(to: self.ports.carrier, client: self.client)
        self.receipts = Tap(to: self.ports.receiver, client: self.client)
    }

    private static func runOnOwnServer(
        _ options: Options, _ directory: String, _ body: (Deployment) async throws -> Void
    ) async throws {
        let server = PostgresServer(directory: "\(directory)/postgres", settings: ["shared_buffers": "64MB"])
        try await server.start()
        let result = await Result { () async throws in
            try await Deployment(options, directory, server: server, databaseURL: server.url).run(body)
        }
        try await server.stop(.immediate)
        try result.get()
    }

    private func run(_ body: (Deployment) async throws -> Void) async throws {
        self.client.start()
        let result = await Result { () async throws in try await body(self) }
        let processes = self.processes.withLock { $0 }.filter { $0.starts > 0 }
        if case .failure(let error) = result {
            let logs = processes.map { "\($0.name), started \($0.starts) times:\n\($0.logTail)\n" }.joined()
            print("The test failed: \(error)\nThe ends of the logs:\n\(logs)")
            try self.keepLogs()
        }
        for process in processes { _ = await process.kill() }
        await self.client.stop()
        self.database.close()
        try result.get()
    }

    /// Writes whole logs into the directory that `PINPOST_TEST_LOGS` names, if it does.
    private func keepLogs() throws {
        guard let directory = getenv("PINPOST_TEST_LOGS").map({ String(cString: $0) }) else { return }
        for (name, log) in self.logs { try Self.write(Array(log.utf8), to: "\(directory)/\(name).log") }
    }

    private func environment(of role: ManagedProcess.Role) -> [String: String] {
        var environment = self.environment
        switch role {
        case .api: environment["PINPOST_LISTEN"] = "127.0.0.1:\(self.ports.api)"
        case .receiver: environment["PINPOST_LISTEN"] = "127.0.0.1:\(self.ports.receiver)"
        case .worker:
            let port = self.options.isTapped ? self.receipts.port : self.ports.receiver
            environment["PINPOST_RECEIPT_URL"] = "http://127.0.0.1:\(port)"
            environment["PINPOST_LEASE"] = self.options.lease
        case .carrier:
            environment = self.secrets.carrierEnvironment
            environment["PINPOST_LISTEN"] = "127.0.0.1:\(self.ports.carrier)"
            environment["PINPOST_LOG_LEVEL"] = "debug"
            environment["CARRIER_RECEIPT_RETRY"] = "300ms"
        }
        return environment
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
