import JSON
import Polling
import Testing

/// `pinpost bench` as an operator runs it: that it goes through, with figures that say nothing in so short a time.
@Suite struct BenchCommandTests {
    @Test func flatMeasuresWithAndWithout() async throws {
        let result = try await Executable.run(
            [
                "bench", "--flat", "--seconds", "0.5", "--future", "2000", "--rows", "2100", "--minutes", "0.02",
                "--parts", "future,open", "--data", "/tmp",
            ], within: .seconds(150))
        #expect(result.status.isSuccess, "\(result.errorOutput)")
        let json = try JSON(parsing: Array(result.output.utf8))
        let lines = try #require(json["lines"]?.array)
        #expect(
            lines.compactMap { $0["name"]?.string } == [
                "claim_beside_future", "drain_beside_open_transaction",
            ])
        #expect(lines.allSatisfy { $0["figure"]?.isNull == false && $0["against"]?.isNull == false })
        #expect(json["costs"]?["drain"]?["processor_us"]?["postgres"]?.isNull == false)
        // The table is for people, and on another output.
        #expect(result.errorOutput.contains("What a message takes in each part:"))
    }

    @Test(arguments: [
        (["--minutes", "1"], "--minutes: belongs to --flat"),
        (["--flat", "--minutes", "0"], "no number from 0.01 to 1440"),
        (["--flat", "--rows", "many"], "no number from 1 to"),
        (["--flat", "--parts", "future,past"], "is no list of these"),
    ])
    func whatCannotBeIsSaidBeforeAnythingIsMade(_ options: [String], _ expected: String) async throws {
        let result = try await Executable.run(["bench"] + options)
        #expect(!result.status.isSuccess)
        #expect(result.errorOutput.contains(expected))
    }
}
