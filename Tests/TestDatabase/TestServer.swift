import Glibc
import Polling
import Postgres
import PostgresServer
import Synchronization

/// The one server of a test process.
struct TestServer: Sendable {
    let postgres: PostgresServer
    private let admin: ConnectionPool

    /// A task, so that the first test starts it and the others wait. It lives as long as the process.
    static let shared = Task { try await TestServer.start() }

    func makeDatabase(from template: TestDatabase.Template) async throws -> String {
        let number = state.withLock { state in
            state.databases += 1
            return state.databases
        }
        try await self.make(template)
        try await self.run("CREATE DATABASE test_\(number) TEMPLATE \"template_\(template.name)\"")
        try await self.copySettings(from: "template_\(template.name)", to: "test_\(number)")
        return "test_\(number)"
    }

    func dropDatabase(_ name: String) async throws {
        try await self.run("DROP DATABASE \(name) WITH (FORCE)")
    }

    // MARK: - Private

    private func make(_ template: TestDatabase.Template) async throws {
        let task = state.withLock { state in
            if let task = state.templates[template.name] { return task }
            // A task, so that the first test prepares it and the others wait for the same.
            let task = Task {
                let name = "template_\(template.name)"
                try await self.run("CREATE DATABASE \"\(name)\"")
                try await template.prepare(self.postgres.url(database: name))
            }
            state.templates[template.name] = task
            return task
        }
        try await task.value
    }

    /// What `ALTER DATABASE … SET` has set, which a copy does not get.
    private func copySettings(from template: String, to database: String) async throws {
        try await self.run(
            """
            DO $$
            DECLARE setting text;
            BEGIN
                FOR setting IN
                    SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
                    WHERE d.datname = '\(template)'
                LOOP
                    EXECUTE format(
                        'ALTER DATABASE %I SET %s = %L', '\(database)', split_part(setting, '=', 1),
                        substr(setting, strpos(setting, '=') + 1));
                END LOOP;
            END $$
            """)
    }

    private func run(_ script: String) async throws {
        try await self.admin.withConnection { connection in
            try await connection.executeScript(script, timeout: .seconds(300))
        }
    }

    private static func start() async throws -> TestServer {
        try await removeAbandonedDirectories()
        let directory = "\(directoryPrefix)\(getpid())"
        let server = PostgresServer(
            directory: directory,
            settings: [
                "fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "autovacuum": "off",
                // As the migration sets them for a database, which copies of it do not inherit.
                "random_page_cost": "0.1", "jit": "off",
            ]
        )
        try await server.start()
        state.withLock { state in state.running = (server, directory) }
        atexit { stopAtExit() }
        return TestServer(
            postgres: server, admin: TestDatabase.pool(server.url(database: "postgres"), limit: 2)
        )
    }
}

// MARK: - Private

private struct State {
    var databases = 0
    var templates: [String: Task<Void, any Error>] = [:]
    var running: (server: PostgresServer, directory: String)?
}

private let state = Mutex(State())

/// Followed by the number of the process.
private let directoryPrefix = "/tmp/pinpost-test-"

/// A test process that was killed stops its server but leaves the directory.
private func removeAbandonedDirectories() async throws {
    guard let stream = opendir("/tmp") else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
            name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard name.hasPrefix("pinpost-test-"), let process = pid_t(name.dropFirst(13)) else { continue }
        if kill(process, 0) != 0 && errno == ESRCH { try await remove("/tmp/\(name)") }
    }
}

private func remove(_ directory: String) async throws {
    _ = try await ChildProcess.start("/bin/rm", ["-rf", "--", directory]).waitForExit()
}

/// Blocks the exiting thread until the server has ended and its directory is gone, for ten seconds at most.
private func stopAtExit() {
    guard let (server, directory) = state.withLock({ state in state.running }) else { return }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    let done = ends[1]
    // The loop below waits for it.
    Task.detached {
        try? await server.stop(.immediate)
        try? await remove(directory)
        close(done)
    }
    var descriptor = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
    poll(&descriptor, 1, 10_000)
}
