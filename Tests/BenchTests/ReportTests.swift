import JSON
import Testing

@testable import Bench

struct ReportTests {
    private static func line(_ figure: Double?, _ against: Double?, _ expectation: Line.Expectation) -> Line {
        Line(name: "n", what: "w", unit: .perSecond, figure: figure, against: against, expectation: expectation)
    }

    @Test(arguments: [
        (Self.line(90, 100, .atLeast(0.9)), true), (Self.line(89, 100, .atLeast(0.9)), false),
        (Self.line(120, 100, .atMost(1.2)), true), (Self.line(121, 100, .atMost(1.2)), false),
        (Self.line(4.9, nil, .below(5)), true), (Self.line(5, nil, .below(5)), false),
        (Self.line(nil, 100, .atLeast(0.9)), nil), (Self.line(90, 0, .atLeast(0.9)), nil),
        (Self.line(nil, nil, .below(5)), nil),
    ])
    func whatIsExpectedIsHeldAgainstTheFigure(_ line: Line, _ expected: Bool?) {
        #expect(line.isReached == expected)
    }

    @Test func aLineSaysItAllInColumns() {
        #expect(
            Self.line(16_900.4, 21_000, .atLeast(0.9)).row == [
                "w", "16,900/s", "21,000/s", "0.80", "ratio >= 0.9", "NOT REACHED",
            ])
        var memory = Self.line(25.55, nil, .below(64))
        memory.unit = .mebibytes
        #expect(memory.row == ["w", "25.6 MiB", "", "", "< 64", "reached"])
        #expect(Self.line(nil, nil, .atMost(1.25)).row == ["w", "", "", "", "ratio <= 1.25", "not measured"])
    }

    @Test func columnsAreAsWideAsTheirWidestCell() {
        let table = TextTable(head: ["what", "n", ""], rows: [["a", "1,000", "yes"], ["longer", "2", ""]])
        #expect(table.text == "what        n  \n------  -----  ---\na       1,000  yes\nlonger      2  ")
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567.4, "-1,234,567"), (-0.4, "0"), (.infinity, "?"),
        (.nan, "?"),
    ])
    func numbersAreGrouped(_ value: Double, _ expected: String) {
        #expect(Quantity.grouped(value) == expected)
    }

    @Test(arguments: [(0.05, 1, "0.1"), (0.049, 2, "0.05"), (1.995, 1, "2.0"), (-0.001, 2, "0.00"), (-1.5, 1, "-1.5")])
    func decimalsKeepTheirZeros(_ value: Double, _ decimals: Int, _ expected: String) {
        #expect(Quantity.decimal(value, decimals) == expected)
    }

    @Test func theTableExplainsWhatIsNotReached() throws {
        let costs = CostMeter.Ledger()
        let cost = Cost(
            messages: 100, seconds: 1, cores: 2, processor: [.api: 1.9], machine: 1.9, walBytes: 100, transactions: 1,
            backends: [:])
        costs.record(cost, of: .drain)
        var short = Self.line(10, 100, .atLeast(0.9))
        short.what = "drained"
        short.cost = cost
        let report = Report(members: [.init("a", 1)], lines: [short, Self.line(1, nil, .below(5))], costs: costs)
        #expect(report.table.contains("\n  drained: processors full: api 19,000 us"))
        #expect(!report.table.contains("\n  w: "))
        #expect(report.table.contains("\n  drain: processors full"))
        #expect(report.json["a"]?.integer == 1)
        #expect(report.json["lines"]?[0]?["reached"]?.bool == false)
        #expect(report.json["costs"]?["drain"]?["wal_bytes"]?.integer == 1)
    }

    @Test func everyExpectationOfTheTableIsThere() {
        var figures = Figures()
        figures.verifyStart = 3000
        figures.verifyCheck = 6000
        let lines = figures.lines(CostMeter.Ledger())
        #expect(Set(lines.map(\.name)).count == 15)
        #expect(abs((lines.first { $0.name == "verification" }?.figure ?? 0) - 2000) < 1e-6)
    }

    @Test func memoryIsComparedAtBothEnds() {
        var trail = MemoryTrail()
        #expect(trail.ends(of: .api) == (nil, nil))
        trail.samples = (0..<200).map { [.api: $0 < 60 ? 10 : $0 < 140 ? 50 : 11] }
        #expect(trail.ends(of: .api) == (10, 11))
        trail.samples = [[.worker: 1], [.worker: 2], [.worker: 3], [.worker: 5]]
        #expect(trail.ends(of: .worker) == (1, 5))
    }
}
