import Glibc
import Intake
import Messaging
import Polling
import Settings
import Store

/// `pinpost erase`: takes recipients out of all that is kept.
enum EraseCommand {
    /// Recipients of one run, and bytes that they may come in.
    private static let recipientLimit = 1000
    private static let byteLimit = 1 << 19
    /// Erasures shown of one recipient.
    private static let findLimit: Int32 = 1000

    static func run(_ line: CommandLineArguments) async throws {
        let list = try Self.list(line)
        let recipients = list == nil ? try Self.recipients(in: Self.input()) : []
        let base = try ProcessBase(.erase)
        guard let database = base.settings.database, let masterKeys = base.settings.masterKeys else {
            preconditionFailure("erase has a database and a master key")
        }
        let store = Store(base.pool(database, role: "erase", poller: try Poller.running()))
        try await MigrateCommand.requireUpToDate(store, database)
        let eraser = Eraser(store: store, lanes: try await store.lanes(), masterKeys: masterKeys)
        if let list { return Self.show(try await eraser.erasures(of: nil, limit: list)) }
        if line.has("--find") { return try await Self.find(recipients, eraser) }
        try await Self.erase(recipients, account: line.value(of: "--account"), store, eraser)
    }

    /// The recipients that lines name; throws the number of the first line that names none, and never what it says.
    static func recipients(in text: String) throws -> [Recipient] {
        var recipients: [Recipient] = []
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let word = words.first.map(String.init) else { continue }
            guard words.count == 1, let recipient = Recipient(word, channel: .sms) ?? Recipient(word, channel: .email)
            else { throw Mistake(text: "line \(number + 1) is no number in E.164 and no mail address") }
            recipients.append(recipient)
        }
        guard !recipients.isEmpty else { throw Mistake(text: "standard input names nobody") }
        guard recipients.count <= Self.recipientLimit else {
            throw Mistake(text: "standard input names more than \(Self.recipientLimit) recipients")
        }
        return recipients
    }

    // MARK: - Private

    private static func erase(
        _ recipients: [Recipient], account: String?, _ store: Store, _ eraser: Eraser
    ) async throws {
        let accounts = try await store.accounts(named: account)
        guard account == nil || !accounts.isEmpty else { throw Mistake(text: "there is no such account") }
        let owner = account == nil ? nil : accounts.first
        var isUnderWay = false
        for (index, recipient) in recipients.enumerated() {
            let counts = try await eraser.erase(recipient, of: accounts, for: owner).counts
            // By its place: the terminal's scroll-back is no place for a number either.
            Console.say("recipient \(index + 1): \(Self.words(counts))")
            if counts.underWay > 0 { isUnderWay = true }
        }
        if isUnderWay { Console.say("What is under way is erased when this is run again after it has ended.") }
    }

    private static func find(_ recipients: [Recipient], _ eraser: Eraser) async throws {
        for (index, recipient) in recipients.enumerated() {
            let found = try await eraser.erasures(of: recipient, limit: Self.findLimit)
            Console.say("recipient \(index + 1): \(found.isEmpty ? "never erased" : "erased")")
            if !found.isEmpty { Self.show(found) }
        }
    }

    private static func show(_ erasures: [StoredErasure]) {
        guard !erasures.isEmpty else { return Console.say("Nobody was erased.") }
        for erasure in erasures {
            let account = erasure.account.map { "account \($0)" } ?? "all accounts"
            let end = erasure.endedAt.map { "\($0)" } ?? "not ended"
            Console.say(
                "\(erasure.id) \(erasure.begunAt) \(end) \(account), by \(erasure.key.map { "key \($0)" } ?? "operator"): "
                    + Self.words(erasure.counts))
        }
    }

    private static func words(_ counts: ErasureCounts) -> String {
        "\(counts.messages) messages, \(counts.verifications) verifications, \(counts.others) others erased; "
            + "\(counts.cancelled) cancelled; \(counts.underWay) under way"
    }

    private static func list(_ line: CommandLineArguments) throws -> Int32? {
        guard let text = line.value(of: "--list") else { return nil }
        guard let number = Int32(text), (1...1000).contains(number) else {
            throw Mistake(text: "--list: must be between 1 and 1000")
        }
        return number
    }

    private static func input() throws -> String {
        if isatty(STDIN_FILENO) == 1 { Console.tell("A number or an address a line; end with Ctrl-D.") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = read(STDIN_FILENO, &chunk, chunk.count), count > 0 {
            bytes += chunk[..<count]
            guard bytes.count <= Self.byteLimit else { throw Mistake(text: "standard input is too long") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Mistake(text: "standard input is not UTF-8")
        }
        return text
    }

    private struct Mistake: Error, CustomStringConvertible {
        var text: String
        var description: String { self.text }
    }
}
