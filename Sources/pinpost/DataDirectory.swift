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
                throw DataError(path: made, problem: String(cString: strerror(errno)))
            }
        }
    }

    /// The master key, made on first use. Without it nothing that was sealed can be read again.
    func masterKeys() throws -> MasterKeys {
        let text = try self.secret("master.key") { MasterKeys.generate() }
        return try MasterKeys(parsing: text)
    }

    /// The API key of the account that `up` makes.
    func apiKey() throws -> Secret {
        Secret(try self.secret("api.key") { APIKey.make().text })
    }

    // MARK: - Private

    /// A one-line file that only its owner can read, made on first use.
    private func secret(_ name: String, make: () -> String) throws -> String {
        let path = self.file(name)
        if let text = Self.read(path) { return text }
        let text = make()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw DataError(path: path, problem: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let line = Array("\(text)\n".utf8)
        guard write(descriptor, line, line.count) == line.count, fsync(descriptor) == 0 else {
            throw DataError(path: path, problem: String(cString: strerror(errno)))
        }
        return text
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return text.isEmpty ? nil : String(text.drop { $0 == "\n" }.prefix { $0 != "\n" })
    }

    private struct DataError: Error, CustomStringConvertible {
        var path: String
        var problem: String
        var description: String { "cannot make \(self.path): \(self.problem)" }
    }
}
