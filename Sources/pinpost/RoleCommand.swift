import Carrier
import Crypto
import Delivery
import Lifecycle
import Messaging
import Polling
import Postgres
import Settings
import Store
import Telemetry

/// One role in a process of its own: `pinpost api`, `worker`, `receiver`, `carrier`.
enum RoleCommand {
    static func api() async throws {
        let (base, database, poller) = try Self.begin(.api)
        let stores = APIStores(base, database, poller: poller)
        try await MigrateCommand.requireUpToDate(stores.watch, database)
        let role = try await Role.api(
            base, stores: stores, masterKeys: try Self.masterKeys(base), listen: try Self.listen(base))
        try await Self.run([role], base)
    }

    static func worker() async throws {
        let (base, store, poller) = try await Self.start(.worker)
        let (role, _) = try await Role.worker(
            base, store: store, masterKeys: try Self.masterKeys(base), poller: poller,
            listenURL: base.settings.database?.listenURL, receiptURL: base.settings.receiptURL)
        try await Self.run([role], base)
    }

    static func receiver() async throws {
        let (base, store, _) = try await Self.start(.receiver)
        let role = try await Role.receiver(
            base, store: store, masterKeys: try Self.masterKeys(base), listen: try Self.listen(base),
            receiptURL: base.settings.receiptURL)
        try await Self.run([role], base)
    }

    static func carrier() async throws {
        let base = try ProcessBase(.carrier)
        let role = try Role.carrier(base, CarrierSettings.read(ProcessBase.environment), listen: try Self.listen(base))
        try await Self.run([role], base)
    }

    // MARK: - Private

    /// Connects, and refuses to work on tables that are not those of this version.
    private static func start(_ role: ProcessSettings.Role) async throws -> (ProcessBase, Store, Poller) {
        let (base, database, poller) = try Self.begin(role)
        let store = Store(base.pool(database, role: role.rawValue, poller: poller))
        try await MigrateCommand.requireUpToDate(store, database)
        return (base, store, poller)
    }

    private static func begin(
        _ role: ProcessSettings.Role
    ) throws -> (ProcessBase, ProcessSettings.DatabaseSettings, Poller) {
        let base = try ProcessBase(role)
        guard let database = base.settings.database else { preconditionFailure("\(role) has a database") }
        return (base, database, try Poller.running())
    }

    private static func masterKeys(_ base: ProcessBase) throws -> MasterKeys {
        guard let keys = base.settings.masterKeys else {
            preconditionFailure("the settings were read with a master key")
        }
        return keys
    }

    private static func listen(_ base: ProcessBase) throws -> Address {
        guard let address = base.settings.listen else { preconditionFailure("the settings were read with an address") }
        return address
    }

    private static func run(_ roles: [Role], _ base: ProcessBase) async throws {
        let operations = Operations(health: roles.flatMap(\.health), metrics: base.metrics)
        try await base.run(
            [operations.service(at: base.settings.operations, logger: base.logger)] + roles.flatMap(\.services))
    }
}
