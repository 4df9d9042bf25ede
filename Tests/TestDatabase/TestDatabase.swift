public import Polling
public import Postgres
public import PostgresServer
import Synchronization

/// A fresh database for each test, on one private server for the whole test process.
///
/// The server is started by the first test that asks, without `fsync`, and stopped when the process exits. Tests may run
/// at the same time: each has a database of its own.
///
///     let migrated = TestDatabase.Template("migrated") { url in try await Migrations.apply(to: url) }
///
///     @Test func claims() async throws {
///         try await TestDatabase.withDatabase(from: migrated) { url in
///             let pool = TestDatabase.pool(url)
///             …
///         }
///     }
public enum TestDatabase {
    /// What databases are copied from: prepared once a process, which makes copies cheap (some 30 ms).
    public struct Template: Sendable {
        let name: String
        let prepare: @Sendable (_ url: String) async throws -> Void

        /// Templates of the same name are the same. `prepare` must leave no connection open.
        public init(_ name: String, prepare: @escaping @Sendable (_ url: String) async throws -> Void) {
            self.name = name
            self.prepare = prepare
        }

        /// As PostgreSQL comes.
        public static let empty = Template("empty") { _ in }
    }

    /// Runs `body` with the URL of a new database, which is dropped afterwards, whoever is still connected to it.
    public static func withDatabase<Value>(
        from template: Template = .empty, _ body: (_ url: String) async throws -> Value
    ) async throws -> Value {
        let server = try await TestServer.shared.value
        let name = try await server.makeDatabase(from: template)
        do {
            let value = try await body(server.postgres.url(database: name))
            try await server.dropDatabase(name)
            return value
        } catch {
            try? await server.dropDatabase(name)
            throw error
        }
    }

    /// As `withDatabase(from:)` with a template that only this call uses.
    public static func withDatabase<Value>(
        prepare: (_ url: String) async throws -> Void, _ body: (_ url: String) async throws -> Value
    ) async throws -> Value {
        try await self.withDatabase { url in
            try await prepare(url)
            return try await body(url)
        }
    }

    /// The server all of them are on. Other tests use it too, so it must be left running.
    public static var server: PostgresServer {
        get async throws { try await TestServer.shared.value.postgres }
    }

    /// A poller that runs, for whatever needs one.
    public static let poller: Poller = {
        do {
            let poller = try Poller()
            poller.start()
            return poller
        } catch {
            preconditionFailure("no poller: \(error)")
        }
    }()

    /// A pool of connections to `url`, patient: on a busy machine hundreds of tests begin at once.
    public static func pool(_ url: String, limit: Int = 4) -> ConnectionPool {
        let patience = Duration.seconds(300)
        let configuration = ConnectionPool.Configuration(
            url: url, limit: limit, connectTimeout: patience, acquireTimeout: patience, statementTimeout: patience
        )
        return ConnectionPool(configuration, poller: self.poller)
    }
}
