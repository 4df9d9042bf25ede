import Configuration
import Crypto
import Egress
import Glibc
import Polling
import Postgres
import Settings
import Store
import Telemetry

/// `pinpost apply FILE.json`: makes accounts and what is theirs, providers and routes what the file says.
enum ApplyCommand {
    static func run(_ line: CommandLineArguments) async throws {
        let base = try ProcessBase(.apply)
        guard let database = base.settings.database, let masterKeys = base.settings.masterKeys else {
            preconditionFailure("apply has a database and a master key")
        }
        let file = try Self.read(line.positionals[0], egress: base.settings.egress)
        let store = Store(base.pool(database, role: "apply", poller: try Poller.running()))
        try await MigrateCommand.requireUpToDate(store, database)
        Self.show(try await Configurator(store: store, masterKeys: masterKeys).apply(file))
    }

    static func read(_ path: String, egress: EgressPolicy) throws -> ConfigurationFile {
        try Configurator.read(try Self.bytes(of: path), environment: ProcessBase.environment, egress: egress)
    }

    static func show(_ report: Configurator.Report) {
        for change in report.changes { Console.say(change) }
        if report.changes.isEmpty { Console.say("Nothing to change.") }
        for made in report.madeKeys {
            Console.say("The key \(made.name) of \(made.account), shown this once: \(made.key.text)")
        }
        for made in report.madeSecrets {
            Console.say(
                "The secret of the webhook \(made.webhook) of \(made.account), shown this once: \(made.secret.text)")
        }
    }

    /// Bytes that a file may have.
    private static let fileByteLimit = 16 << 20

    private static func bytes(of path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else {
            throw UnreadableFile(path: path, problem: String(cString: strerror(errno)))
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
            guard bytes.count <= Self.fileByteLimit else {
                throw UnreadableFile(path: path, problem: "larger than \(Self.fileByteLimit) bytes")
            }
        }
        guard ferror(file) == 0 else { throw UnreadableFile(path: path, problem: String(cString: strerror(errno))) }
        return bytes
    }

    private struct UnreadableFile: Error, CustomStringConvertible {
        var path: String
        var problem: String
        var description: String { "cannot read \(self.path): \(self.problem)" }
    }
}
