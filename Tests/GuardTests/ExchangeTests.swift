import Messaging
import Testing
import Timestamps

@testable import Guard

/// What several processes know together.
@Suite struct ExchangeTests {
    /// A table that all exchange with.
    private struct Table {
        private struct Place: Hashable {
            var key: GuardKey
            var isDay: Bool
            var index: Int64
        }

        private var counts: [Place: GuardCount] = [:]

        mutating func exchange(_ watchman: inout Watchman) {
            for share in watchman.state.takeShares(limit: 1000) {
                let place = Place(key: share.key, isDay: share.isDay, index: share.index)
                self.counts[place, default: GuardCount()] += share.count
                let before = Place(key: share.key, isDay: share.isDay, index: share.index - 1)
                watchman.state.learn(
                    .init(current: self.counts[place] ?? GuardCount(), previous: self.counts[before] ?? GuardCount()),
                    of: share)
            }
        }
    }

    @Test func togetherTheyLetPassWhatOneWouldAndWhatComesInBetween() {
        var table = Table()
        var watchmen = [Watchman(), Watchman(), Watchman()]
        var passed = 0
        for _ in 0..<20 {
            for index in watchmen.indices {
                if watchmen[index].refusal("+447400123456") == nil { passed += 1 }
                table.exchange(&watchmen[index])
            }
        }
        #expect((5...8).contains(passed), "\(passed)")
    }

    @Test func aProcessThatStartsAnewLearnsWhatWasBefore() {
        var table = Table()
        var first = Watchman()
        for _ in 0..<5 { #expect(first.refusal("+447400123456") == nil) }
        table.exchange(&first)
        var second = Watchman()
        for _ in 0..<2 { #expect(second.refusal("+447400123456") == nil) }
        table.exchange(&second)
        #expect(second.refusal("+447400123456") == .velocityNumber)
    }

    @Test func whatCouldNotBeToldIsToldTheNextTime() {
        var watchman = Watchman()
        for _ in 0..<3 { _ = watchman.refusal("+447400123456") }
        let shares = watchman.state.takeShares(limit: 1000)
        #expect(watchman.state.takeShares(limit: 1000).isEmpty)
        watchman.state.giveBack(shares)
        #expect(Set(watchman.state.takeShares(limit: 1000)) == Set(shares))
    }

    @Test func theLargestGoFirstAndTheRestTheNextTime() {
        var watchman = Watchman()
        for number in 0..<5 { for _ in 0...number { _ = watchman.refusal("+44740\(number)123456") } }
        let all = watchman.state.counters.count
        let first = watchman.state.takeShares(limit: 1)
        #expect(first.count == 1 && first[0].key.kind.isBroad)
        #expect(watchman.state.takeShares(limit: 10 * all).count > 5)
    }

    @Test func memoryIsBounded() {
        var watchman = Watchman()
        for number in 0..<GuardState.counterLimit {
            watchman.state.add(
                GuardCount(sent: 1), to: GuardKey(account: Watchman.account, kind: .number, value: "\(number)"),
                at: watchman.now)
        }
        let refused = GuardKey(account: Watchman.account, kind: .number, value: "+447400123456")
        watchman.state.add(GuardCount(sent: 1), to: refused, at: watchman.now)
        #expect(watchman.state.counters.count == GuardState.counterLimit)
        // What is counted of few things is counted all the same.
        let country = GuardKey(account: Watchman.account, kind: .country, value: "GB")
        watchman.state.add(GuardCount(sent: 1), to: country, at: watchman.now)
        #expect(watchman.state.counters[country] != nil)
        watchman.state.tidy(at: watchman.now)
        #expect(watchman.state.counters.count <= GuardState.counterLimit / 2)
        #expect(watchman.state.counters[country] != nil)
    }

    @Test func noDescriptionShowsANumber() {
        let key = GuardKey(account: Watchman.account, kind: .number, value: "+447400123456")
        #expect(!"\(key) \(String(reflecting: key))".contains("7400123456"))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("7400123456"))
    }
}
