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

    /// A process that has just started knows of no code that was used before.
    @Test func nobodyIsJudgedByWhatTheOthersHaveNotTold() {
        var table = Table()
        var first = Watchman()
        var random = Seeded(11)
        let number = { (random: inout Seeded) in "+44740\(Int.random(in: 1_000_000...9_999_999, using: &random))" }
        for _ in 0..<200 {
            let number = number(&random)
            #expect(first.refusal(number) == nil)
            first.use(number)
        }
        while case let shares = first.state.takeShares(limit: 1000), !shares.isEmpty {
            first.state.giveBack(shares)
            table.exchange(&first)
        }
        var second = Watchman()
        second.state.exchangedAt = second.now
        // As many as come in a second to an account of this size, and more.
        for _ in 0..<100 { #expect(second.refusal(number(&random)) == nil) }
        table.exchange(&second)
        for _ in 0..<100 { #expect(second.refusal(number(&random)) == nil, "so many were used") }
        var reasons: Set<GuardReason> = []
        for _ in 0..<500 { if let reason = second.refusal(number(&random)) { reasons.insert(reason) } }
        #expect(reasons.contains(.pumpingScore))
        // Guarded countries are not waited for.
        var third = Watchman(["GB": .guarded])
        third.state.exchangedAt = third.now
        var refused = 0
        for _ in 0..<30 where third.refusal(number(&random)) != nil { refused += 1 }
        #expect(refused == 10)
    }

    @Test func aClockThatStepsBackForgetsNothing() {
        var watchman = Watchman()
        watchman.policy.accountPerDay = 5
        for _ in 0..<5 { #expect(watchman.refusal("+447400123456") == nil) }
        let midnight = Timestamp(seconds: (watchman.now.seconds / 86_400 + 1) * 86_400)
        watchman.now = midnight
        for _ in 0..<5 { #expect(watchman.refusal("+447500123456") == nil) }
        watchman.pass(.seconds(-1))
        #expect(watchman.refusal("+447500123456") == .velocityNumber)
        #expect(watchman.refusal("+447800123456") == .velocityAccount)
        watchman.pass(.seconds(2))
        #expect(watchman.refusal("+447800123456") == .velocityAccount)
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
        #expect(first.map(\.isDay) == [false, true] && first.allSatisfy(\.key.kind.isBroad))
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

    /// Whatever is counted of a number must be found again, however much it is.
    @Test func whatIsTooMuchToBePackedIsKeptAllTheSame() {
        var watchman = Watchman()
        let key = GuardKey(account: Watchman.account, kind: .block, value: "+44740012")
        for amount: Int64 in [1, 32_766, 1, 1 << 40, -(1 << 40), -5] {
            let before = watchman.state.count(key, at: watchman.now, \.short)
            watchman.state.add(GuardCount(sent: amount, used: amount), to: key, at: watchman.now)
            let after = watchman.state.count(key, at: watchman.now, \.short)
            #expect(after == before + GuardCount(sent: amount, used: amount))
            #expect(watchman.state.counters.count == 1)
        }
        #expect(watchman.state.takeShares(limit: 10).map(\.count.sent) == [32_763, 32_763])
    }

    /// Whoever guesses from addresses without end fills no memory either.
    @Test func guessesHaveNoMoreRoomThanNumbers() {
        #expect(
            GuardKind.allCases.filter { !$0.isBroad } == [
                .number, .everywhere, .block, .halfBlock, .address, .device, .guessAddress, .guessDevice,
            ])
    }

    /// What waits to be told is told once each, however often it was added to, and what is new each time again.
    @Test func eachCounterWaitsOnce() {
        var watchman = Watchman()
        for _ in 0..<4 { _ = watchman.refusal("+447400123456") }
        let told = watchman.state.takeShares(limit: 1000)
        let keys = Set(told.map(\.key))
        #expect(keys.contains { $0.kind == .number } && told.count == 2 * keys.count)
        #expect(told.filter { $0.key.kind == .number }.map(\.count.sent) == [4, 4])
        _ = watchman.refusal("+447400123456")
        #expect(Set(watchman.state.takeShares(limit: 1000).map(\.key)) == keys)
    }

    /// What nobody need be told of any more would stand in the way of what they must.
    @Test func whatHasPassedOrIsForgottenWaitsNoLonger() {
        var watchman = Watchman()
        for number in 0..<5 { for _ in 0..<3 { _ = watchman.refusal("+44740\(number)123456") } }
        #expect(!watchman.state.queue.isEmpty && !watchman.state.broadQueue.isEmpty)
        let first = watchman.state.queue[0]
        watchman.pass(.seconds(3 * 86_400))
        // Begins a new day, in which this is nothing to tell.
        watchman.state.add(GuardCount(), to: first, at: watchman.now)
        _ = watchman.state.takeShares(limit: 0)
        #expect(!watchman.state.queue.contains(first))
        watchman.state.add(GuardCount(sent: 9), to: first, at: watchman.now)
        #expect(watchman.state.queue.count { $0 == first } == 1)
        watchman.state.tidy(at: watchman.now)
        #expect(watchman.state.queue == [first] && watchman.state.broadQueue.isEmpty)
    }

    /// What is old goes before what is small, and what the others have yet to be told goes last.
    @Test func theOldGoFirstOnceTheyAreTold() {
        var watchman = Watchman()
        let key = { (number: Int) in GuardKey(account: Watchman.account, kind: .number, value: "\(number)") }
        let half = GuardState.counterLimit / 2
        for number in 0...half { watchman.state.add(GuardCount(sent: 9), to: key(number), at: watchman.now) }
        while !watchman.state.takeShares(limit: half).isEmpty {}
        watchman.state.add(GuardCount(sent: 1), to: key(0), at: watchman.now)
        watchman.pass(.seconds(7200))
        let young = key(half + 1)
        watchman.state.add(GuardCount(sent: 1), to: young, at: watchman.now)
        watchman.state.tidy(at: watchman.now)
        #expect(watchman.state.counters.count == 2)
        #expect(watchman.state.counters[young] != nil && watchman.state.counters[key(0)] != nil)
        #expect(!watchman.state.takeShares(limit: 10).contains { $0.key == young }, "one is nothing to tell")
    }

    @Test func noDescriptionShowsANumber() {
        let key = GuardKey(account: Watchman.account, kind: .number, value: "+447400123456")
        #expect(!"\(key) \(String(reflecting: key))".contains("7400123456"))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("7400123456"))
    }
}
