import Glibc
import Testing
import Timestamps

@testable import Telemetry

struct ProcessMetricsTests {
    @Test func theStatusIsReadEvenWhenTheNameHoldsParentheses() {
        let text =
            "42 (a) b (c)) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 7 0 12345 1048576 10 18446744073709551615"
        let status = ProcessStatus(parsing: text, ticksPerSecond: 100, pageBytes: 4096)
        #expect(status?.cpuSeconds == 2)
        #expect(status?.threads == 7)
        #expect(status?.startSeconds == 123.45)
        #expect(status?.virtualBytes == 1_048_576)
        #expect(status?.residentBytes == 40960)
    }

    @Test(arguments: ["", "42 (a", "42 (a) S 1 2 3"]) func aBrokenStatusIsNone(text: String) {
        #expect(ProcessStatus(parsing: text, ticksPerSecond: 100, pageBytes: 4096) == nil)
    }

    @Test func thisProcessHasMemoryDescriptorsAndAStart() throws {
        let metrics = Metrics()
        metrics.observeProcess()
        let samples = metrics.render().split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ") }
        let values = Dictionary(uniqueKeysWithValues: samples.map { ($0[0], Double($0[1]) ?? -1) })
        #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(values["process_open_fds"]) >= 3)
        #expect(try #require(values["process_max_fds"]) >= 3)
        #expect(try #require(values["process_threads"]) >= 1)
        let start = try #require(values["process_start_time_seconds"])
        #expect(abs(start - Double(Timestamp.now.seconds)) < 3600)
    }
}
