import Glibc

extension Metrics {
    /// Adds what the kernel knows of this process, under the names that Prometheus's own client libraries use.
    public func observeProcess() {
        self.observeGauge("process_resident_memory_bytes", help: "Resident memory.") {
            ProcessStatus.current().map { Double($0.residentBytes) }
        }
        self.observeGauge("process_virtual_memory_bytes", help: "Virtual memory.") {
            ProcessStatus.current().map { Double($0.virtualBytes) }
        }
        self.observeCounter("process_cpu_seconds_total", help: "Time on the processors, user and system.") {
            ProcessStatus.current().map(\.cpuSeconds)
        }
        self.observeGauge("process_threads", help: "Threads.") { ProcessStatus.current().map { Double($0.threads) } }
        self.observeGauge("process_open_fds", help: "Open file descriptors.") { openDescriptors().map(Double.init) }
        self.observeGauge("process_max_fds", help: "File descriptors that may be open.") {
            descriptorLimit().map(Double.init)
        }
        // It does not change, so it is read once.
        let start = ProcessStatus.current().flatMap { status in bootTime().map { $0 + status.startSeconds } }
        self.observeGauge("process_start_time_seconds", help: "When the process started, since 1970.") { start }
    }
}

/// What `/proc/self/stat` says; see proc(5).
struct ProcessStatus: Hashable {
    var cpuSeconds: Double
    var threads: Int
    /// Since the machine started.
    var startSeconds: Double
    var virtualBytes: Int
    var residentBytes: Int

    static func current() -> ProcessStatus? {
        contents(of: "/proc/self/stat").flatMap { text in
            ProcessStatus(
                parsing: text, ticksPerSecond: Double(sysconf(CInt(_SC_CLK_TCK))),
                pageBytes: Int(sysconf(CInt(_SC_PAGESIZE)))
            )
        }
    }

    init?(parsing text: String, ticksPerSecond: Double, pageBytes: Int) {
        // The second field is the program's name in parentheses, and may hold blanks and parentheses itself.
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // The first of these is field 3 of proc(5).
        func field(_ number: Int) -> Int? { number - 3 < fields.count ? Int(fields[number - 3]) : nil }
        guard
            let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
            let virtual = field(23), let resident = field(24)
        else { return nil }
        self.cpuSeconds = Double(user + system) / ticksPerSecond
        self.threads = threads
        self.startSeconds = Double(start) / ticksPerSecond
        self.virtualBytes = virtual
        self.residentBytes = resident * pageBytes
    }
}

/// When the machine started, in seconds since 1970.
private func bootTime() -> Double? {
    let line = contents(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Double($0.dropFirst("btime ".utf8.count)) }
}

private func openDescriptors() -> Int? {
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    // Without `.`, `..` and the descriptor of the directory itself.
    return count - 3
}

private func descriptorLimit() -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return Int(clamping: limit.rlim_cur)
}

/// The first 64 KiB of a file of `/proc`.
private func contents(of path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    var count = 0
    while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress.map { $0 + count }, $0.count - count) }
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { break }
        count += got
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
}
