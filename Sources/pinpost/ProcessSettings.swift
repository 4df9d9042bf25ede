import Crypto
import Egress
import Glibc
import Messaging
import Settings
import Telemetry

/// The settings of a process, read from its environment. Every problem is told at once, before anything is done.
struct ProcessSettings {
    var log: LogSettings
    var database: DatabaseSettings?
    var masterKeys: MasterKeys?
    var listen: Address?
    var operations: Address
    var drainDeadline: Duration
    var lease: Duration
    var workerName: String
    /// Where providers reach the receiver; nil asks for no receipts with a message.
    var receiptURL: String?
    var lookUp: LookUp
    /// Where customers may have us call.
    var egress: EgressPolicy
    /// Whom to ask for the addresses of customers' hosts; none stands for the system's.
    var nameServers: [String]

    /// What numbers are looked up with before codes are sent to them.
    enum LookUp: String, CaseIterable { case offline, off }

    struct LogSettings {
        var level: Logger.Level
        var format: Logger.Format
    }

    struct DatabaseSettings {
        var url: String
        /// For LISTEN, which needs a connection past any pooler; nil goes without hints.
        var listenURL: String?
        var connections: Int
        var timeout: Duration
        /// The directory of the migrations; nil looks for it beside and above the program.
        var migrations: String?
    }

    enum Role: String, CaseIterable {
        case up, api, worker, receiver, carrier, migrate, apply, rotate, erase, report

        var defaultPort: UInt16? {
            switch self {
            case .api: 8080
            case .receiver: 8081
            case .carrier: 8082
            case .up, .worker, .migrate, .apply, .rotate, .erase, .report: nil
            }
        }

        var defaultOperationsPort: UInt16 {
            switch self {
            case .up, .api, .migrate, .apply, .rotate, .erase, .report: 8083
            case .worker: 8084
            case .receiver: 8085
            case .carrier: 8086
            }
        }

        var needsMasterKey: Bool { ![.carrier, .migrate, .up, .report].contains(self) }
        /// Takes customers' URLs in, or calls them.
        var judgesCallbacks: Bool { self == .up || self == .api || self == .worker || self == .apply }
        var servesForLong: Bool { ![.migrate, .apply, .rotate, .erase, .report].contains(self) }
    }

    static func read(_ role: Role, environment: [String: String]) throws(SettingsError) -> ProcessSettings {
        var reader = SettingsReader(environment: environment)
        let settings = Self(role, &reader)
        try reader.finish()
        return settings
    }

    /// What `pinpost ROLE --help` lists.
    static func documentation(of name: String) -> [SettingDocumentation] {
        guard let role = Role(rawValue: name) else { return [] }
        var reader = SettingsReader(environment: [:])
        _ = Self(role, &reader)
        return reader.documentation
    }

    // MARK: - Private

    private init(_ role: Role, _ reader: inout SettingsReader) {
        self.database = role == .carrier ? nil : DatabaseSettings(role, &reader)
        self.masterKeys = role.needsMasterKey ? Self.masterKeys(&reader) : nil
        self.listen = role.defaultPort.map { port in
            reader.address(
                "PINPOST_LISTEN", default: Address(host: "127.0.0.1", port: port), help: "Where this process listens.")
        }
        self.operations = Address(host: "127.0.0.1", port: role.defaultOperationsPort)
        if role.servesForLong, role != .up {
            self.operations = reader.address(
                "PINPOST_OPS_LISTEN", default: self.operations, help: "Where /healthz, /readyz and /metrics are.")
        }
        self.receiptURL = role == .worker || role == .receiver ? Self.receiptURL(&reader) : nil
        self.lookUp =
            role != .api && role != .up
            ? .off
            : reader.choice(
                "PINPOST_NUMBER_LOOK_UP", default: LookUp.offline,
                help: "How numbers are looked up before codes are sent: offline, in the numbering plans, or not at all."
            )
        let isWorker = role == .worker || role == .up
        // With a private database `up` is somebody's own machine, and so are the endpoints they try it with.
        let isPrivate = role == .up && self.database?.url.isEmpty == true
        self.egress = role.judgesCallbacks ? Self.egress(isPrivate: isPrivate, &reader) : EgressPolicy()
        self.nameServers = isWorker ? Self.nameServers(&reader) : []
        self.lease =
            !isWorker
            ? .seconds(15)
            : reader.duration(
                "PINPOST_LEASE", default: .seconds(15), in: .seconds(2)...(.seconds(300)),
                help: "After so much silence a worker's messages are given to others.")
        self.workerName =
            !isWorker
            ? ""
            : reader.string(
                "PINPOST_WORKER_NAME", default: Self.hostName, help: "How this worker is called in the workers table.")
        self.drainDeadline =
            !role.servesForLong
            ? .seconds(15)
            : reader.duration(
                "PINPOST_DRAIN_DEADLINE", default: .seconds(15), in: .seconds(0)...(.seconds(600)),
                help: "How long work under way may take to end after SIGTERM.")
        self.log = LogSettings(
            level: reader.choice("PINPOST_LOG_LEVEL", default: LogLevel.info, help: "The least that is logged.").level,
            format: reader.choice("PINPOST_LOG_FORMAT", default: Logger.Format.text, help: "How log lines look."))
    }

    private static func masterKeys(_ reader: inout SettingsReader) -> MasterKeys? {
        let text = reader.secret(
            "PINPOST_MASTER_KEY",
            help: "Seals message bodies, codes and credentials: ID:BASE64 with 32 bytes, as made by "
                + "`echo 1:$(head -c 32 /dev/urandom | base64)`; of several, parted by commas, the first seals.")
        guard !text.isEmpty else { return nil }
        do throws(MasterKeysError) {
            return try MasterKeys(parsing: text.text)
        } catch {
            reader.note("PINPOST_MASTER_KEY: \(error)")
            return nil
        }
    }

    private static func receiptURL(_ reader: inout SettingsReader) -> String? {
        let help =
            "Where providers reach the receiver, as in https://receipts.example.com; without it none are asked for, "
            + "and those whose signature covers their address are refused."
        guard var url = reader.optionalString("PINPOST_RECEIPT_URL", help: help) else { return nil }
        while url.hasSuffix("/") { url.removeLast() }
        if !url.hasPrefix("https://"), !url.hasPrefix("http://") {
            reader.note("PINPOST_RECEIPT_URL: must begin with https:// or http://")
        }
        return url
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private enum LogLevel: String, CaseIterable {
        case debug, info, warning, error

        var level: Logger.Level { Logger.Level(name: self.rawValue)! }  // The same four names.
    }
}

extension ProcessSettings.DatabaseSettings {
    private static func connectionsHelp(_ role: ProcessSettings.Role) -> String {
        let division = "up to 7 to accept and check, 1 to watch the configuration, the rest to read"
        return switch role {
        case .api: "Connections to PostgreSQL at most: \(division)."
        case .up: "Connections to PostgreSQL at most for the API (\(division)), and as many for all else."
        default: "Connections to PostgreSQL at most."
        }
    }

    fileprivate init(_ role: ProcessSettings.Role, _ reader: inout SettingsReader) {
        let help = "PostgreSQL, as in postgresql://pinpost@db.example.com/pinpost?sslmode=verify-full"
        self.url =
            role == .up
            ? reader.optionalString("DATABASE_URL", help: "\(help); without it, a private one.") ?? ""
            : reader.string("DATABASE_URL", help: help)
        self.listenURL = nil
        if role == .worker || role == .up {
            let url = reader.optionalString(
                "DATABASE_LISTEN_URL",
                help: "A connection past any pooler, for LISTEN; DATABASE_URL when not given, `off` to only poll.")
            self.listenURL = url == "off" ? nil : url ?? self.url
        }
        self.connections =
            !role.servesForLong
            ? 2
            : reader.integer(
                "PINPOST_DATABASE_CONNECTIONS", default: role == .api || role == .up ? 12 : 8, in: 3...200,
                help: Self.connectionsHelp(role))
        self.timeout =
            !role.servesForLong
            ? .seconds(600)
            : reader.duration(
                "PINPOST_DATABASE_TIMEOUT", default: role == .api ? .milliseconds(1800) : .seconds(10),
                in: .milliseconds(100)...(.seconds(600)), help: "How long one statement may take.")
        self.migrations = reader.optionalString(
            "PINPOST_MIGRATIONS",
            help: "The directory of the SQL files; when not given, it is looked for beside and above the program.")
    }
}
