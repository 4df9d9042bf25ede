import Glibc

/// What lies where in a private server's directory.
struct ServerDirectory {
    /// Absolute.
    let path: String
    /// Where the server's socket is: inside, if its path is not too long for a socket's address.
    let sockets: String
    let port: String

    /// `sun_path` has 108 bytes, one of them for the zero.
    private static let socketPathLimit = 107

    init(path: String, port: String) {
        let absolute = absolutePath(path)
        let inside = "\(absolute)/run"
        let isShort = "\(inside)/.s.PGSQL.\(port)".utf8.count <= Self.socketPathLimit
        self.path = absolute
        self.port = port
        // The same name each time, so that a killed run leaves nothing that the next one does not use again.
        self.sockets = isShort ? inside : "/tmp/pinpost-\(geteuid())-\(fingerprint(absolute))"
    }

    var data: String { "\(self.path)/data" }
    /// Where initdb works, so that `data` is only ever there whole.
    var unfinishedData: String { "\(self.path)/data.new" }
    var log: String { "\(self.path)/postgres.log" }
    var lock: String { "\(self.path)/lock" }
    var postmasterFile: String { "\(self.data)/postmaster.pid" }
    var hasData: Bool { access("\(self.data)/PG_VERSION", F_OK) == 0 }

    /// The major version that made the data.
    var version: String? {
        lines(of: "\(self.data)/PG_VERSION").first
    }

    /// Makes the directory and the one for sockets, for `account` alone.
    func prepare(for account: ServerAccount) throws(PostgresServerError) {
        try self.checkIsOurs()
        try makeDirectories(above: self.path)
        try account.checkReach(self.path)
        try makePrivateDirectory(self.path, for: account)
        try makePrivateDirectory(self.sockets, for: account)
    }

    /// The end of the server's log, for an error.
    var logTail: String {
        let lines = lines(of: self.log, lastBytes: 8192).suffix(15)
        return lines.joined(separator: "\n")
    }

    /// Starts a new log once the old one has grown to 16 MiB; one old log is kept.
    func turnLog() {
        var status = stat()
        guard stat(self.log, &status) == 0, status.st_size > 16 << 20 else { return }
        rename(self.log, "\(self.log).old")
    }

    /// Removes what a killed server left in the way of the next. Only when none is running.
    func removeLeftovers() {
        unlink(self.postmasterFile)
        for name in children(of: self.sockets) where name.hasPrefix(".s.PGSQL.") { unlink("\(self.sockets)/\(name)") }
    }

    /// A directory that holds something else is not to be taken over, let alone given to another user.
    private func checkIsOurs() throws(PostgresServerError) {
        let names = Set(children(of: self.path)).subtracting(["lost+found"])
        guard !names.isEmpty, names.isDisjoint(with: ["lock", "data", "data.new", "run"]) else { return }
        throw PostgresServerError("\(self.path) is not empty, and it is no directory of ours")
    }
}

// MARK: - Private

private func absolutePath(_ path: String) -> String {
    var absolute = path
    if !path.hasPrefix("/"), let current = getcwd(nil, 0) {
        absolute = "\(String(cString: current))/\(path)"
        free(current)
    }
    while absolute.count > 1 && absolute.hasSuffix("/") { absolute.removeLast() }
    return absolute
}

/// FNV-1a of 64 bits, in hexadecimal.
private func fingerprint(_ text: String) -> String {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { hash, byte in
        (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return String(hash, radix: 16)
}

private func makeDirectories(above path: String) throws(PostgresServerError) {
    var prefix = ""
    for component in path.split(separator: "/").dropLast() {
        prefix += "/\(component)"
        guard mkdir(prefix, 0o755) == 0 || errno == EEXIST || errno == EROFS else {
            throw PostgresServerError("cannot make \(prefix): \(String(cString: strerror(errno)))")
        }
    }
}

/// Makes a directory only `account` may enter, or makes sure that the one there is such. Never follows a link: /tmp is
/// everybody's.
private func makePrivateDirectory(_ path: String, for account: ServerAccount) throws(PostgresServerError) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
        throw PostgresServerError("cannot make \(path): \(String(cString: strerror(errno)))")
    }
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
        status.st_uid == account.user || status.st_uid == geteuid()
    else { throw PostgresServerError("\(path) is not a directory of ours") }
    try account.own(path)
    guard status.st_mode & 0o077 == 0 || chmod(path, 0o700) == 0 else {
        throw PostgresServerError("cannot make \(path) private: \(String(cString: strerror(errno)))")
    }
}

/// The lines of a text file, or of its end. None if it cannot be read.
func lines(of path: String, lastBytes limit: Int = 65536) -> [String] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    lseek(descriptor, off_t(max(0, size - limit)), SEEK_SET)
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = read(descriptor, &bytes, limit)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}
