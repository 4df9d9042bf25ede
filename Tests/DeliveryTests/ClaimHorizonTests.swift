import Messaging
import Testing
import Timestamps

@testable import Delivery

/// How far back claims look while dead rows cannot be cleared up.
@Suite struct ClaimHorizonTests {
    private static func id(milliseconds: UInt64) -> MessageID { MessageID(high: milliseconds << 16 | 0x7abc, low: 42) }

    @Test func aClaimLooksAtAllUnlessOneWasSlow() {
        #expect(ClaimHorizon().from(at: .now) == nil)
    }

    @Test(arguments: [
        (Duration.milliseconds(25), 0, false), (.milliseconds(35), 0, true), (.milliseconds(35), 100, true),
        // So many take so long.
        (.milliseconds(55), 1000, false), (.milliseconds(70), 1000, true),
    ])
    func whatIsSlowGoesByWhatItBrought(duration: Duration, claims: Int, isSlow: Bool) {
        #expect(ClaimHorizon.isSlow(duration, claims: claims) == isSlow)
    }

    @Test func afterASlowOneClaimsLookNoFurtherBackForAWhile() {
        let now = ContinuousClock.now
        var horizon = ClaimHorizon()
        horizon.narrow(to: Self.id(milliseconds: 1_000_000), after: .milliseconds(200), now: now)
        // What was made before it may be committed behind it.
        let from = MessageID(high: 999_800 << 16, low: 0)
        #expect(horizon.from(at: now) == from)
        #expect(horizon.from(at: now + .milliseconds(3999)) == from)
        #expect(horizon.from(at: now + .seconds(4)) == nil, "a twentieth of the time goes to looking at all")
        horizon.narrow(to: Self.id(milliseconds: 1_000_000), after: .seconds(5), now: now)
        #expect(horizon.from(at: now + .seconds(9)) == from)
        #expect(horizon.from(at: now + ClaimHorizon.longest) == nil)
    }

    /// There is nothing to go by but this process's clock, and that of an API may be behind it.
    @Test func whenNothingIsReadyItLooksBackFurther() throws {
        let now = ContinuousClock.now
        var horizon = ClaimHorizon()
        horizon.narrow(to: nil, after: .seconds(1), now: now)
        let from = try #require(horizon.from(at: now))
        #expect(from.milliseconds <= Timestamp.now.milliseconds - 10_000)
        #expect(from.milliseconds > Timestamp.now.milliseconds - 70_000)
    }

    @Test func itAdvancesWithWhatIsReadyAndNeverGoesBack() {
        let now = ContinuousClock.now
        var horizon = ClaimHorizon()
        horizon.advance(to: Self.id(milliseconds: 5000))
        #expect(horizon.from(at: now) == nil)
        horizon.narrow(to: Self.id(milliseconds: 5000), after: .seconds(1), now: now)
        horizon.advance(to: Self.id(milliseconds: 9000))
        #expect(horizon.from(at: now) == MessageID(high: 8800 << 16, low: 0))
        horizon.advance(to: Self.id(milliseconds: 7000))
        #expect(horizon.from(at: now) == MessageID(high: 8800 << 16, low: 0))
        horizon.narrow(to: Self.id(milliseconds: 100), after: .seconds(1), now: now)
        #expect(horizon.from(at: now) == MessageID(high: 0, low: 0), "ids have no time before 1970")
    }
}
