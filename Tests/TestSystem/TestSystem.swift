public import Configuration
public import Crypto
public import JSON
import Messaging
public import Postgres
public import Store
public import TestDatabase

/// A migrated database of its own for one test.
public struct TestSystem: Sendable {
    public let url: String
    public let pool: ConnectionPool

    public var store: Store { Store(self.pool) }

    public static let template = TestDatabase.Template("migrated") { url in
        let pool = TestDatabase.pool(url, limit: 1)
        _ = try await Store(pool).migrate(try Migration.all(in: Self.migrations))
        pool.close()
    }

    /// The directory `migrations` of this checkout.
    public static var migrations: String {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(here)/migrations"
    }

    /// What everything in tests is sealed with.
    public static let masterKeys: MasterKeys = {
        do {
            return try MasterKeys(parsing: MasterKeys.generate())
        } catch {
            preconditionFailure("made just now: \(error)")
        }
    }()

    public init(url: String, pool: ConnectionPool) {
        self.url = url
        self.pool = pool
    }

    /// Runs `body` with a database that is dropped afterwards.
    public static func run(limit: Int = 4, _ body: (TestSystem) async throws -> Void) async throws {
        try await TestDatabase.withDatabase(from: Self.template) { direct in
            let url = try await PgBouncer.current?.url(for: direct) ?? direct
            let pool = TestDatabase.pool(url, limit: limit)
            try await body(TestSystem(url: url, pool: pool))
            pool.close()
        }
    }

    /// Applies a configuration as `pinpost apply` does.
    @discardableResult
    public func apply(_ configuration: JSON, environment: [String: String] = [:]) async throws -> Configurator.Report {
        let file = try Configurator.read(
            try await self.withCountries(configuration).serialized(), environment: environment)
        return try await Configurator(store: self.store, masterKeys: Self.masterKeys).apply(file)
    }

    /// A new account that a test says nothing of sends everywhere, and is only watched: what the guard refuses is for its own tests
    /// to say.
    private func withCountries(_ configuration: JSON) async throws -> JSON {
        guard let accounts = configuration["accounts"]?.array, let members = configuration.members else {
            return configuration
        }
        let known = try await self.pool.query("SELECT name FROM accounts") { row throws(PostgresError) in
            try row.decode(0, as: String.self)
        }
        let allowed = accounts.map { account -> JSON in
            guard let members = account.members, let name = account["name"]?.string, !known.contains(name),
                account["countries"] == nil
            else { return account }
            let watch: [JSON.Member] = account["guard"] == nil ? [.init("guard", ["mode": "watch"])] : []
            return .object(members + [.init("countries", ["*": "on"])] + watch)
        }
        return .object(members.map { $0.name == "accounts" ? .init("accounts", .array(allowed)) : $0 })
    }

    /// The one number that a statement returns.
    public func count(_ statement: SQL) async throws -> Int {
        try await self.pool.query(statement) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }[0]
    }

    /// Looks again and again until a statement returns `count`.
    public func wait(for statement: SQL, is count: Int) async throws {
        while try await self.count(statement) != count { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// The state of a message as it stands in its row.
    public func states() async throws -> [String] {
        try await self.pool.query("SELECT state FROM messages ORDER BY id") { row throws(PostgresError) in
            try row.decode(0, as: String.self)
        }
    }

    /// Holds locks on tables for the time of `body`, from a connection of its own.
    public func locking(_ tables: String, _ body: () async throws -> Void) async throws {
        let pool = TestDatabase.pool(self.url, limit: 1)
        try await pool.withConnection { connection in
            try await connection.executeScript("BEGIN; LOCK TABLE \(tables) IN ACCESS EXCLUSIVE MODE")
            do {
                try await body()
            } catch {
                try await connection.executeScript("ROLLBACK")
                throw error
            }
            try await connection.executeScript("COMMIT")
        }
        pool.close()
    }

    /// Statements that wait for a lock in this database.
    public static let lockWaits: SQL =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
}

extension Store {
    /// Of the one lane that most tests have.
    @discardableResult
    public func apply(_ receipts: [IncomingReceipt]) async throws(PostgresError) -> ReceiptCounts {
        try await self.apply(receipts, lanes: [Lane(rawValue: 0)])
    }
}
