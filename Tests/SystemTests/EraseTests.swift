import Crypto
import Polling
import Postgres
import Store
import TestDatabase
import Testing

/// `pinpost erase` as an operator runs it.
@Suite struct EraseTests {
    private static let number = "+41790000077"

    private static func message(_ number: String, lane: Int16 = 0) -> SQL {
        """
        INSERT INTO messages (lane, id, account_id, provider_id, priority, channel, state, recipient, expires_at)
        SELECT \(lane), new_id(\(lane)), id, 1, 0, 'sms', 'delivered', \(number), now() FROM accounts
        """
    }

    @Test func whoStandardInputNamesIsErasedAndFoundAgain() async throws {
        try await TestDatabase.withDatabase { url in
            let settings = ["DATABASE_URL": url, "PINPOST_MASTER_KEY": MasterKeys.generate()]
            _ = try await Executable.run(["migrate"], environment: settings)
            let pool = TestDatabase.pool(url, limit: 1)
            _ = try await pool.execute("INSERT INTO accounts (name) VALUES ('acme'), ('other')")
            for number in [Self.number, "+41790000078"] { _ = try await pool.execute(Self.message(number)) }
            let runs = [
                (["--account", "acme"], "1 messages"), ([], "1 messages"), ([], "0 messages"), (["--find"], "erased"),
            ]
            for (options, words) in runs {
                let result = try await Executable.run(
                    ["erase"] + options, environment: settings, input: "\(Self.number)\n\n")
                #expect(result.status == .exited(0), "\(result.errorOutput)")
                #expect(result.output.contains("recipient 1: \(words)"), "\(result.output)")
                #expect(!(result.output + result.errorOutput).contains("790000077"))
            }
            let left = try await pool.query("SELECT DISTINCT recipient FROM messages ORDER BY 1") {
                row throws(PostgresError) in try row.decode(0, as: String.self)
            }
            #expect(left == ["+41790000078", Store.erasedRecipient])
            let list = try await Executable.run(["erase", "--list", "10"], environment: settings)
            let lines = list.output.split(separator: "\n")
            #expect(lines.count == 3 && lines.last?.contains("account acme, by operator: 1 messages") == true)
            let never = try await Executable.run(["erase", "--find"], environment: settings, input: "+41790000078")
            #expect(never.output == "recipient 1: never erased\n")
            pool.close()
        }
    }

    @Test func whatIsInOtherLanesIsErasedToo() async throws {
        try await TestDatabase.withDatabase { url in
            let settings = ["DATABASE_URL": url, "PINPOST_MASTER_KEY": MasterKeys.generate()]
            _ = try await Executable.run(["migrate", "--lanes", "3"], environment: settings)
            let pool = TestDatabase.pool(url, limit: 1)
            _ = try await pool.execute("INSERT INTO accounts (name) VALUES ('acme')")
            for lane in 0..<3 as Range<Int16> { _ = try await pool.execute(Self.message(Self.number, lane: lane)) }
            let result = try await Executable.run(["erase"], environment: settings, input: Self.number)
            #expect(result.output.contains("recipient 1: 3 messages"), "\(result.output)\(result.errorOutput)")
            let left = try await pool.query("SELECT count(*) FROM messages WHERE recipient = \(Self.number)") {
                row throws(PostgresError) in try row.decode(0, as: Int64.self)
            }
            #expect(left == [0])
            pool.close()
        }
    }

    @Test(arguments: ["", "0790000077\n", "+41790000077 +41790000078"])
    func whatIsNoRecipientIsRefusedAndNotRepeated(input: String) async throws {
        let settings = ["DATABASE_URL": "postgresql://nowhere", "PINPOST_MASTER_KEY": MasterKeys.generate()]
        let result = try await Executable.run(["erase"], environment: settings, input: input)
        #expect(result.status == .exited(1))
        #expect(!result.errorOutput.contains("790000077"))
    }
}
