import Glibc

/// A server still running on our data directory, left by a run of ours that was killed.
///
/// Its processes are told by their working directory, which PostgreSQL sets to the data directory, and not by the number
/// in `postmaster.pid`, which may be another process's by now. A postmaster killed outright leaves backends behind, which
/// are found as well.
struct FormerServer {
    private let data: String
    private let postmaster: pid_t?

    init(in directory: ServerDirectory) {
        let resolved = realpath(directory.data, nil)
        self.data = resolved.map { String(cString: $0) } ?? directory.data
        free(resolved)
        self.postmaster = lines(of: directory.postmasterFile).first.flatMap { pid_t($0) }
    }

    /// Returns once none of its processes is left: stopped fast, else immediately, else killed.
    func stop() async throws(PostgresServerError) {
        for (signal, limit) in [(SIGINT, Duration.seconds(20)), (SIGQUIT, .seconds(6)), (SIGKILL, .seconds(4))] {
            if await self.end(with: signal, within: limit) { return }
        }
        throw PostgresServerError("a server that was left running on \(self.data) does not end")
    }

    // MARK: - Private

    private func end(with signal: Int32, within limit: Duration) async -> Bool {
        let running = self.processes
        if running.isEmpty { return true }
        // The postmaster sees to its own; without it the backends must be told themselves.
        let chief = running.filter { $0 == self.postmaster }
        let isGentle = signal == SIGINT && !chief.isEmpty
        for process in isGentle ? chief : running {
            kill(process, signal == SIGINT && chief.isEmpty ? SIGTERM : signal)
        }
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if self.processes.isEmpty { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return self.processes.isEmpty
    }

    private var processes: [pid_t] {
        children(of: "/proc").compactMap { pid_t($0) }.filter { process in
            workingDirectory(of: process) == self.data && process != getpid()
        }
    }
}

private func workingDirectory(of process: pid_t) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
        guard let base = buffer.baseAddress else { return nil }
        let count = readlink("/proc/\(process)/cwd", base, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: base, count: count), as: UTF8.self)
    }
}
