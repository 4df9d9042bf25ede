import Messaging
import Testing
import Timestamps

@testable import Delivery

/// How far back claims look while dead rows cannot be cleared up.
@Suite struct ClaimHorizonTests {
    private static func id(milliseconds: UInt64) -> MessageID { MessageID(high: milliseconds << 16 | 0x7abc, low: 42) }

    private static let now = ContinuousClock.now

    /// After a slow outlook.
    private static func narrow(
        to milliseconds: UInt64?, took: Duration = .milliseconds(200)
    ) -> ClaimHorizon {
        var horizon = ClaimHorizon()
        horizon.judge(oldest: milliseconds.map(self.id(milliseconds:)), took: took, now: self.now)
        return horizon
    }

    private static func start(_ horizon: inout ClaimHorizon) throws -> ClaimHorizon.Start {
        let start = horizon.start(at: self.now)
        return try #require(start)
    }

    @Test func claimsLookAtAllUnlessAnOutlookWasSlow() {
        var horizon = ClaimHorizon()
        #expect(horizon.start(at: Self.now) == nil)
        #expect(horizon.reach == nil)
        horizon = Self.narrow(to: 1000, took: ClaimHorizon.slow)
        #expect(horizon.start(at: Self.now) == nil)
        horizon = Self.narrow(to: 1000, took: ClaimHorizon.slow + .milliseconds(1))
        #expect(horizon.start(at: Self.now) != nil)
        horizon.judge(oldest: Self.id(milliseconds: 1000), took: .milliseconds(1), now: Self.now)
        #expect(horizon.start(at: Self.now) == nil, "the dead rows are gone")
    }

    /// In milliseconds, and whether claims are narrow after each.
    @Test(arguments: [
        [(11, false), (11, true), (11, true), (10, false), (11, false)], [(11, false), (10, false), (11, false)],
        [(31, true), (11, true), (9, false)],
    ])
    func oneThatIsALittleSlowMustBeSoTwice(looks: [(took: Int, isNarrow: Bool)]) {
        var horizon = ClaimHorizon()
        for look in looks {
            horizon.judge(oldest: Self.id(milliseconds: 1000), took: .milliseconds(look.took), now: Self.now)
            #expect((horizon.reach != nil) == look.isNarrow, "\(look)")
        }
    }

    /// What was made before the oldest may be committed behind it; and what was before it when a claim last looked back, too.
    @Test func nowAndThenOneLooksBackAsFarAsTheLast() {
        let now = Self.now
        var horizon = Self.narrow(to: 1_000_000)
        #expect(horizon.start(at: now)?.from == MessageID(high: 999_800 << 16, low: 0))
        for step in 1...9 as ClosedRange<UInt64> {
            guard let start = horizon.start(at: now + .milliseconds(step * 20)) else { Issue.record("\(step)"); return }
            #expect(start.from == Self.id(milliseconds: 1_000_000 + (step - 1) * 20))
            horizon.advance(to: Self.id(milliseconds: 1_000_000 + step * 20), since: start)
        }
        #expect(horizon.reach == MessageID(high: 997_000 << 16, low: 0), "looks at what there is to do reach further")
        #expect(horizon.start(at: now + .milliseconds(200))?.from == MessageID(high: 999_800 << 16, low: 0))
        #expect(horizon.start(at: now + .milliseconds(201))?.from == Self.id(milliseconds: 1_000_180))
        #expect(horizon.start(at: now + .milliseconds(400))?.from == MessageID(high: 999_980 << 16, low: 0))
        horizon = Self.narrow(to: 100)
        #expect(horizon.reach == MessageID(high: 0, low: 0), "ids have no time before 1970")
    }

    /// There is nothing to go by but this process's clock, and that of an API may be behind it.
    @Test func whenNothingIsReadyItLooksBackFurther() throws {
        var horizon = Self.narrow(to: nil)
        let from = try Self.start(&horizon).from
        #expect(from.milliseconds <= Timestamp.now.milliseconds - 10_400, "and by what the look took")
        #expect(from.milliseconds > Timestamp.now.milliseconds - 70_000)
    }

    @Test func itGoesByTheOldestThatIsReady() throws {
        var horizon = Self.narrow(to: 5000)
        _ = horizon.start(at: Self.now)
        // The one that looks back may have found an older one.
        for moment in [9000, 8900] as [UInt64] {
            let start = try Self.start(&horizon)
            horizon.advance(to: Self.id(milliseconds: moment), since: start)
            #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: moment))
        }
    }

    /// A retry is older than what is ready, and a claim under way may not have seen it.
    @Test func whatComesBackLowersIt() throws {
        var horizon = ClaimHorizon()
        horizon.lower(to: Self.id(milliseconds: 1))
        #expect(horizon.start(at: Self.now) == nil)
        horizon = Self.narrow(to: 5000)
        let before = try Self.start(&horizon)
        let retry = Self.id(milliseconds: 3000)
        horizon.lower(to: retry)
        horizon.advance(to: Self.id(milliseconds: 9000), since: before)
        let after = try Self.start(&horizon)
        #expect(after.from == retry)
        horizon.advance(to: Self.id(milliseconds: 9000), since: after)
        #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: 9000))
        horizon.lower(to: Self.id(milliseconds: 9500))
        #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: 9000))
    }

    /// The outlook that narrows may have begun before.
    @Test func soDoesWhatCameBackBeforeItWasNarrow() throws {
        var horizon = ClaimHorizon()
        horizon.lower(to: Self.id(milliseconds: 3000))
        horizon.judge(oldest: Self.id(milliseconds: 5000), took: .seconds(1), now: Self.now)
        _ = horizon.start(at: Self.now)
        #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: 3000))
        horizon.judge(oldest: nil, took: .zero, now: Self.now)
        horizon.judge(oldest: Self.id(milliseconds: 5000), took: .seconds(1), now: Self.now)
        _ = horizon.start(at: Self.now)
        #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: 5000))
    }

    /// A claim under way tells what it left, which is no less true.
    @Test func whatAClaimLeftStaysInSight() throws {
        var horizon = Self.narrow(to: 5000)
        let before = try Self.start(&horizon)
        horizon.lower(to: Self.id(milliseconds: 6000))
        horizon.advance(to: Self.id(milliseconds: 4900), since: before)
        #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: 4900))
    }

    @Test func aClaimFromBeforeItWasNarrowAnewDoesNotMoveIt() throws {
        var horizon = Self.narrow(to: 5000)
        let before = try Self.start(&horizon)
        horizon.judge(oldest: nil, took: .zero, now: Self.now)
        horizon.judge(oldest: Self.id(milliseconds: 3000), took: .seconds(1), now: Self.now)
        horizon.advance(to: Self.id(milliseconds: 9000), since: before)
        _ = horizon.start(at: Self.now)
        #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: 3000))
    }

    @Test func aLaneIsKnownOnceThereWasAnOutlook() {
        let (horizons, lane) = (ClaimHorizons(), Lane(rawValue: 3))
        #expect(!horizons.isKnown(lane))
        horizons.judge(lane, oldest: nil, took: .zero)
        #expect(horizons.isKnown(lane))
        #expect(!horizons.isKnown(Lane(rawValue: 4)))
        horizons.askForLookAtAll(lane)
        #expect(horizons.takeLookAtAll(lane))
        #expect(!horizons.takeLookAtAll(lane))
    }

    @Test func soDoesASlowOutlookThatFindsAnOlderOne() {
        var horizon = Self.narrow(to: 5000)
        _ = horizon.start(at: Self.now)
        for found in [Self.id(milliseconds: 4000), Self.id(milliseconds: 6000), nil] {
            horizon.judge(oldest: found, took: .seconds(1), now: Self.now)
            #expect(horizon.start(at: Self.now)?.from == Self.id(milliseconds: 4000))
        }
    }
}
