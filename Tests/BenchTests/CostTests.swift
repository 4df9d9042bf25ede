import Testing

@testable import Bench

struct CostTests {
    /// A thousand messages in a second on two cores.
    private static func cost(
        _ processor: [Party: Double], others: Double = 0, stolen: Double = 0, _ backends: [String: Double] = [:]
    )
        -> Cost
    {
        Cost(
            messages: 1000, seconds: 1, cores: 2, processor: processor,
            machine: processor.values.reduce(0, +) + others + stolen, stolen: stolen, walBytes: 520_000,
            transactions: 20, backends: backends)
    }

    @Test(arguments: [
        (
            Self.cost([.api: 0.8, .postgres: 0.7, .load: 0.3, .worker: 0.1]),
            "processors full: api 800, postgres 700, load 300, worker 100 us a message; at most 1,053/s on 2 cores"
        ),
        (
            Self.cost([.api: 0.5, .postgres: 0.5], others: 0.9),
            "processors full, 45 % by other programs: api 500, postgres 500 us a message; at most 2,000/s on 2 cores"
        ),
        (
            Self.cost([.api: 0.5, .postgres: 0.5], others: 0.1, stolen: 0.8),
            "processors full, 5 % by other programs, 40 % by other virtual machines: "
                + "api 500, postgres 500 us a message; at most 2,000/s on 2 cores"
        ),
        (
            Self.cost([.api: 0.002, .load: 0.95, .postgres: 0.0123]),
            "the load generator's one thread is full: load 950, postgres 12, api 2.0 us a message; at most 2,074/s on 2 cores"
        ),
        (
            Self.cost([.worker: 0.2, .postgres: 0.2], ["WALSync": 1.5, "running": 0.4, "ClientRead": 0.01]),
            "processors 20 % busy, the rest is waiting: worker 200, postgres 200 us a message; at most 5,000/s on 2 cores; "
                + "PostgreSQL's backends on average: 1.5 WALSync, 0.40 running"
        ),
        (
            Self.cost([.api: 0.1]),
            "processors 5 % busy, the rest is waiting: api 100 us a message beside PostgreSQL, which runs elsewhere; "
                + "at most 20,000/s on 2 cores; PostgreSQL's backends were idle whenever looked at"
        ),
    ])
    func whatBoundsAPartFollowsFromWhatWasMeasured(_ cost: Cost, _ expected: String) {
        #expect(cost.bound == expected)
    }

    @Test func whatItWritesIsOfOneMessage() {
        #expect(Self.cost([:]).writes == "520 bytes of WAL, 0.02 writing transactions a message")
    }

    @Test func ofTwoPhasesEachCountsForOneMessage() {
        var second = Self.cost([.api: 0.4, .postgres: 0.8], ["running": 1])
        second.messages = 500
        let both = Cost.both(Self.cost([.api: 0.2, .postgres: 0.1], ["running": 4]), second)
        #expect(abs((both.microseconds(.api) ?? 0) - 1000) < 1e-6)
        #expect(abs((both.microseconds(.postgres) ?? 0) - 1700) < 1e-6)
        #expect(abs(both.seconds - 0.003) < 1e-12)
        #expect(abs(both.share - 0.45) < 1e-9)
        #expect(abs((both.backends["running"] ?? 0) - 2) < 1e-9)
    }

    @Test func theFastestOfSeveralTriesStays() {
        let ledger = CostMeter.Ledger()
        var slow = Self.cost([.api: 1])
        slow.messages = 10
        for cost in [slow, Self.cost([.api: 0.3]), slow] { ledger.record(cost, of: .drain) }
        #expect(ledger[.drain]?.messages == 1000)
        #expect(ledger[.get] == nil)
    }

    @Test func processorTimeIsReadWhateverAProcessCallsItself() throws {
        let text = "123 (a) b (c) R 7 1 1 0 -1 4194560 9 8 7 6 150 50 20 5 20 0 4 0 100 0 0\n"
        let time = try #require(ProcessTime(parsing: text))
        #expect(time.name == "a) b (c")
        #expect(time.parent == 7)
        #expect(time.own == 200)
        #expect(time.children == 25)
        #expect(ProcessTime(parsing: "123 (a) R 7 1") == nil)
        #expect(ProcessTime(parsing: "") == nil)
    }
}
