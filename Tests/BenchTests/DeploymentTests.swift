import Testing
import Timestamps

@testable import Bench

struct DeploymentTests {
    @Test func aMetricIsTheSumOfItsSeries() {
        let text = MetricsText(
            Array(
                """
                # HELP a_total What a is.
                # TYPE a_total counter
                a_total{kind="x y"} 3
                a_total{kind="z"} 4.5
                a_total_more 100
                b 2

                """.utf8))
        #expect(text.sum("a_total") == 7.5)
        #expect(text.sum("b") == 2)
        #expect(text.sum("c") == 0)
    }

    @Test func memoryIsReadAsMebibytes() {
        #expect(RoleProcess.memory("VmHWM", in: "Name:\tpinpost\nVmHWM:\t   20480 kB\nVmRSS:\t 1 kB\n") == 20)
        #expect(RoleProcess.memory("VmHWM", in: "Name:\tpinpost\n") == nil)
    }

    @Test(arguments: [
        ("postgresql://a@h/x", "postgresql://a@h/x?dbname=y"),
        ("postgres://h/x?host=/s", "postgres://h/x?host=/s&dbname=y"),
        ("host=/s dbname=x", "host=/s dbname=x dbname=y"),
    ])
    func aURLIsGivenAnotherDatabase(_ url: String, _ expected: String) {
        #expect(BenchDatabase.url(url, database: "y") == expected)
    }

    @Test func processorUseIsTheShareOfTicksThatAreNotIdle() throws {
        let before = try #require(ProcessorUse(parsing: "cpu  10 0 10 80 20 0 0 0 0 0\ncpu0 1 2 3\n"))
        let after = try #require(ProcessorUse(parsing: "cpu  30 5 15 120 30 5 5 10 7 7\n"))
        #expect(before == ProcessorUse(parsing: "cpu 10 0 10 80 20 0 0 0"))
        #expect(after.percent(since: before) == 50)
        #expect(after.stolen == 10)
        #expect(before.percent(since: before) == 0)
        #expect(ProcessorUse(parsing: "cpu0 1 2 3 4 5 6 7 8") == nil)
    }

    @Test func freePortsAreDifferent() throws {
        #expect(Set(try LocalSocket.freePorts(50)).count == 50)
    }

    @Test func theInboxIsReadLineByLine() throws {
        let inbox = """
            {"to":"+41791234567","from":"P","text":"t","channel":"sms","at":"2026-11-21T09:15:00.250Z"}
            {"to":"+41791234568","from":"P","text":"t","channel":"sms","at":"2026-11-21T09:15:00.251Z"}

            """
        let arrivals = try Measurements.arrivals(in: Array(inbox.utf8))
        #expect(arrivals.map(\.to) == ["+41791234567", "+41791234568"])
        let apart: Duration = arrivals[1].at - arrivals[0].at
        #expect(apart == .milliseconds(1))
        #expect(throws: (any Error).self) { try Measurements.arrivals(in: Array(#"{"to":1}"#.utf8)) }
    }
}
