import Messaging
import Testing
import Timestamps

@testable import Guard

@Suite struct GuessTests {
    private func judge(_ watchman: inout Watchman, _ caller: GuardCaller) -> GuardReason? {
        watchman.state.judgeGuess(of: Watchman.account, caller, watchman.policy, at: watchman.now)?.reason
    }

    @Test func anAddressHasSoManyWrongGuessesAndThenNoCodesEither() {
        var watchman = Watchman()
        let caller = GuardCaller(address: "192.0.2.1")
        for _ in 0..<10 {
            #expect(self.judge(&watchman, caller) == nil)
            watchman.state.guessed(isRight: false, of: Watchman.account, caller, at: watchman.now)
        }
        #expect(self.judge(&watchman, caller) == .wrongGuesses)
        #expect(watchman.refusal("+447400123456", caller: caller) == .wrongGuesses)
        #expect(self.judge(&watchman, GuardCaller(address: "192.0.2.2")) == nil)
    }

    @Test func whenMostAreWrongEachPlaceHasTwoAndWhoeverIsRightGoesOn() {
        var watchman = Watchman()
        for place in 0..<60 {
            let caller = GuardCaller(address: "192.0.2.\(place)")
            watchman.state.guessed(isRight: false, of: Watchman.account, caller, at: watchman.now)
        }
        let spraying = GuardCaller(address: "198.51.100.1")
        for _ in 0..<2 {
            #expect(self.judge(&watchman, spraying) == nil)
            watchman.state.guessed(isRight: false, of: Watchman.account, spraying, at: watchman.now)
        }
        #expect(self.judge(&watchman, spraying) == .wrongGuesses)
        let typing = GuardCaller(address: "198.51.100.2")
        for isRight in [false, true] {
            #expect(self.judge(&watchman, typing) == nil)
            watchman.state.guessed(isRight: isRight, of: Watchman.account, typing, at: watchman.now)
        }
        watchman.pass(.seconds(7200))
        #expect(self.judge(&watchman, spraying) == nil)
    }

    /// A place for each guess, and wrong ones that are few among so many.
    @Test func placesThatAreNewShareWhatIsLeftInAnAlarm() {
        var watchman = Watchman()
        let known = GuardCaller(device: "known")
        for _ in 0..<1000 { watchman.state.guessed(isRight: true, of: Watchman.account, known, at: watchman.now) }
        for typo in 0..<50 {
            watchman.state.guessed(
                isRight: false, of: Watchman.account, GuardCaller(device: "typo \(typo)"), at: watchman.now)
        }
        watchman.pass(.seconds(86_400))
        for _ in 0..<400 { watchman.state.guessed(isRight: true, of: Watchman.account, known, at: watchman.now) }
        var evaluated = 0
        for place in 0..<5000 {
            let caller = GuardCaller(address: "\(place)", device: "device \(place)")
            guard self.judge(&watchman, caller) == nil else { continue }
            evaluated += 1
            watchman.state.guessed(isRight: false, of: Watchman.account, caller, at: watchman.now)
        }
        #expect((150...250).contains(evaluated), "\(evaluated)")
        #expect(self.judge(&watchman, known) == nil)
        watchman.pass(.seconds(7200))
        #expect(self.judge(&watchman, GuardCaller(device: "new")) == nil)
    }

    @Test func whatComesFromNobodyKnowsWhereIsStoppedTogether() {
        var watchman = Watchman()
        for _ in 0..<50 {
            watchman.state.guessed(isRight: false, of: Watchman.account, GuardCaller(), at: watchman.now)
        }
        #expect(self.judge(&watchman, GuardCaller()) == .wrongGuesses)
        #expect(self.judge(&watchman, GuardCaller(device: "d")) == nil)
        for _ in 0..<50 { watchman.state.guessed(isRight: true, of: Watchman.account, GuardCaller(), at: watchman.now) }
        #expect(self.judge(&watchman, GuardCaller()) == nil)
    }
}
