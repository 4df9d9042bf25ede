import Glibc
import Polling
import Postgres
import Settings
import Store
import Telemetry

/// `pinpost migrate`: brings the tables up to date.
enum MigrateCommand {
    static func run() async throws {
        let base = try ProcessBase(.migrate)
        guard let database = base.settings.database else { preconditionFailure("migrate has a database") }
        let store = Store(base.pool(database, role: "migrate", poller: try Poller.running()))
        let applied = try await Self.migrate(store)
        Console.say(applied.isEmpty ? "The database is up to date." : "Applied \(applied.joined(separator: ", ")).")
    }

    /// Applies what is missing; several processes may do so at the same time.
    static func migrate(_ store: Store) async throws -> [String] {
        try await store.migrate(try Migration.all(in: try Self.directory()))
    }

    /// Throws when the tables are older or newer than this version wants them.
    static func requireUpToDate(_ store: Store) async throws {
        let pending = try await store.pending(try Migration.all(in: try Self.directory()))
        guard pending.isEmpty else { throw PendingMigrations(names: pending) }
    }

    private struct PendingMigrations: Error, CustomStringConvertible {
        var names: [String]
        var description: String {
            "the database lacks \(self.names.joined(separator: ", ")): run `pinpost migrate` first"
        }
    }

    /// Where the SQL files are: `PINPOST_MIGRATIONS`, or a directory `migrations` or `share/pinpost/migrations` beside
    /// or above the executable, which finds them in a checkout and in an installation alike.
    private static func directory() throws -> String {
        if let named = ProcessBase.environment["PINPOST_MIGRATIONS"], !named.isEmpty { return named }
        var place = Self.executable
        while let slash = place.lastIndex(of: "/") {
            place = String(place[..<slash])
            for candidate in ["\(place)/migrations", "\(place)/share/pinpost/migrations"] {
                if access("\(candidate)/0001_spine.sql", R_OK) == 0 { return candidate }
            }
        }
        throw MissingMigrations()
    }

    private struct MissingMigrations: Error, CustomStringConvertible {
        var description: String { "cannot find the migrations: name their directory in PINPOST_MIGRATIONS" }
    }

    private static var executable: String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        return String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
