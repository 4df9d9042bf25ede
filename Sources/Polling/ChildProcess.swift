import CLinux
import Glibc
import Synchronization

/// A program started by this process.
///
/// Each has a thread of ours that starts it, reads what it prints and waits for its end, so nothing needs SIGCHLD, and a
/// child that asked for a signal at its parent's death (`PR_SET_PDEATHSIG`, which goes by the thread) gets it when this
/// process dies and not before. Dropping the last reference does not end the child.
public final class ChildProcess: Sendable {
    /// Where one of the child's outputs goes.
    public enum Output: Sendable {
        /// Where ours goes.
        case inherit
        case discard
        /// Appended to the file at this path, made with mode 0600 if it is not there. Not through a symbolic link.
        case file(String)
        /// An open descriptor of ours, which stays open and ours.
        case descriptor(Int32)
        /// Kept in memory: the first so many bytes. What comes after is read and dropped, so the child never blocks.
        case captured(byteLimit: Int)
    }

    public let identifier: Int32
    private let state = Mutex(State())

    fileprivate init(identifier: Int32) { self.identifier = identifier }

    /// Starts the program at the path `executable` and returns once it runs.
    ///
    /// It gets no descriptor of ours but the three standard ones, and default signal handling. `environment` nil is ours.
    /// `input`, at most 64 KiB, is what it can read from its standard input. With a process group of its own it does not
    /// get the terminal's SIGINT. Throws what the kernel said, ENOENT among others.
    public static func start(
        _ executable: String, _ arguments: [String] = [], environment: [String: String]? = nil,
        directory: String? = nil, input: [UInt8] = [], output: Output = .inherit, errorOutput: Output = .inherit,
        ownProcessGroup: Bool = true
    ) async throws(SystemError) -> ChildProcess {
        let command = Command(
            executable: executable, arguments: arguments, environment: environment, directory: directory, input: input,
            output: output, errorOutput: errorOutput, ownProcessGroup: ownProcessGroup
        )
        let result = await withCheckedContinuation { start in begin(command, start) }
        return try result.get()
    }

    /// Sends `signal`. Does nothing once the child has ended: its number may be another's by then.
    public func kill(_ signal: Int32) {
        self.state.withLock { state in
            guard state.status == nil else { return }
            _ = Glibc.kill(self.identifier, signal)
        }
    }

    /// How it ended, nil while it runs.
    public var status: ExitStatus? { self.state.withLock { state in state.status } }

    /// Suspends until the child has ended, even if the task is cancelled: kill it to have it end sooner.
    public func waitForExit() async -> ExitStatus {
        while true {
            let (status, version) = self.state.withLock { state in (state.status, state.version) }
            if let status { return status }
            await self.waitForChange(after: version)
        }
    }

    /// As `waitForExit`, but nil once `deadline` has passed or the task is cancelled.
    public func waitForExit(until deadline: ContinuousClock.Instant) async -> ExitStatus? {
        await self.wait(until: deadline) { state in state.status != nil }
        return self.status
    }

    /// What the child has printed so far, as much as is captured.
    public var output: [UInt8] { self.state.withLock { state in state.output.bytes } }
    public var errorOutput: [UInt8] { self.state.withLock { state in state.errorOutput.bytes } }

    /// The first whole line on either captured output that `matches`. Nil if the child ended without it, `deadline` passed,
    /// or the task was cancelled.
    public func waitForLine(
        until deadline: ContinuousClock.Instant, where matches: @escaping @Sendable (Substring) -> Bool
    ) async -> String? {
        let find = { @Sendable (state: borrowing State) -> String? in
            (state.output.lines + state.errorOutput.lines).first(where: matches).map(String.init)
        }
        await self.wait(until: deadline) { state in state.status != nil || find(state) != nil }
        return self.state.withLock { state in find(state) }
    }

    // MARK: - Private

    private func wait(
        until deadline: ContinuousClock.Instant, for isReached: @escaping @Sendable (borrowing State) -> Bool
    ) async {
        await withTaskGroup { group in
            group.addTask {
                while !Task.isCancelled {
                    let (isThere, version) = self.state.withLock { state in (isReached(state), state.version) }
                    if isThere { return }
                    await self.waitForChangeOrCancellation(after: version)
                }
            }
            group.addTask { try? await Task.sleep(until: deadline, clock: .continuous) }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForChangeOrCancellation(after version: Int) async {
        await withTaskCancellationHandler {
            await self.waitForChange(after: version, orCancellation: true)
        } onCancel: {
            // Whoever else waits looks and waits again.
            self.change { _ in }
        }
    }

    private func waitForChange(after version: Int, orCancellation: Bool = false) async {
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLock { state in
                // `onCancel` takes the same lock, so a cancellation is seen either here or there.
                if state.version != version || orCancellation && Task.isCancelled { return true }
                state.watchers.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    fileprivate func change(_ body: (inout sending State) -> Void) {
        let watchers = self.state.withLock { state in
            body(&state)
            state.version += 1
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.resume() }
    }
}

// MARK: - The child's thread

private typealias Start = CheckedContinuation<Result<ChildProcess, SystemError>, Never>

private func begin(_ command: Command, _ start: Start) {
    do {
        try Thread.start(name: "child") { live(command, start) }
    } catch {
        start.resume(returning: .failure(error))
    }
}

private func live(_ command: Command, _ start: Start) {
    do throws(SystemError) {
        let spawned = try command.spawn()
        let child = ChildProcess(identifier: spawned.identifier)
        child.change { state in
            state.output.limit = command.output.byteLimit
            state.errorOutput.limit = command.errorOutput.byteLimit
        }
        start.resume(returning: .success(child))
        child.attend(spawned)
    } catch {
        start.resume(returning: .failure(error))
    }
}

extension ChildProcess {
    /// Reads what the child prints until it has ended. Grandchildren may hold the pipes open for longer: not our concern.
    fileprivate func attend(_ spawned: Command.Spawned) {
        let end = clinux_open_process(self.identifier)
        precondition(end >= 0, "pidfd_open of our own child failed with errno \(errno); Linux 5.3 has it")
        var pipes = [(spawned.output, \State.output), (spawned.errorOutput, \State.errorOutput)]
        var hasEnded = false
        while !hasEnded {
            var polled = [pollfd(fd: end, events: Int16(POLLIN), revents: 0)]
            polled += pipes.map { pollfd(fd: $0.0 ?? -1, events: Int16(POLLIN), revents: 0) }
            poll(&polled, nfds_t(polled.count), -1)
            hasEnded = polled[0].revents != 0
            for index in pipes.indices where hasEnded || polled[index + 1].revents != 0 {
                let isOpen = self.read(from: pipes[index].0, into: pipes[index].1)
                if !isOpen { closeIfOpen(&pipes[index].0) }
            }
        }
        for index in pipes.indices { closeIfOpen(&pipes[index].0) }
        close(end)
        self.reap()
    }

    /// Reads all there is without waiting. False at the end of the file.
    private func read(from descriptor: Int32?, into buffer: WritableKeyPath<State, Capture>) -> Bool {
        guard let descriptor else { return false }
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return count < 0 }
            self.change { state in state[keyPath: buffer].append(chunk[..<count]) }
        }
    }

    private func reap() {
        self.change { state in
            // Under the lock, so that `kill` never signals a number that is free again.
            var status: Int32 = 0
            while waitpid(self.identifier, &status, 0) < 0 && errno == EINTR {}
            state.status = ExitStatus(waitStatus: status)
        }
    }
}

private func closeIfOpen(_ descriptor: inout Int32?) {
    if let descriptor { close(descriptor) }
    descriptor = nil
}

extension ChildProcess.Output {
    fileprivate var byteLimit: Int {
        if case .captured(let byteLimit) = self { byteLimit } else { 0 }
    }
}

private struct State {
    var status: ChildProcess.ExitStatus?
    var output = Capture()
    var errorOutput = Capture()
    /// Rises with each change, so that none is missed between looking and waiting.
    var version = 0
    var watchers: [CheckedContinuation<Void, Never>] = []
}

/// The first bytes of an output.
private struct Capture {
    var limit = 0
    private(set) var bytes: [UInt8] = []

    mutating func append(_ chunk: ArraySlice<UInt8>) {
        self.bytes += chunk.prefix(self.limit - self.bytes.count)
    }

    /// Those that have their newline.
    var lines: [Substring] {
        String(decoding: self.bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    }
}
