import Messaging
import PhoneNumbers
import Testing
import Timestamps

@testable import Guard

/// What is refused, in the order in which it is looked at.
@Suite struct JudgementTests {
    @Test(
        arguments: [
            ("+447400123456", nil), ("+41900123456", .numberType), ("+41840123456", .numberType),
            ("+447640123456", .numberType), ("+1234567", .numberImpossible), ("+999123456789", .numberImpossible),
            ("+4930123456", .countryOff), ("+80012345678", .countryOff), ("+12015550123", nil),
        ] as [(String, GuardReason?)])
    func typesAndCountriesAreLookedAtFirst(number: String, reason: GuardReason?) {
        var watchman = Watchman(["GB": .on, "CH": .guarded, "US": .on])
        for isCode in [true, false] { #expect(watchman.refusal(number, isCode: isCode) == reason) }
        watchman.policy.mode = .watch
        // What the operator has said holds for accounts that are only watched, too; numbers are judged by the plans first.
        #expect((watchman.refusal(number) == .countryOff) == (reason == .countryOff || reason == .numberImpossible))
    }

    @Test func anAccountOfWhichNothingIsSaidSendsNowhere() {
        var watchman = Watchman([:])
        #expect(watchman.refusal("+447400123456") == .countryOff)
        #expect(watchman.refusal("+447400123456", isCode: false) == .countryOff)
    }

    @Test func aPrefixThatTheOperatorNamesGoesBeforeItsCountryAndThePlans() {
        var watchman = Watchman(["*": .on, "+999": .on, "+4479": .off, "+44791": .on])
        #expect(watchman.refusal("+9990000004") == nil)
        #expect(watchman.refusal("+447400123456") == nil)
        #expect(watchman.refusal("+447900123456") == .countryOff)
        #expect(watchman.refusal("+447911123456") == nil)
    }

    /// A prefix has a word of its own, and is in its country all the same.
    @Test func aPrefixIsStillInItsCountry() {
        var watchman = Watchman(["*": .on, "+4474": .on, "+999": .on, "+4190": .on])
        #expect(watchman.refusal("+41900123456") == .numberType, "the plan knows it")
        watchman.policy.spend = ["GB": .init(hard: Money("0.10"))]
        for number in ["+447400123456", "+447800123456"] { #expect(watchman.refusal(number) == nil) }
        #expect(watchman.refusal("+447400123457") == .spendCap)
        watchman.policy.spend = [:]
        watchman.state.blocks = GuardBlocks([GuardBlock(account: nil, scope: .country, value: "GB", until: nil)])
        #expect(watchman.refusal("+447400123457") == .blocked)
    }

    @Test func allCountriesTogetherHaveACap() {
        var watchman = Watchman()
        watchman.policy.spendInAll = .init(soft: Money("0.10"), hard: Money("0.15"))
        #expect(!watchman.judge(Watchman.send("+447400123456")).softCapReached)
        #expect(watchman.judge(Watchman.send("+41791234567")).softCapReached)
        #expect(watchman.refusal("+4915123456789") == nil)
        #expect(watchman.refusal("+12015550123") == .spendCap)
    }

    @Test func allCountriesTogetherAreHeldBackAndNothingIsBlocked() {
        var watchman = Watchman()
        let places = ["+44791", "+4179", "+491512", "+39347", "+3361", "+3461"]
        var verdicts: [GuardVerdict] = []
        for number in 0..<240 {
            let phone = "\(places[number % places.count])\(1_000_000 + number * 20_011)"
            verdicts.append(watchman.judge(Watchman.send(phone)))
        }
        let refused = verdicts.compactMap(\.refusal)
        #expect(Set(refused.map(\.reason)) == [.pumpingScore] && refused.count == 60)
        #expect(refused.allSatisfy { $0.isLimit })
        #expect(verdicts.allSatisfy { $0.block == nil })
    }

    @Test func aNumberGetsSoManyAndNoMore() {
        var watchman = Watchman()
        for _ in 0..<5 { #expect(watchman.refusal("+447400123456") == nil) }
        let verdict = watchman.judge(Watchman.send("+447400123456"))
        #expect(verdict.refusal?.reason == .velocityNumber)
        #expect(verdict.refusal?.retryAfter ?? .zero > .zero)
        #expect(watchman.refusal("+447400999999") == nil)
        // What is no code has no such limit.
        #expect(watchman.refusal("+447400123456", isCode: false) == nil)
        watchman.pass(.seconds(1200))
        for _ in 0..<5 { #expect(watchman.refusal("+447400123456") == nil) }
        watchman.pass(.seconds(1200))
        #expect(watchman.refusal("+447400123456") == .velocityNumber, "ten a day")
    }

    @Test func neighboursOfWhichNobodyUsesHisAreBlockedAndTheBlockHolds() throws {
        var watchman = Watchman()
        var reasons: [GuardReason?] = []
        for number in 0..<20 { reasons.append(watchman.refusal("+4474001234\(10 + number)")) }
        let first = try #require(reasons.firstIndex(of: .velocityBlock))
        #expect(first <= 5, "neighbours count twice")
        #expect(reasons[(first + 1)...].allSatisfy { $0 == .blocked })
        #expect(watchman.refusal("+447400129999") == nil, "another thousand")
        watchman.pass(.seconds(901))
        #expect(watchman.refusal("+447400123477") == nil)
    }

    @Test func neighboursWhoUseTheirsAreNot() {
        var watchman = Watchman()
        var random = Seeded(7)
        for _ in 0..<500 {
            let number = "+44740012\(Int.random(in: 1000...9999, using: &random))"
            #expect(watchman.refusal(number) == nil)
            if Int.random(in: 0..<10, using: &random) < 8 { watchman.use(number) }
            watchman.pass(.seconds(60))
        }
    }

    @Test func anAddressAndADeviceHaveSoMany() {
        for caller in [GuardCaller(address: "192.0.2.1"), GuardCaller(device: "d")] {
            var watchman = Watchman()
            for number in 0..<5 { #expect(watchman.refusal("+44740\(number)123456", caller: caller) == nil) }
            let reason: GuardReason = caller.address == nil ? .velocityDevice : .velocityAddress
            #expect(watchman.refusal("+447409123456", caller: caller) == reason)
            #expect(watchman.refusal("+447409123456") == nil)
        }
    }

    @Test func aGuardedCountryIsHeldToWhatItGotBefore() {
        var watchman = Watchman(["GB": .guarded])
        var random = Seeded(3)
        var passed = 0
        for _ in 0..<100 {
            let number =
                "+447\(Int.random(in: 400...499, using: &random))\(Int.random(in: 100_000...999_999, using: &random))"
            if watchman.refusal(number) == nil { passed += 1 }
            watchman.use(number)
        }
        #expect(passed == 20)
    }

    @Test func aGuardedCountryIsOffWhileNothingIsKnownForCertain() {
        var watchman = Watchman(["GB": .guarded, "CH": .on])
        watchman.state.exchangedAt = watchman.now
        #expect(watchman.refusal("+447400123456") == nil)
        watchman.pass(.seconds(31))
        #expect(watchman.refusal("+447400123456") == .signalsMissing)
        #expect(watchman.refusal("+41791234567") == nil)
    }

    @Test func moneyIsCappedByCountryAndDayAndCallsApart() {
        var watchman = Watchman()
        watchman.policy.spend = ["GB": .init(soft: Money("1"), hard: Money("2"), voiceHard: Money("0.5"))]
        var soft = 0
        for number in 0..<40 {
            let verdict = watchman.judge(Watchman.send("+4474\(number + 10)123456", isCode: false))
            #expect(verdict.refusal == nil)
            if verdict.softCapReached { soft += 1 }
        }
        #expect(soft == 1)
        let verdict = watchman.judge(Watchman.send("+447400123456", isCode: false))
        #expect(verdict.refusal?.reason == .spendCap)
        #expect(verdict.refusal?.retryAfter ?? .zero <= .seconds(86_400))
        #expect(watchman.refusal("+41791234567", isCode: false) == nil)
        for _ in 0..<2 {
            #expect(watchman.refusal("+447400123456", channel: .voice, isCode: false, cost: "0.25") == nil)
        }
        #expect(watchman.refusal("+447400123456", channel: .voice, isCode: false, cost: "0.25") == .spendCap)
        watchman.pass(.seconds(86_400))
        #expect(watchman.refusal("+447400123456", isCode: false) == nil)
    }

    @Test func aSoftCapHasTheCountryGuarded() {
        var watchman = Watchman()
        watchman.policy.spend = ["GB": .init(soft: Money("1"))]
        var random = Seeded(5)
        var reasons: Set<GuardReason> = []
        for _ in 0..<60 {
            let number =
                "+447\(Int.random(in: 400...499, using: &random))\(Int.random(in: 100_000...999_999, using: &random))"
            if let reason = watchman.refusal(number) { reasons.insert(reason) } else { watchman.use(number) }
        }
        #expect(reasons == [.velocityCountry])
    }

    @Test func whatIsNotSentAfterAllIsTakenBack() {
        var watchman = Watchman()
        for _ in 0..<50 {
            let verdict = watchman.judge(Watchman.send("+447400123456"))
            #expect(verdict.refusal == nil)
            watchman.state.takeBack(verdict.pass, at: watchman.now)
        }
    }

    @Test func aSafeNumberPassesLimitsAndNoBlock() {
        var watchman = Watchman()
        watchman.policy.safe = ["+447400123456"]
        for _ in 0..<50 { #expect(watchman.refusal("+447400123456") == nil) }
        let isGuards = { GuardBlock(account: nil, scope: .prefix, value: "+4474", until: nil, isGuards: $0) }
        watchman.state.blocks = GuardBlocks([isGuards(true)])
        #expect(watchman.refusal("+447400123456") == nil && watchman.refusal("+447400123457") == .blocked)
        watchman.state.blocks = GuardBlocks([isGuards(true), isGuards(false)])
        #expect(watchman.refusal("+447400123456") == .blocked)
        watchman.state.blocks = GuardBlocks([
            GuardBlock(account: nil, scope: .number, value: "hash of +447400123456", until: nil)
        ])
        #expect(watchman.refusal("+447400123456") == .blocked)
    }

    @Test(
        arguments: [
            (.number, "hash of +447400123456"), (.address, "hash of 192.0.2.1"), (.device, "hash of d"),
            (.prefix, "+4474"), (.country, "GB"), (.channel, "sms"), (.account, ""),
        ] as [(GuardBlock.Scope, String)])
    func aBlockHoldsInEveryScopeForAnAccountOrForAll(scope: GuardBlock.Scope, value: String) {
        let caller = GuardCaller(address: "192.0.2.1", device: "d")
        for owner in [nil, Watchman.account, AccountID(rawValue: 2)] {
            var watchman = Watchman()
            // An operator's word counts for an account that is only watched.
            watchman.policy.mode = .watch
            let block = GuardBlock(account: owner, scope: scope, value: value, until: watchman.now + .seconds(60))
            watchman.state.blocks = GuardBlocks([block])
            let isOthers = owner == AccountID(rawValue: 2)
            #expect(watchman.refusal("+447400123456", isCode: false, caller: caller) == (isOthers ? nil : .blocked))
            #expect(
                watchman.refusal("+41791234567", channel: .voice) == (scope == .account && !isOthers ? .blocked : nil))
            watchman.pass(.seconds(61))
            #expect(watchman.refusal("+447400123456", caller: caller) == nil)
        }
    }

    @Test func whatAnOperatorHasLiftedForATimeIsLeftAlone() {
        var watchman = Watchman()
        let lifted = ["+44740012", "+447400123"].map {
            GuardBlock(account: Watchman.account, scope: .prefix, value: $0, until: watchman.now + .seconds(600))
        }
        watchman.state.blocks = GuardBlocks([], lifted: lifted)
        for number in 0..<20 { #expect(watchman.refusal("+4474001234\(10 + number)") == nil) }
        // Of nothing else.
        watchman.policy.accountPerDay = 20
        #expect(watchman.refusal("+447400123440") == .velocityAccount)
    }

    @Test func anAccountThatIsWatchedIsRefusedNothingAndTold() {
        var watchman = Watchman()
        watchman.policy.mode = .watch
        var watched: Set<GuardReason> = []
        for number in 0..<40 {
            let verdict = watchman.judge(Watchman.send("+4474001234\(10 + number)"))
            #expect(verdict.refusal == nil && verdict.block == nil)
            if let reason = verdict.watched { watched.insert(reason) }
        }
        #expect(watched == [.velocityBlock])
    }

    @Test func codesOfTheAccountsOwnAreScoredOnceItTellsWhichAreUsed() {
        for tells in [false, true] {
            var watchman = Watchman()
            var random = Seeded(9)
            var verdicts: [GuardVerdict] = []
            if tells { for _ in 0..<10 { watchman.use("+41791234567", isReported: true) } }
            for _ in 0..<200 {
                let number =
                    "+447\(Int.random(in: 400...499, using: &random))\(Int.random(in: 100_000...999_999, using: &random))"
                verdicts.append(watchman.judge(Watchman.send(number, isVerification: false)))
            }
            let reasons = Set(verdicts.compactMap(\.refusal?.reason))
            #expect(reasons == (tells ? [.pumpingScore] : []))
            #expect(verdicts.contains(where: \.lacksFeedback) == !tells)
        }
    }
}
