import Lifecycle
import Messaging
import Testing

@testable import Delivery
@testable import Store

@Suite struct HoldingsTests {
    @Test func whatIsWrittenBackIsHeldNoLonger() {
        let holdings = Holdings<MessageID>()
        holdings.insert([Self.id(1), Self.id(2)])
        holdings.remove([Self.id(1)])
        #expect(self.held(holdings) == [2])
    }

    /// Its first sender may come to say that it is done after the message was claimed again.
    @Test func aMessageThatWasClaimedAgainIsHeldUntilThatClaimIsDoneToo() {
        let holdings = Holdings<MessageID>()
        holdings.insert([Self.id(1)])
        holdings.insert([Self.id(1)])
        holdings.remove([Self.id(1)])
        #expect(self.held(holdings) == [1])
        holdings.remove([Self.id(1)])
        #expect(self.held(holdings) == [])
    }

    @Test func theTwoAreComparedAtOnceWhenAnAnswerWasLostAndHardlyEverOtherwise() {
        let holdings = Holdings<MessageID>()
        #expect(holdings.toCompare() == nil)
        holdings.doubt()
        #expect(holdings.toCompare() != nil)
        #expect(holdings.toCompare() == nil)
        #expect(holdings.toCompare(now: .now + .seconds(2)) != nil)
    }

    /// Comparing keeps claims waiting, so a slow one is not done again at once, whatever was lost.
    @Test func whatTookLongIsNotComparedAgainSoon() {
        let holdings = Holdings<MessageID>()
        let start = ContinuousClock.now
        holdings.doubt()
        #expect(holdings.toCompare(now: start + .seconds(1)) != nil)
        holdings.compared(took: .seconds(1), now: start + .seconds(2))
        holdings.doubt()
        #expect(holdings.toCompare(now: start + .seconds(21)) == nil)
        #expect(holdings.toCompare(now: start + .seconds(23)) != nil)
    }

    /// Whoever compares may be asleep until the next poll.
    @Test(.timeLimit(.minutes(1))) func aDoubtWakesWhoeverCompares() async {
        let bell = Signal()
        let holdings = Holdings<MessageID>(doubted: bell)
        #expect(!holdings.isDoubtful)
        holdings.doubt()
        await bell.wait()
        #expect(holdings.isDoubtful)
    }

    /// What the database holds for this process is not known then.
    @Test func nothingIsHeldOnlyWhenThereWasNoDoubt() {
        let holdings = Holdings<MessageID>()
        #expect(holdings.isEmpty)
        holdings.insert([Self.id(1)])
        #expect(!holdings.isEmpty)
        holdings.remove([Self.id(1)])
        #expect(holdings.isEmpty)
        holdings.doubt()
        #expect(!holdings.isEmpty)
    }

    private static func id(_ number: UInt64) -> MessageID { HeldClaim.sample(number).claim.id }

    private func held(_ holdings: Holdings<MessageID>) -> Set<UInt64> {
        holdings.doubt()
        return Set((holdings.toCompare() ?? []).map { $0.low >> 8 & 0xFFFF })
    }
}
