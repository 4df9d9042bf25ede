import Crypto
import Glibc

/// Where `pinpost up` keeps what must outlive it: the database, the master key and the key of its account.
struct DataDirectory {
    let path: String

    /// `/var/lib/pinpost` for root, whose home other users cannot enter; otherwise as the XDG base directory
    /// specification has it.
    static func standard() -> String {
        if geteuid() == 0 { return "/var/lib/pinpost" }
        let environment = ProcessBase.environment
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return "\(data)/pinpost" }
        return "\(environment["HOME"] ?? ".")/.local/share/pinpost"
    }

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    /// Makes the directory and those above it.
    func make() throws {
        var made = ""
        for piece in self.path.split(separator: "/", omittingEmptySubsequences: false) {
            made += made.isEmpty && piece.isEmpty ? "/" : "\(piece)/"
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
                throw DataError(made, "cannot be made")
            }
        }
    }

    /// The master key, made on first use. Without it nothing that was sealed can be read again. To rotate it, a new one is put
    /// in front of it on the same line, parted by a comma. Where several processes share a key, the new one has to be behind
    /// it in all of them first; here there is but one.
    func masterKeys() throws -> MasterKeys {
        let text = try self.secret("master.key") { MasterKeys.generate() }
        return try MasterKeys(parsing: text)
    }

    /// The API key of the account that `up` makes.
    func apiKey() throws -> Secret {
        Secret(try self.secret("api.key") { APIKey.make().text })
    }

    // MARK: - Private

    /// A one-line file that only its owner can read, made on first use and never again. It has its name only once it is
    /// whole and on the disk, and whoever comes second takes what the first has made.
    private func secret(_ name: String, make: () -> String) throws -> String {
        let path = self.file(name)
        if let text = try Self.read(path) { return text }
        let draft = try Self.draft(of: path, text: make())
        defer { unlink(draft) }
        // Unlike rename, link refuses to take the place of a file.
        guard link(draft, path) == 0 || errno == EEXIST else { throw DataError(path, "cannot be made") }
        try Self.synchronise(self.path)
        guard let text = try Self.read(path) else {
            throw DataError(path: path, problem: "was removed while it was being made")
        }
        return text
    }

    /// Writes a file beside `path`, of a name that no other process has; only its owner can read it.
    private static func draft(of path: String, text: String) throws -> String {
        var name = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw DataError(path, "cannot be made") }
        defer { close(descriptor) }
        let line = Array("\(text)\n".utf8)
        guard write(descriptor, line, line.count) == line.count, fsync(descriptor) == 0 else {
            let error = DataError(path, "cannot be written")
            unlink(name)
            throw error
        }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Has the names in a directory outlive a crash of the machine.
    private static func synchronise(_ directory: String) throws {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { throw DataError(directory, "cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DataError(directory, "cannot be written") }
    }

    /// Nil when there is no such file. An empty one is never filled: what it held may be needed, and be elsewhere.
    private static func read(_ path: String) throws -> String? {
        guard let file = fopen(path, "r") else {
            if errno == ENOENT { return nil }
            throw DataError(path, "cannot be read")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else { throw DataError(path, "cannot be read") }
        let line = String(decoding: bytes[..<count], as: UTF8.self).drop { $0 == "\n" }.prefix { $0 != "\n" }
        guard !line.isEmpty else {
            throw DataError(path: path, problem: "is empty: put its backup there, or remove it to have a new one made")
        }
        return String(line)
    }

    private struct DataError: Error, CustomStringConvertible {
        var path: String
        var problem: String
        var description: String { "\(self.path) \(self.problem)" }

        init(path: String, problem: String) {
            self.path = path
            self.problem = problem
        }

        /// With what `errno` says.
        init(_ path: String, _ problem: String) {
            self.init(path: path, problem: "\(problem): \(String(cString: strerror(errno)))")
        }
    }
}
