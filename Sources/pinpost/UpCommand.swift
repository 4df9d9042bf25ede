import Carrier
import Configuration
import Crypto
import Delivery
import Glibc
import Lifecycle
import Messaging
import Polling
import Postgres
import PostgresServer
import Routing
import Settings
import Store
import Synchronization
import Telemetry

/// `pinpost up`: everything in one process, for trying it out and for developing against it.
struct UpCommand {
    private let api: Address
    private let receiver: Address
    private let carrier: Address
    private let operations: Address
    private let data: DataDirectory
    private let file: ConfigurationFile?
    private let base: ProcessBase

    init(_ line: CommandLineArguments) throws {
        self.base = try ProcessBase(.up)
        var problems: [String] = []
        self.api = Self.address(line, "api", 8080, &problems)
        self.receiver = Self.address(line, "receiver", 8081, &problems)
        self.carrier = Self.address(line, "carrier", 8082, &problems)
        self.operations = Self.address(line, "ops", 8083, &problems)
        guard problems.isEmpty else { throw SettingsProblems(problems: problems) }
        self.data = DataDirectory(path: line.value(of: "--data") ?? DataDirectory.standard())
        self.file = try line.value(of: "--apply").map { [egress = self.base.settings.egress] path in
            try ApplyCommand.read(path, egress: egress)
        }
    }

    func run() async throws {
        try self.data.make()
        guard var database = self.base.settings.database else { preconditionFailure("up has a database") }
        guard database.url.isEmpty else { return try await self.run(on: database) }
        let server = PostgresServer(directory: self.data.file("postgres"))
        Console.say("Starting a private PostgreSQL in \(self.data.path) …")
        try await server.start()
        database.url = server.url
        if database.listenURL != nil { database.listenURL = server.url }
        do {
            try await self.run(on: database)
        } catch {
            try? await server.stop(.fast)
            throw error
        }
        try await server.stop(.fast)
    }

    // MARK: - Private

    private func run(on database: ProcessSettings.DatabaseSettings) async throws {
        let poller = try Poller.running()
        let store = Store(self.base.pool(database, role: "up", poller: poller))
        _ = try await MigrateCommand.migrate(
            Store(self.base.pool(database, role: "migrate", poller: poller, timeout: .seconds(600))),
            from: database.migrations)
        let masterKeys = try self.data.masterKeys()
        let key = try self.data.apiKey()
        try await self.configure(Configurator(store: store, masterKeys: masterKeys), store: store, key: key)
        // There is nobody but this process to restart, so a key that was put in front is in use from here on.
        if masterKeys.ids.count > 1 {
            RotateCommand.show(try await Rotation(store: store, masterKeys: masterKeys).run())
        }
        try await self.serve(store, masterKeys: masterKeys, key: key, poller: poller, database: database)
    }

    /// Applies the file, then what a first message needs: an account with a key, the carrier as providers, a route for
    /// each channel that has none.
    private func configure(_ configurator: Configurator, store: Store, key: Secret) async throws {
        if let file = self.file { ApplyCommand.show(try await configurator.apply(file)) }
        let routed = Set(try await store.directory().routes.map(\.channel))
        let text = Simulation.configuration(
            key: key, carrier: "http://\(self.carrier)", routing: Channel.allCases.filter { !routed.contains($0) })
        _ = try await configurator.apply(try Configurator.read(text, environment: [:]))
    }

    private func serve(
        _ store: Store, masterKeys: MasterKeys, key: Secret, poller: Poller, database: ProcessSettings.DatabaseSettings
    ) async throws {
        let receiptURL = "http://\(self.receiver)"
        let listening = Listening(count: 3) { self.greet(key: key) }
        let carrier = try Role.carrier(
            self.base, Simulation.carrier(), listen: self.carrier, onListening: { _ in listening.arrive() })
        let (worker, delivery) = try await Role.worker(
            self.base, store: store, masterKeys: masterKeys, poller: poller, listenURL: database.listenURL,
            receiptURL: receiptURL)
        let receiver = try await Role.receiver(
            self.base, store: store, masterKeys: masterKeys, listen: self.receiver, receiptURL: receiptURL,
            onReady: { delivery.hint(of: $0) }, onListening: { _ in listening.arrive() })
        let api = try await Role.api(
            self.base, stores: APIStores(self.base, database, poller: poller), masterKeys: masterKeys, listen: self.api,
            onAccepted: { delivery.hint(of: .messages, in: [$0]) }, onListening: { _ in listening.arrive() })
        let roles = [carrier, receiver, worker, api]
        let operations = Operations(health: roles.flatMap(\.health), metrics: self.base.metrics)
        try await self.base.run(
            [operations.service(at: self.operations, logger: self.base.logger)] + roles.flatMap(\.services))
    }

    private func greet(key: Secret) {
        Console.say(
            """

            Pinpost is up.
              API         http://\(self.api)
              Receiver    http://\(self.receiver)
              Carrier     http://\(self.carrier)  (simulated: nothing leaves this machine)
              Operations  http://\(self.operations)/metrics
              API key     \(key.text)

            Send a message, and see what becomes of it:
              curl -s http://\(self.api)/v1/messages -H 'Authorization: Bearer \(key.text)' -H 'Content-Type: application/json' -d '{"to":"+41791234567","body":"Your code is 493817","priority":"otp"}'
              curl -s http://\(self.api)/v1/messages -H 'Authorization: Bearer \(key.text)'
              curl -s 'http://\(self.carrier)/inbox?to=+41791234567'

            Stop with Ctrl-C.
            """)
    }

    private static func address(
        _ line: CommandLineArguments, _ option: String, _ port: UInt16, _ problems: inout [String]
    ) -> Address {
        let fallback = Address(host: "127.0.0.1", port: port)
        guard let text = line.value(of: "--\(option)") else { return fallback }
        guard let address = Address(text), address.port > 0 else {
            problems.append("--\(option): \"\(text)\" is no ADDRESS:PORT, as in 127.0.0.1:\(port)")
            return fallback
        }
        return address
    }

    private struct SettingsProblems: Error, CustomStringConvertible {
        var problems: [String]
        var description: String { self.problems.joined(separator: "\n") }
    }
}

/// Calls back once when all that should listen do.
private final class Listening: Sendable {
    private let missing: Mutex<Int>
    private let done: @Sendable () -> Void

    init(count: Int, done: @escaping @Sendable () -> Void) {
        self.missing = Mutex(count)
        self.done = done
    }

    func arrive() {
        let isLast = self.missing.withLock { missing in
            missing -= 1
            return missing == 0
        }
        if isLast { self.done() }
    }
}
