import Synchronization
import Telemetry
import Testing
import Timestamps

/// Keeps what a logger writes.
private final class Page: Sendable {
    private let bytes = Mutex<[[UInt8]]>([])
    var lines: [String] { self.bytes.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }

    func logger(level: Logger.Level = .debug, format: Logger.Format = .text) -> Logger {
        Logger(
            label: "worker", level: level, format: format,
            now: { Timestamp(microseconds: 1_795_252_500_250_000) },
            write: { line in self.bytes.withLock { $0.append(line) } }
        )
    }
}

struct LoggerTests {
    private let page = Page()

    @Test func aLineIsTimeLevelLabelMessageAndFields() {
        self.page.logger().info("claimed", ["count": 12, "lane": 0])
        #expect(self.page.lines == ["2026-11-21T09:15:00.250Z info worker claimed count=12 lane=0\n"])
    }

    @Test func theJSONFormHoldsTheSame() {
        self.page.logger(format: .json).error("could not settle", ["error": "line\nbreak", "ok": false])
        #expect(
            self.page.lines == [
                #"{"time":"2026-11-21T09:15:00.250Z","level":"error","label":"worker","message":"could not settle","#
                    + #""error":"line\nbreak","ok":"false"}"# + "\n"
            ]
        )
    }

    @Test(arguments: [
        ("plain", "plain"), ("", #""""#), ("two words", #""two words""#), ("a=b", #""a=b""#),
        (#"say "hi""#, #""say \"hi\"""#), (#"back\slash"#, #""back\\slash""#), ("a\nb\r\t", #""a\nb\r\t""#),
        ("\u{1B}[31m", #""\u001b[31m""#), ("\u{85}\u{2028}", #""\u0085\u2028""#), ("grüezi", "grüezi"),
    ])
    func aValueCannotEndItsLineOrPassForAnotherField(value: String, written: String) {
        self.page.logger().debug("saw", ["value": value])
        #expect(self.page.lines == ["2026-11-21T09:15:00.250Z debug worker saw value=\(written)\n"])
    }

    @Test func aLongValueIsCut() {
        self.page.logger().info("saw", ["value": String(repeating: "x", count: 5000)])
        let line = self.page.lines[0]
        #expect(line.hasSuffix("xxx…\"\n"))
        #expect(line.utf8.count < 2200)
    }

    @Test func whatIsBelowTheLevelIsNeitherWrittenNorEvaluated() {
        let evaluations = Mutex(0)
        func count() -> Int {
            evaluations.withLock { $0 += 1 }
            return 1
        }
        let logger = self.page.logger(level: .warning)
        logger.debug("a", ["n": count()])
        logger.info("b", ["n": count()])
        logger.warning("c", ["n": count()])
        logger.error("d", ["n": count()])
        #expect(evaluations.withLock { $0 } == 2)
        #expect(self.page.lines.count == 2)
    }

    @Test func otherValuesHaveTheirSpelling() {
        struct Odd: Error, CustomStringConvertible { let description = "odd" }
        self.page.logger().labelled("api").info(
            "values",
            [
                "wait": Duration.microseconds(12345), "back": Duration.microseconds(-500), "none": Int?.none,
                "some": String?.some("x"), "error": Described(Odd()), "rate": 0.5,
            ]
        )
        #expect(
            self.page.lines == [
                "2026-11-21T09:15:00.250Z info api values wait=12.345ms back=-0.500ms none=none some=x error=odd rate=0.5\n"
            ]
        )
    }

    @Test(arguments: Logger.Level.allCases) func aLevelIsReadByItsName(level: Logger.Level) {
        #expect(Logger.Level(name: level.name) == level)
        #expect(Logger.Level(name: level.name.uppercased()) == nil)
    }
}
