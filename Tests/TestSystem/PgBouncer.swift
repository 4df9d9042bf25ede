import Glibc
import Polling
import PostgresServer
import TestDatabase
public import Testing

/// A PgBouncer in transaction mode in front of the tests' server, with fewer connections to each database than a test has
/// clients, so that the statements of one client meet different servers.
///
/// It is started by the first test that asks, and dies with the process.
struct PgBouncer: Sendable {
    /// In front of what the running test asks for; nil: nothing.
    @TaskLocal static var current: PgBouncer?

    /// A task, so that the first test starts it and the others wait.
    static let shared = Task { try await PgBouncer.start() }

    private let directory: String

    /// Where a database of the tests' server is found through it.
    func url(for direct: String) async throws -> String {
        let name = direct.drop { $0 != "?" }
        let path = direct.dropLast(name.count)
        let database = path.split(separator: "/").last.map(String.init) ?? ""
        return "postgresql://pinpost@/\(database)?host=\(self.directory)&port=\(Self.port)"
    }

    // MARK: - Private

    /// The number in the name of the socket.
    private static let port = 6432

    private static func start() async throws -> PgBouncer {
        let server = try await Self.server()
        // Beside the server's socket, so that it is removed with the server's directory.
        let directory = "\(server["host"] ?? "")/bouncer"
        mkdir(directory, 0o700)
        // PgBouncer refuses to run as root, as PostgreSQL does.
        let script = """
            cat > \(directory)/pgbouncer.ini
            if [ $(id -u) = 0 ]; then
                chown -R postgres \(directory)
                exec setpriv --reuid=postgres --regid=postgres --init-groups --pdeathsig=KILL -- \
                    /usr/sbin/pgbouncer \(directory)/pgbouncer.ini
            fi
            exec setpriv --pdeathsig=KILL -- /usr/sbin/pgbouncer \(directory)/pgbouncer.ini
            """
        let configuration = Self.configuration(of: server, directory: directory)
        let bouncer = try await ChildProcess.start(
            "/bin/sh", ["-c", script], input: Array(configuration.utf8), output: .captured(byteLimit: 65536),
            errorOutput: .captured(byteLimit: 65536))
        guard await bouncer.waitForLine(until: .now + .seconds(30), where: { $0.contains("process up") }) != nil else {
            throw NotStarted(log: String(decoding: bouncer.errorOutput, as: UTF8.self))
        }
        return PgBouncer(directory: directory)
    }

    private struct NotStarted: Error {
        var log: String
    }

    /// The parameters of the tests' server's URL: where its socket is.
    private static func server() async throws -> [String: String] {
        let parameters = try await TestDatabase.server.url.drop { $0 != "?" }.dropFirst().split(separator: "&")
        let pairs = parameters.map {
            $0.replacing("%2F", with: "/").split(separator: "=", maxSplits: 1).map(String.init)
        }
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") })
    }

    /// Every database of the tests' server, under its own name.
    private static func configuration(of server: [String: String], directory: String) -> String {
        let target = server.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        return """
            [databases]
            * = \(target) user=pinpost
            [pgbouncer]
            listen_addr =
            listen_port = \(Self.port)
            unix_socket_dir = \(directory)
            auth_type = any
            pool_mode = transaction
            default_pool_size = 3
            max_client_conn = 1000
            server_idle_timeout = 5
            """
    }
}

/// Runs each test of a suite twice: straight to PostgreSQL, and through PgBouncer in transaction mode.
public struct BothWays: SuiteTrait, TestTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await body() }
        try await body()
        let bouncer = try await PgBouncer.shared.value
        try await PgBouncer.$current.withValue(bouncer) { try await body() }
    }
}

extension Trait where Self == BothWays {
    public static var bothWays: BothWays { BothWays() }
}
