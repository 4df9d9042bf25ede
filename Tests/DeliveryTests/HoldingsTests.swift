import Messaging
import Testing

@testable import Delivery
@testable import Store

@Suite struct HoldingsTests {
    @Test func whatIsWrittenBackIsHeldNoLonger() {
        let holdings = Holdings()
        holdings.insert([.sample(1), .sample(2)])
        holdings.remove([.sample(1)])
        #expect(self.held(holdings) == [2])
    }

    /// Its first sender may come to say that it is done after the message was claimed again.
    @Test func aMessageThatWasClaimedAgainIsHeldUntilThatClaimIsDoneToo() {
        let holdings = Holdings()
        holdings.insert([.sample(1, attempt: 1)])
        holdings.insert([.sample(1, attempt: 2)])
        holdings.remove([.sample(1)])
        #expect(self.held(holdings) == [1])
        holdings.remove([.sample(1)])
        #expect(self.held(holdings) == [])
    }

    @Test func theTwoAreComparedAtOnceWhenAnAnswerWasLostAndHardlyEverOtherwise() {
        let holdings = Holdings()
        #expect(holdings.toCompare() == nil)
        holdings.doubt()
        #expect(holdings.toCompare() != nil)
        #expect(holdings.toCompare() == nil)
        #expect(holdings.toCompare(now: .now + .seconds(2)) != nil)
    }

    private func held(_ holdings: Holdings) -> Set<UInt64> {
        holdings.doubt()
        return Set((holdings.toCompare() ?? []).map { $0.low >> 8 & 0xFFFF })
    }
}
