import JSON
import Polling
import Testing

/// `pinpost bench` as an operator runs it: that it goes through, with figures that say nothing in so short a time.
@Suite struct BenchCommandTests {
    @Test func everyLineIsMeasured() async throws {
        let result = try await Executable.run(
            ["bench", "--seconds", "0.5", "--data", "/tmp"], within: .seconds(150))
        #expect(result.status.isSuccess, "\(result.errorOutput)")
        let lines = try #require(try JSON(parsing: Array(result.output.utf8))["lines"]?.array)
        #expect(lines.count == 15)
        for line in lines { #expect(line["figure"]?.isNull == false, "\(line["name"]?.string ?? "")") }
        #expect(!result.errorOutput.contains("not measured"))
    }

    @Test func flatMeasuresWithAndWithout() async throws {
        let result = try await Executable.run(
            [
                "bench", "--flat", "--seconds", "0.5", "--future", "2000", "--rows", "2100", "--minutes", "0.02",
                "--data", "/tmp",
            ], within: .seconds(240))
        #expect(result.status.isSuccess, "\(result.errorOutput)")
        let json = try JSON(parsing: Array(result.output.utf8))
        let lines = try #require(json["lines"]?.array)
        #expect(
            lines.compactMap { $0["name"]?.string } == [
                "claim_beside_future", "drain_beside_open_transaction", "accept_beside_history", "drain_beside_history",
                "check_beside_history", "get_beside_history", "accept_while_dropping", "pickup_while_dropping",
                "accept_of_many", "drain_of_many", "memory_api", "memory_worker", "memory_receiver",
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
