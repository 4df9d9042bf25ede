import Messaging
import Testing
import Timestamps

@testable import Carrier

struct CarrierMemoryTests {
    private func message(_ to: String, _ text: String) -> Inbox.Message {
        Inbox.Message(to: to, from: "A", content: .text(TextContent(text)), at: .test)
    }

    @Test func anInboxKeepsTheNewest() {
        var inbox = Inbox(limit: 3)
        for (to, text) in [("+1", "a"), ("+2", "b"), ("+1", "c")] { inbox.add(self.message(to, text)) }
        #expect(inbox.messages(to: "+1").map(\.content.body) == ["a", "c"])
        inbox.add(self.message("+3", "d"))
        #expect(inbox.all.map(\.content.body) == ["b", "c", "d"])
        #expect(inbox.messages(to: "+1").map(\.content.body) == ["c"])
        inbox.add(self.message("+3", "e"))
        #expect(inbox.messages(to: "+2") == [])
        inbox.clear()
        #expect(inbox.all == [])
        #expect(inbox.messages(to: "+3") == [])
    }

    /// Against the simplest thing that can be right.
    @Test func aLongLifeOfAnInboxIsThatOfAnArray() {
        var random = CarrierRandom(seed: 5)
        var inbox = Inbox(limit: 17)
        var array: [Inbox.Message] = []
        for number in 0..<2000 {
            let message = self.message("+\(Int.random(in: 0..<6, using: &random))", "\(number)")
            inbox.add(message)
            array = (array + [message]).suffix(17)
            if number % 97 == 0 {
                #expect(inbox.all == array)
                for to in 0..<6 { #expect(inbox.messages(to: "+\(to)") == array.filter { $0.to == "+\(to)" }) }
            }
        }
    }

    @Test func arrivalsAreCountedUntilThereIsNoRoomAndThenSaidToBeIncomplete() {
        var arrivals = Arrivals(limit: 2)
        for reference in ["a", "b", "a", "c", "b"] { arrivals.add(reference) }
        #expect(arrivals.counts == ["a": 2, "b": 2])
        #expect(arrivals.uncounted == 1)
        var none = Arrivals(limit: 0)
        none.add("a")
        #expect(none.counts == [:])
        #expect(none.uncounted == 0)
    }

    @Test func knownIDsForgetTheOldest() {
        var ids = KnownIDs(limit: 2)
        let isNew = ["a", "b", "a", "c", "a", "c"].map { ids.insert($0) }
        #expect(isNew == [true, true, false, true, true, false])
    }

    @Test func theSameSeedGivesTheSameIDsAndNoneTwice() {
        var one = CarrierRandom(seed: 1)
        var other = CarrierRandom(seed: 1)
        let ids = (0..<1000).map { _ in one.nextID() }
        #expect(ids == (0..<1000).map { _ in other.nextID() })
        #expect(Set(ids).count == 1000)
        #expect(ids.allSatisfy { $0.count == 16 })
    }
}
