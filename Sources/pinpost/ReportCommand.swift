import Messaging
import Polling
import Settings
import Store
import Timestamps

/// `pinpost report silent`: what all accounts' messages came to of which no receipt came.
enum ReportCommand {
    /// Providers and countries shown, the worst first.
    private static let countLimit: Int32 = 1000

    static func run(_ line: CommandLineArguments) async throws {
        guard line.positionals == ["silent"] else { throw Mistake(text: "there is one report: silent") }
        let days = try Self.number(line, "--days", in: 1...90) ?? 8
        let list = try Self.number(line, "--list", in: 1...10_000)
        let base = try ProcessBase(.report)
        guard let database = base.settings.database else { preconditionFailure("report has a database") }
        let store = Store(base.pool(database, role: "report", poller: try Poller.running()))
        try await MigrateCommand.requireUpToDate(store, database)
        let lanes = try await store.lanes()
        let now = Timestamp.now
        let filter = SilenceFilter(account: nil, from: now - .seconds(86_400 * days), until: now)
        Self.show(try await store.silenceCounts(lanes: lanes, filter: filter, limit: Self.countLimit))
        if let list { try await Self.list(list, filter, lanes, store) }
    }

    private static func show(_ counts: [SilenceCount]) {
        guard !counts.isEmpty else { return Console.say("No message is without a receipt.") }
        Console.say("provider channel country sent ended waiting")
        for count in counts {
            Console.say(
                "\(count.provider) \(count.channel.rawValue) \(count.country.isEmpty ? "-" : count.country) "
                    + "\(count.sent) \(count.ended) \(count.waiting)")
        }
    }

    /// A page may be short, or empty, and yet have a next one.
    private static func list(_ count: Int, _ filter: SilenceFilter, _ lanes: [Lane], _ store: Store) async throws {
        var (filter, left) = (filter, count)
        Console.say("\nmessage account provider channel country status accepted")
        repeat {
            var pages: [SilentPage] = []
            for lane in lanes {
                pages.append(try await store.silentMessages(lane: lane, filter: filter, limit: Int32(left)))
            }
            let page = SilentPage.merging(pages, limit: left)
            for message in page.messages { Self.show(message) }
            left -= page.messages.count
            filter.before = page.next
        } while left > 0 && filter.before != nil
    }

    private static func show(_ message: SilentEntry) {
        Console.say(
            "\(message.id) \(message.account) \(message.provider) \(message.channel.rawValue) "
                + "\(message.country.isEmpty ? "-" : message.country) \(message.hasEnded ? "ended" : "waiting") "
                + "\(message.acceptedAt)")
    }

    private static func number(
        _ line: CommandLineArguments, _ option: String, in range: ClosedRange<Int>
    ) throws -> Int? {
        guard let text = line.value(of: option) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Mistake(text: "\(option): must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    private struct Mistake: Error, CustomStringConvertible {
        var text: String
        var description: String { self.text }
    }
}
