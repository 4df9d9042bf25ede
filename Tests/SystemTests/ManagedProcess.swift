import Glibc
import Polling
import Synchronization

/// A `pinpost` process that can be started, killed and started again, with all that it has logged.
final class ManagedProcess: Sendable {
    enum Role: String, Sendable {
        case api, worker, receiver, carrier

        /// What it logs when it has begun to do its work.
        fileprivate var sign: String {
            self == .worker ? "took out a lease" : "listening service=\(self.rawValue)"
        }
    }

    let name: String
    let role: Role
    let operationsPort: UInt16
    private let environment: [String: String]
    /// One for each start, the newest last.
    private let runs = Mutex<[ChildProcess]>([])

    init(_ name: String, _ role: Role, operationsPort: UInt16, environment: [String: String]) {
        self.name = name
        self.role = role
        self.operationsPort = operationsPort
        self.environment = environment.merging(["PINPOST_OPS_LISTEN": "127.0.0.1:\(operationsPort)"]) { $1 }
    }

    /// Starts it and returns once it does its work.
    func start() async throws {
        let child = try await self.launch()
        let sign = self.role.sign
        guard await child.waitForLine(until: .now + .seconds(30), where: { $0.contains(sign) }) != nil else {
            throw Failure("\(self.name) did not come up: \(child.status.map { "\($0)" } ?? "no sign of it")")
        }
    }

    /// Nil while it runs.
    var status: ChildProcess.ExitStatus? { self.current.status }

    /// Does nothing when it has ended.
    func signal(_ signal: CInt) { self.current.kill(signal) }

    /// Kills it and waits for its end. False when it was not running.
    func kill() async -> Bool {
        let child = self.current
        let wasRunning = child.status == nil
        child.kill(SIGKILL)
        return await child.waitForExit() == .signalled(SIGKILL) && wasRunning
    }

    func waitForExit(within limit: Duration) async throws -> ChildProcess.ExitStatus {
        guard let status = await self.current.waitForExit(until: .now + limit) else {
            throw Failure("\(self.name) did not end within \(limit)")
        }
        return status
    }

    /// The first line of the present run that has `text` in it.
    @discardableResult
    func waitForLine(with text: String, within limit: Duration = .seconds(30)) async throws -> String {
        let line = await self.current.waitForLine(until: .now + limit) { $0.contains(text) }
        guard let line else { throw Failure("\(self.name) did not log \"\(text)\" within \(limit)") }
        return line
    }

    /// Starts it again whenever it ends, as a supervisor does, until the task is cancelled.
    func keepRunning() async throws {
        while !Task.isCancelled {
            guard let status = await self.current.waitForExit(until: .now + .seconds(3600)) else { continue }
            // One that gave up by itself, say because the database is away, is not started in a tight loop.
            if case .exited = status { try await Task.sleep(for: .milliseconds(100)) }
            try Task.checkCancellation()
            _ = try await self.launch()
        }
    }

    /// How often it was started.
    var starts: Int { self.runs.withLock { $0.count } }

    /// All that it has printed, over all its runs.
    var log: String {
        self.runs.withLock { $0 }.map { String(decoding: $0.output + $0.errorOutput, as: UTF8.self) }.joined()
    }

    var logTail: String {
        self.log.split(separator: "\n").suffix(25).map { "    \($0)" }.joined(separator: "\n")
    }

    // MARK: - Private

    private static let logByteLimit = 64 << 20

    private var current: ChildProcess {
        guard let child = self.runs.withLock({ $0.last }) else { preconditionFailure("\(self.name) was never started") }
        return child
    }

    private func launch() async throws -> ChildProcess {
        let child = try await Executable.start(
            [self.role.rawValue], environment: self.environment,
            output: .captured(byteLimit: Self.logByteLimit))
        self.runs.withLock { $0.append(child) }
        return child
    }
}
