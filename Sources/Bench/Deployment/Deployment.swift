import Crypto
import Glibc
import JSON
import Polling
import Synchronization

/// The processes that a deployment consists of, each with its own settings on ports of its own: the same program as this
/// one, run once for each role.
///
/// Every process ends with this one, however it ends: it is killed by ``stop()``, or by the kernel at our death where
/// util-linux's `setpriv` is there to ask for it.
final class Deployment: Sendable {
    /// What recipients' numbers begin with, by the provider that their messages go to.
    enum Route: String, CaseIterable {
        case discard = "+41"
        case vonage = "+42"
        case infobip = "+43"
        case smpp = "+44"
    }

    let apiKey = APIKey.make()
    let databaseURL: String
    private let executable: String
    /// How many workers, APIs and receivers there are of each.
    let copies: Int
    private let directory: String
    private let environment: [String: String]
    private let masterKey = MasterKeys.generate()
    /// Accounts beside the usual one, each with a provider and a route of its own that its messages take.
    let spread: [Spread]

    struct Spread: Sendable {
        /// What recipients' numbers begin with.
        var prefix: String
        let key = APIKey.make()
    }

    /// What the processes seal with.
    var masterKeys: MasterKeys { get throws { try MasterKeys(parsing: self.masterKey) } }
    let carrierPort: UInt16
    let smppPort: UInt16
    let receiverPorts: [UInt16]
    private let state = Mutex(State())
    /// Workers may take so long to settle what is under way.
    private static let drainTime = Duration.seconds(5)

    private struct State {
        var processes: [RoleProcess] = []
        /// Of processes that were stopped, in MiB.
        var peaks: [RoleName: Double] = [:]
        /// Of processes that were stopped: processor seconds.
        var spent: [RoleName: Double] = [:]
    }

    /// `copies` is how many workers, APIs and receivers there are of each; there is one carrier. `directory` holds the
    /// configuration for a moment. `environment` is what the processes are given beside their own settings.
    ///
    /// `spread` is how many accounts, providers and routes there are beside the usual ones, 100 at most.
    init(
        executable: String, copies: Int, databaseURL: String, directory: String, environment: [String: String],
        spread: Int = 0
    ) throws {
        let ports = try LocalSocket.freePorts(2 + copies)
        self.executable = executable
        self.copies = copies
        self.databaseURL = databaseURL
        self.directory = directory
        self.environment = environment
        self.spread = (0..<spread).map { Spread(prefix: "+45\($0 / 10)\($0 % 10)") }
        self.carrierPort = ports[0]
        self.smppPort = ports[1]
        self.receiverPorts = Array(ports[2...])
    }

    /// The same with a database of its own and another spread.
    func other(databaseURL: String, directory: String, spread: Int) throws -> Deployment {
        try Deployment(
            executable: self.executable, copies: self.copies, databaseURL: databaseURL, directory: directory,
            environment: self.environment, spread: spread)
    }

    /// Makes the tables, the account and the providers.
    func prepare() async throws {
        try await self.runToEnd(["migrate"])
        let path = "\(self.directory)/configuration.json"
        try self.write(self.configuration.serialized(), to: path)
        defer { unlink(path) }
        try await self.runToEnd(["apply", path])
    }

    /// Starts the processes of these roles and returns once all are ready.
    func start(_ roles: [RoleName]) async throws {
        for role in roles {
            for index in 0..<(role == .carrier ? 1 : self.copies) { try await self.start(role, index) }
        }
        let started = self.all.filter { roles.contains($0.role) }
        try await BlockingWork.run("ready") { stop in
            for process in started { try process.waitUntilReady(stop) }
        }
    }

    /// Ends the processes of these roles: workers give back what they hold, all others are killed.
    func stop(_ roles: [RoleName] = RoleName.allCases) async {
        let stopped = self.state.withLock { state in
            let stopped = state.processes.filter { roles.contains($0.role) }
            state.processes.removeAll { roles.contains($0.role) }
            for process in stopped {
                state.peaks[process.role] = max(state.peaks[process.role] ?? 0, process.peakMemory ?? 0)
                state.spent[process.role, default: 0] += process.processorSeconds
            }
            return stopped
        }
        await Self.drain(stopped.filter { $0.role == .worker })
        for process in stopped { process.process.kill(SIGKILL) }
        for process in stopped { _ = await process.process.waitForExit() }
    }

    /// Or what they hold would be looked for by the next: not what is to be measured.
    private static func drain(_ workers: [RoleProcess]) async {
        for worker in workers { worker.process.kill(SIGTERM) }
        let deadline = ContinuousClock.now + Self.drainTime
        for worker in workers { _ = await worker.process.waitForExit(until: deadline) }
    }

    /// Throws when a process has ended by itself.
    func check() throws {
        for process in self.all {
            if let status = process.process.status { throw BenchError("pinpost \(process.role) \(status)") }
        }
    }

    var apiPorts: [UInt16] { self.all.filter { $0.role == .api }.map(\.port) }

    /// A metric summed over all processes of a role; blocks its thread.
    func sum(_ metrics: [String], of role: RoleName) throws -> [Double] {
        try self.check()
        var sums = [Double](repeating: 0, count: metrics.count)
        for process in self.all where process.role == role {
            let text = MetricsText(try LocalRequest.send("GET", "/metrics", port: process.operationsPort).body)
            for (index, metric) in metrics.enumerated() { sums[index] += text.sum(metric) }
        }
        return sums
    }

    /// The most memory that any process of each role has had, in MiB.
    var peakMemory: [RoleName: Double] {
        self.state.withLock { state in
            state.processes.reduce(into: state.peaks) { peaks, process in
                peaks[process.role] = max(peaks[process.role] ?? 0, process.peakMemory ?? 0)
            }
        }
    }

    /// The memory that the largest process of each role has now, in MiB.
    var memory: [RoleName: Double] {
        self.all.reduce(into: [:]) { memory, process in
            memory[process.role] = max(memory[process.role] ?? 0, process.memory ?? 0)
        }
    }

    /// The processor time of all processes of each role, those that were stopped included, in seconds.
    var processorSeconds: [RoleName: Double] {
        self.state.withLock { state in
            state.processes.reduce(into: state.spent) { $0[$1.role, default: 0] += $1.processorSeconds }
        }
    }

    // MARK: - Private

    private var all: [RoleProcess] { self.state.withLock { $0.processes } }

    private func start(_ role: RoleName, _ index: Int) async throws {
        let ports = try LocalSocket.freePorts(2)
        let port =
            switch role {
            case .carrier: self.carrierPort
            case .receiver: self.receiverPorts[index]
            case .api: ports[0]
            case .worker: UInt16(0)
            }
        var settings = self.settings(of: role, index)
        settings["PINPOST_OPS_LISTEN"] = "127.0.0.1:\(ports[1])"
        if role.listens { settings["PINPOST_LISTEN"] = "127.0.0.1:\(port)" }
        let process = try await self.spawn([role.rawValue], settings, output: .descriptor(STDERR_FILENO))
        let started = RoleProcess(role: role, process: process, port: port, operationsPort: ports[1])
        self.state.withLock { $0.processes.append(started) }
    }

    private func runToEnd(_ arguments: [String]) async throws {
        let process = try await self.spawn(arguments, [:], output: .captured(byteLimit: 65536))
        let status = await process.waitForExit()
        guard status.isSuccess else {
            let output = String(decoding: process.output, as: UTF8.self)
            throw BenchError("pinpost \(arguments[0]) \(status): \(output)")
        }
    }

    private func spawn(
        _ arguments: [String], _ settings: [String: String], output: ChildProcess.Output
    ) async throws -> ChildProcess {
        let common = [
            "DATABASE_URL": self.databaseURL, "PINPOST_MASTER_KEY": self.masterKey, "PINPOST_LOG_LEVEL": "warning",
        ]
        let environment = self.environment.merging(common) { $1 }.merging(settings) { $1 }
        let command = Self.dyingWithUs([self.executable] + arguments)
        return try await ChildProcess.start(
            command[0], Array(command.dropFirst()), environment: environment, output: output)
    }

    private static func dyingWithUs(_ command: [String]) -> [String] {
        let places: [String] = ["/usr/bin/setpriv", "/bin/setpriv"]
        let setpriv = places.first { place in access(place, X_OK) == 0 }
        return setpriv.map { [$0, "--pdeathsig=KILL", "--"] + command } ?? command
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw SystemError("write \(path)") }
    }
}
