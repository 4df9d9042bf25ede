import Crypto
import Glibc
public import Postgres

/// Why migrations were not applied.
public enum MigrationError: Error, CustomStringConvertible {
    case directory(String, problem: String)
    /// A file that was applied before has another content now.
    case changed(String)
    /// The database has migrations that this version does not know.
    case newer(String)
    case failed(String, PostgresError)

    public var description: String {
        switch self {
        case .directory(let path, let problem): "cannot read migrations in \(path): \(problem)"
        case .changed(let name):
            "migration \(name) was changed after it was applied: restore the file, and put the change into a new one"
        case .newer(let name):
            "the database has the migration \(name), which this version of pinpost lacks: use the version that applied it"
        case .failed(let name, let error): "migration \(name) failed, and nothing of it was kept: \(error)"
        }
    }
}

/// One numbered file of SQL.
public struct Migration: Sendable {
    public var name: String
    public var script: String

    public init(name: String, script: String) {
        self.name = name
        self.script = script
    }

    var digest: [UInt8] { Digest.sha256.hash(self.script.utf8) }

    /// The files `NNNN_name.sql` of a directory, in order.
    public static func all(in directory: String) throws(MigrationError) -> [Migration] {
        guard let handle = opendir(directory) else {
            throw .directory(directory, problem: String(cString: strerror(errno)))
        }
        defer { closedir(handle) }
        var migrations: [Migration] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".sql"), name.prefix(4).allSatisfy(\.isNumber) else { continue }
            migrations.append(Migration(name: name, script: try Self.read("\(directory)/\(name)")))
        }
        guard !migrations.isEmpty else { throw .directory(directory, problem: "no NNNN_name.sql in it") }
        return migrations.sorted { $0.name < $1.name }
    }

    private static func read(_ path: String) throws(MigrationError) -> String {
        guard let file = fopen(path, "r") else { throw .directory(path, problem: String(cString: strerror(errno))) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .directory(path, problem: "not UTF-8")
        }
        return text
    }
}

extension Store {
    /// Applies the migrations that the database lacks, each in a transaction of its own, one process at a time.
    /// Returns the names of those applied. `now` is told each name before it begins.
    ///
    /// Whatever wants a table behind one that waits for it alone waits too, so each gives up after `lockTimeout`, with nothing changed.
    public func migrate(
        _ migrations: [Migration], lockTimeout: Duration = Self.migrationLockTimeout,
        now announce: (String) -> Void = { _ in }
    ) async throws -> [String] {
        try await self.prepareMigrations()
        try await self.check(migrations)
        var applied: [String] = []
        for migration in migrations {
            announce(migration.name)
            if try await self.apply(migration, lockTimeout) { applied.append(migration.name) }
        }
        return applied
    }

    /// How long a migration waits for a table that others read.
    public static let migrationLockTimeout = Duration.seconds(5)

    /// Refuses a file that changed after it was applied, and a database that is ahead of these files.
    public func check(_ migrations: [Migration]) async throws {
        let known = Dictionary(uniqueKeysWithValues: migrations.map { ($0.name, $0.digest) })
        for (name, digest) in try await self.appliedMigrations() {
            guard let expected = known[name] else { throw MigrationError.newer(name) }
            guard expected == digest else { throw MigrationError.changed(name) }
        }
    }

    /// The names of the migrations that the database lacks.
    public func pending(_ migrations: [Migration]) async throws -> [String] {
        try await self.check(migrations)
        let applied = Set(try await self.appliedMigrations().map(\.name))
        return migrations.map(\.name).filter { !applied.contains($0) }
    }

    // MARK: - Private

    private func prepareMigrations() async throws {
        try await self.pool.transaction { transaction in
            try await Self.lockMigrations(transaction)
            _ = try await transaction.execute(
                """
                CREATE TABLE IF NOT EXISTS migrations (
                    name text PRIMARY KEY, digest bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
                )
                """
            )
        }
    }

    /// True when it was applied here; false when another process had been quicker.
    private func apply(_ migration: Migration, _ lockTimeout: Duration) async throws -> Bool {
        do {
            return try await self.pool.transaction { transaction in
                try await Self.lockMigrations(transaction)
                let found = try await transaction.execute("SELECT FROM migrations WHERE name = \(migration.name)")
                guard found == 0 else { return false }
                // Not before: another process that migrates may take as long as it needs.
                let limit = "\(Int(lockTimeout / .milliseconds(1)))ms"
                _ = try await transaction.execute("SELECT set_config('lock_timeout', \(limit), true)")
                try await transaction.executeScript(migration.script)
                _ = try await transaction.execute(
                    "INSERT INTO migrations (name, digest) VALUES (\(migration.name), \(Bytes(migration.digest)))")
                return true
            }
        } catch let error as PostgresError {
            throw MigrationError.failed(migration.name, error)
        }
    }

    private static func lockMigrations(_ transaction: borrowing Transaction) async throws(PostgresError) {
        _ = try await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('pinpost migrations'))")
    }

    private func appliedMigrations() async throws -> [(name: String, digest: [UInt8])] {
        let exists = try await self.pool.query("SELECT to_regclass('migrations') IS NOT NULL") {
            row throws(PostgresError) in try row.decode(0, as: Bool.self)
        }
        guard exists == [true] else { return [] }
        return try await self.pool.query("SELECT name, digest FROM migrations ORDER BY name") {
            row throws(PostgresError) in
            (try row.decode(0, as: String.self), try row.decode(1, as: Bytes.self).bytes)
        }
    }
}
