import CLinux
import Glibc

/// What is needed to start a program.
struct Command: Sendable {
    let executable: String
    let arguments: [String]
    let environment: [String: String]?
    let directory: String?
    let input: [UInt8]
    let output: ChildProcess.Output
    let errorOutput: ChildProcess.Output
    let ownProcessGroup: Bool

    /// A running child, and our ends of its captured outputs.
    struct Spawned {
        let identifier: Int32
        let output: Int32?
        let errorOutput: Int32?
    }

    func spawn() throws(SystemError) -> Spawned {
        var opened = OpenDescriptors()
        defer { opened.closeAll() }
        let input = try opened.input(holding: self.input)
        let output = try opened.target(of: self.output, inherited: STDOUT_FILENO)
        let errorOutput = try opened.target(of: self.errorOutput, inherited: STDERR_FILENO)
        let identifier = try self.spawn(descriptors: [input, output.theirs, errorOutput.theirs])
        opened.keep([output.ours, errorOutput.ours])
        return Spawned(identifier: identifier, output: output.ours, errorOutput: errorOutput.ours)
    }

    // MARK: - Private

    private func spawn(descriptors: [Int32]) throws(SystemError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        self.arrange(descriptors, in: &actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        self.arrangeSignals(in: &attributes)

        var identifier: pid_t = 0
        let status = withCStrings([self.executable] + self.arguments) { arguments in
            withCStrings(self.environmentStrings) { environment in
                posix_spawn(&identifier, self.executable, &actions, &attributes, arguments, environment)
            }
        }
        guard status == 0 else { throw SystemError("posix_spawn \(self.executable)", code: status) }
        return identifier
    }

    /// The descriptors become 0, 1 and 2. They are all above 2 (see `OpenDescriptors`), except for inherited ones.
    private func arrange(_ descriptors: [Int32], in actions: inout posix_spawn_file_actions_t) {
        for (target, descriptor) in descriptors.enumerated() where descriptor != Int32(target) {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        if let directory { posix_spawn_file_actions_addchdir_np(&actions, directory) }
    }

    /// A signal that we ignore, or wait for by descriptor, is the child's to handle as if we had not.
    private func arrangeSignals(in attributes: inout posix_spawnattr_t) {
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        if self.ownProcessGroup {
            posix_spawnattr_setpgroup(&attributes, 0)
            flags |= POSIX_SPAWN_SETPGROUP
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    private var environmentStrings: [String] {
        if let environment { return environment.map { "\($0.key)=\($0.value)" } }
        var strings: [String] = []
        var entry = environ
        while let string = entry.pointee {
            strings.append(String(cString: string))
            entry += 1
        }
        return strings
    }
}

/// The descriptors opened for a child, closed in this process once it runs.
private struct OpenDescriptors {
    private var descriptors: [Int32] = []

    func closeAll() { for descriptor in self.descriptors { close(descriptor) } }

    mutating func keep(_ kept: [Int32?]) { self.descriptors.removeAll { kept.contains($0) } }

    mutating func input(holding bytes: [UInt8]) throws(SystemError) -> Int32 {
        if bytes.isEmpty { return try self.add(open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null") }
        precondition(bytes.count <= 65536, "a child's input fits a pipe's buffer: nobody writes more later")
        let (reading, writing) = try self.pipe()
        // The pipe is empty and has room for all of it.
        guard write(writing, bytes, bytes.count) == bytes.count else { throw SystemError("write") }
        return reading
    }

    mutating func target(
        of output: ChildProcess.Output, inherited: Int32
    ) throws(SystemError) -> (theirs: Int32, ours: Int32?) {
        switch output {
        case .inherit: return (inherited, nil)
        case .descriptor(let descriptor):
            // A copy above 2, so that arranging 0, 1 and 2 overwrites no source before its turn.
            return (try self.add(fcntl(descriptor, F_DUPFD_CLOEXEC, 3), "fcntl"), nil)
        case .discard: return (try self.add(open("/dev/null", O_WRONLY | O_CLOEXEC), "open /dev/null"), nil)
        case .file(let path):
            let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
            return (try self.add(open(path, flags, 0o600), "open \(path)"), nil)
        case .captured:
            let (reading, writing) = try self.pipe()
            _ = fcntl(reading, F_SETFL, O_NONBLOCK)
            return (writing, reading)
        }
    }

    private mutating func pipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw SystemError("pipe2") }
        self.descriptors += ends
        return (ends[0], ends[1])
    }

    private mutating func add(_ descriptor: Int32, _ call: String) throws(SystemError) -> Int32 {
        guard descriptor >= 0 else { throw SystemError(call) }
        self.descriptors.append(descriptor)
        return descriptor
    }
}

/// Lends `strings` as a null-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an array with a null at its end is not empty") }
        return body(base)
    }
}
