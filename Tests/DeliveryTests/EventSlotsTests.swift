import Messaging
import Testing

@testable import Delivery
@testable import Store

@Suite struct EventSlotsTests {
    private static func key(_ number: UInt64, _ endpoint: Int32) -> EventKey {
        EventKey(subject: MessageID(high: number, low: 0), endpoint: EndpointID(rawValue: endpoint))
    }

    @Test func aSlotIsTakenAndFreedAndCountedForItsEndpoint() throws {
        var slots = EventSlots()
        let isBegun = slots.begin([Self.key(1, 7), Self.key(2, 7), Self.key(1, 8)])
        #expect(isBegun)
        let request = try #require(slots.request())
        #expect(request.limit == Int32(EventSlots.limit) - 3)
        #expect(request.inFlight == [EndpointID(rawValue: 7): 2, EndpointID(rawValue: 8): 1])
        slots.finish(Self.key(1, 7))
        slots.finish(Self.key(1, 8))
        #expect(slots.request()?.inFlight == [EndpointID(rawValue: 7): 1])
    }

    @Test func nothingIsClaimedWithoutASlotNorAfterTheEnd() {
        var slots = EventSlots()
        _ = slots.begin((0..<UInt64(EventSlots.limit)).map { Self.key($0, 1) })
        #expect(slots.request() == nil)
        slots.finish(Self.key(0, 1))
        #expect(slots.request()?.limit == 1)
        slots.close()
        #expect(slots.request() == nil)
        let isBegun = slots.begin([Self.key(1, 1)])
        #expect(!isBegun)
    }

    @Test func theWalkGoesOnWhereItWasCutAndComesRound() throws {
        var slots = EventSlots()
        let last = EndpointID(rawValue: 64)
        let more1 = slots.advance(EventClaims(claims: [], last: last), limit: 10)
        #expect(more1)
        #expect(slots.request()?.after == last)
        // Those in front may have something by now.
        let more2 = slots.advance(EventClaims(claims: [], last: nil), limit: 10)
        #expect(more2)
        #expect(slots.request()?.after == nil)
        let more3 = slots.advance(EventClaims(claims: [], last: nil), limit: 10)
        #expect(!more3)
    }
}
