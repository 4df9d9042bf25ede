import Glibc
import Messaging
import Polling
import Postgres
import PostgresServer
import Timestamps

/// Where the bench works: on a private PostgreSQL in a directory that is removed afterwards, or, on a server that there
/// is, in a database of its own that is dropped afterwards.
struct BenchDatabase {
    /// Of the database that holds the tables.
    let url: String
    /// For files of the bench, which only their owner may read; removed with the rest.
    let directory: String
    private let server: PostgresServer?
    private let admin: ConnectionPool?
    private let name: String
    let pool: ConnectionPool

    /// With `serverURL` nil, a private server whose data lie below `parent`. Throws with nothing left behind.
    static func make(serverURL: String?, parent: String, poller: Poller) async throws -> BenchDatabase {
        let directory = try Self.makeDirectory(in: parent)
        do {
            guard let serverURL else { return try await Self.makePrivate(directory, poller) }
            return try await Self.make(on: serverURL, directory, poller)
        } catch {
            try? await Self.remove(directory)
            throw error
        }
    }

    /// Empties the tables of messages, so that each phase begins as the one before it did, and has what is dirty written,
    /// so that no phase pays for the one before. Accounts, providers and workers stay.
    func reset() async throws {
        // The tables as wholes first: whoever looks at one takes them in this order too, and their parts in any.
        let tables = Self.filled.map { "ONLY \($0)" }.joined(separator: ", ")
        let parts = try await self.temporaryTables().joined(separator: ", ")
        let truncation = "LOCK TABLE \(tables) IN ACCESS EXCLUSIVE MODE; TRUNCATE \(parts)"
        try await self.truncate(truncation)
        // Asks for a right that a role on somebody else's server may not have; then the phases share their checkpoints.
        _ = try? await self.pool.withConnection { connection in
            try await connection.executeScript("CHECKPOINT", timeout: .seconds(60))
        }
    }

    /// Again when it stood in the way of a worker that looks at many tables at once, in an order of its own.
    private func truncate(_ script: String) async throws {
        for attempt in 1... {
            do {
                return try await self.pool.withConnection { connection in
                    try await connection.executeScript(script, timeout: .seconds(60))
                }
            } catch let error as PostgresError {
                guard case .server(let state, _, _) = error, state.category == "40", attempt < Self.truncationLimit
                else {
                    throw error
                }
            }
        }
    }

    private static let truncationLimit = 10

    /// Of messages that the phases have had accepted.
    private static let isNoHistory: SQL.Fragment =
        "id >= first_id_of((now() AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC' - interval '1 day')"

    /// What the phases fill: of tables that are parted by days, the parts from yesterday's on. A history that was made stays.
    private func temporaryTables() async throws -> [String] {
        try await self.pool.query(
            """
            SELECT coalesce(part.name, t.name) FROM unnest(\(Self.filled)) WITH ORDINALITY AS t (name, n)
            LEFT JOIN LATERAL (
                SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = t.name::regclass
            ) part ON true
            WHERE part.name IS NULL
               OR right(part.name, 8) >= to_char(now() AT TIME ZONE 'UTC' - interval '1 day', 'YYYYMMDD')
            ORDER BY t.n, part.name
            """
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
    }

    /// In the order in which idle workers and receivers look at them, so that none waits for the other in a circle.
    private static let filled = [
        "scheduled", "outbox", "messages", "attempts", "unmatched_receipts", "parts", "receipts", "idempotency_keys",
        "verifications", "recipient_limits", "recipient_failures", "application_sends", "events", "event_outbox",
        "event_attempts",
    ]

    /// Returns once no message is ready or in a worker's hands; throws when that takes more than half a minute. To be
    /// called before a reset while workers run: what they hold would be missing when they write it back.
    func waitUntilSettled() async throws {
        for _ in 0..<1000 {
            let left = try await self.pool.query("SELECT count(*) FROM (SELECT FROM outbox LIMIT 1) AS one") {
                row throws(PostgresError) in try row.decode(0, as: Int64.self)
            }
            if left == [0] { return }
            try await Task.sleep(for: .milliseconds(30))
        }
        throw BenchError("the queue was not empty half a minute after the last request")
    }

    /// PostgreSQL's own name for its version, as in `15.14`.
    func version() async throws -> String {
        try await self.pool.query("SELECT split_part(current_setting('server_version'), ' ', 1)") {
            row throws(PostgresError) in try row.decode(0, as: String.self)
        }[0]
    }

    /// How many messages have come to the state `delivered`.
    func delivered() async throws -> Int {
        try await self.pool.query("SELECT count(*) FROM messages WHERE state = 'delivered' AND \(Self.isNoHistory)") {
            row throws(PostgresError) in Int(try row.decode(0, as: Int64.self))
        }[0]
    }

    /// The account of the load.
    func account() async throws -> AccountID {
        try await self.pool.query("SELECT id FROM accounts WHERE name = 'bench'") { row throws(PostgresError) in
            AccountID(rawValue: try row.decode(0))
        }[0]
    }

    /// Returns once nothing is left to be told, for which every endpoint has to be switched off; throws when that takes more than
    /// half a minute.
    func waitUntilUntold() async throws {
        for _ in 0..<1000 {
            _ = try await self.pool.execute("UPDATE event_outbox SET due_at = now() WHERE due_at > now()")
            let left = try await self.pool.query("SELECT count(*) FROM (SELECT FROM event_outbox LIMIT 1) AS one") {
                row throws(PostgresError) in try row.decode(0, as: Int64.self)
            }
            if left == [0] { return }
            try await Task.sleep(for: .milliseconds(30))
        }
        throw BenchError("there was still something to be told half a minute after the last endpoint was gone")
    }

    /// When the messages to each recipient were accepted: the begin of the accepting transaction, by this machine's
    /// clock. The server's may differ; what it said in the middle of a round trip tells by how much.
    func acceptances() async throws -> [String: Timestamp] {
        let before = Timestamp.now
        let theirs = try await self.pool.query("SELECT clock_timestamp()") {
            row throws(PostgresError) in try row.decode(0, as: Timestamp.self)
        }[0]
        let ours = before + (Timestamp.now - before) / 2
        let rows = try await self.pool.query("SELECT recipient, accepted_at FROM messages WHERE \(Self.isNoHistory)") {
            row throws(PostgresError) in
            (try row.decode(0, as: String.self), try row.decode(1, as: Timestamp.self))
        }
        return Dictionary(rows.map { ($0, $1 + (ours - theirs)) }) { first, _ in first }
    }

    /// Removes all of it.
    func remove() async throws {
        self.pool.close()
        if let admin {
            try await admin.withConnection { [name] connection in
                try await connection.executeScript("DROP DATABASE \(name) WITH (FORCE)", timeout: .seconds(60))
            }
        }
        try await self.server?.stop(.immediate)
        try await Self.remove(self.directory)
    }

    /// `url` with another database. libpq takes the last of several, in both of its forms.
    static func url(_ url: String, database: String) -> String {
        let isURI = url.hasPrefix("postgresql://") || url.hasPrefix("postgres://")
        return url + (isURI ? (url.contains("?") ? "&" : "?") : " ") + "dbname=\(database)"
    }

    // MARK: - Private

    private static func makePrivate(_ directory: String, _ poller: Poller) async throws -> BenchDatabase {
        // PostgreSQL may run as another user than we do, so it gets a directory below one that it may enter.
        chmod(directory, 0o711)
        let server = try await Self.startServer("\(directory)/postgres")
        return BenchDatabase(
            url: server.url, directory: directory, server: server, admin: nil, name: "pinpost",
            pool: Self.pool(server.url, poller))
    }

    /// Statements can be counted where PostgreSQL has what it takes, which some systems have as a package of its own.
    private static func startServer(_ directory: String) async throws -> PostgresServer {
        let counting = PostgresServer(directory: directory, settings: StatementCount.settings)
        do {
            try await counting.start()
            return counting
        } catch {
            let server = PostgresServer(directory: directory)
            try await server.start()
            return server
        }
    }

    private static func make(
        on serverURL: String, _ directory: String, _ poller: Poller
    ) async throws -> BenchDatabase {
        // One bench may need several.
        let name = "pinpost_bench_\(getpid())_\(UInt16.random(in: .min ... .max))"
        let admin = Self.pool(serverURL, poller)
        try await admin.withConnection { connection in
            try await connection.executeScript("CREATE DATABASE \(name)", timeout: .seconds(60))
        }
        let url = Self.url(serverURL, database: name)
        return BenchDatabase(
            url: url, directory: directory, server: nil, admin: admin, name: name, pool: Self.pool(url, poller))
    }

    /// For the work, for looking on, and for whatever has to be done meanwhile.
    private static let connectionLimit = 5

    private static func pool(_ url: String, _ poller: Poller) -> ConnectionPool {
        ConnectionPool(
            ConnectionPool.Configuration(
                url: url, limit: Self.connectionLimit, statementTimeout: .seconds(60), applicationName: "pinpost-bench"),
            poller: poller)
    }

    private static func makeDirectory(in parent: String) throws -> String {
        var path = Array("\(parent)/pinpost-bench-XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { throw SystemError("cannot make a directory in \(parent)") }
        return String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func remove(_ directory: String) async throws {
        _ = try await ChildProcess.start("/bin/rm", ["-rf", "--", directory]).waitForExit()
    }
}
