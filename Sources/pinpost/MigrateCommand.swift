import Glibc
import Polling
import Postgres
import Settings
import Store
import Telemetry

/// `pinpost migrate`: brings the tables up to date.
enum MigrateCommand {
    /// Lanes on a cluster when nobody says how many, and there are not as many already.
    private static let clusterLanes = 32

    static func run(_ line: CommandLineArguments) async throws {
        let isCluster = line.has("--citus")
        var lanes = try Self.lanes(line)
        let base = try ProcessBase(.migrate)
        guard let database = base.settings.database else { preconditionFailure("migrate has a database") }
        let store = Store(base.pool(database, role: "migrate", poller: try Poller.running()))
        var done = try await Self.migrate(store, from: database.migrations)
        // Before anything is changed for it.
        if isCluster { try await store.requireCluster() }
        if isCluster, lanes == nil { lanes = try await store.lanesOnCluster(Self.clusterLanes) }
        if let lanes { done.lanes = try await store.raiseLanes(to: lanes) ? lanes : nil }
        if isCluster, let lanes { done.distributed = try await store.distribute(shards: lanes) }
        if !done.applied.isEmpty { Console.say("Applied \(done.applied.joined(separator: ", ")).") }
        if done.partitions > 0 { Console.say("Made \(done.partitions) partitions for the coming days.") }
        if let lanes = done.lanes { Console.say("There are \(lanes) lanes now. Start every process again.") }
        if !done.distributed.isEmpty { Console.say("Distributed \(done.distributed.joined(separator: ", ")).") }
        if done.isNothing { Console.say("The database is up to date.") }
    }

    /// What was missing.
    struct Done {
        /// The names of migrations.
        var applied: [String]
        /// How many partitions, apart from those that the migrations made.
        var partitions: Int
        /// How many lanes there are, if there were fewer.
        var lanes: Int?
        /// Tables that were not spread over the cluster.
        var distributed: [String] = []

        var isNothing: Bool {
            self.applied.isEmpty && self.partitions == 0 && self.lanes == nil && self.distributed.isEmpty
        }
    }

    /// Applies what is missing, and makes the partitions of the coming days: workers do so too, but when none ran for as
    /// long as the partitions reach, nothing can be accepted. Several processes may do this at the same time.
    static func migrate(_ store: Store, from directory: String?) async throws -> Done {
        let applied = try await store.migrate(try Migration.all(in: try directory ?? Self.directory()))
        return Done(applied: applied, partitions: try await store.makePartitions(daysAhead: Self.daysAhead))
    }

    private static func lanes(_ line: CommandLineArguments) throws -> Int? {
        guard let text = line.value(of: "--lanes") else { return nil }
        guard let lanes = Int(text), (1...Store.mostLanes).contains(lanes) else { throw BadLanes() }
        return lanes
    }

    private struct BadLanes: Error, CustomStringConvertible {
        var description: String { "--lanes: must be between 1 and \(Store.mostLanes)" }
    }

    /// As far as the workers look.
    private static let daysAhead: Int32 = 7

    /// Throws when the tables are older or newer than this version wants them.
    static func requireUpToDate(_ store: Store, _ database: ProcessSettings.DatabaseSettings) async throws {
        let pending = try await store.pending(try Migration.all(in: try database.migrations ?? Self.directory()))
        guard pending.isEmpty else { throw PendingMigrations(names: pending) }
    }

    private struct PendingMigrations: Error, CustomStringConvertible {
        var names: [String]
        var description: String {
            "the database lacks \(self.names.joined(separator: ", ")): run `pinpost migrate` first"
        }
    }

    /// Where the SQL files are when nobody says: in a directory `migrations` or `share/pinpost/migrations` beside or above
    /// the executable, which finds them in a checkout and in an installation alike.
    private static func directory() throws -> String {
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
