import Configuration
import Polling
import Store

/// `pinpost rotate`: seals anew with the first master key, and tells which others are still needed.
enum RotateCommand {
    static func run() async throws {
        let base = try ProcessBase(.rotate)
        guard let database = base.settings.database, let masterKeys = base.settings.masterKeys else {
            preconditionFailure("rotate has a database and a master key")
        }
        let store = Store(base.pool(database, role: "rotate", poller: try Poller.running()))
        try await MigrateCommand.requireUpToDate(store, database)
        Self.show(try await Rotation(store: store, masterKeys: masterKeys).run())
    }

    static func show(_ report: Rotation.Report) {
        for line in report.lines { Console.say(line) }
    }
}
