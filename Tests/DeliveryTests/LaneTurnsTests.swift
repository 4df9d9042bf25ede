import Messaging
import Store
import Testing

@testable import Delivery

/// Which lanes are looked at, when, and how many of them at a time.
@Suite struct LaneTurnsTests {
    private static func lanes(_ count: Int) -> [Lane] { (0..<count).map { Lane(rawValue: UInt8($0)) } }
    private static func lane(_ number: UInt8) -> Lane { Lane(rawValue: number) }

    @Test(arguments: HintedWork.allCases)
    func whoeverClaimsWhatIsReadyIsWokenAndNobodyElse(_ work: HintedWork) {
        let bells = Worker.Bells()
        bells.ring(ReadyLanes(work, in: Self.lane(3)))
        #expect(bells.messages.take() == .lanes(work == .messages ? [Self.lane(3)] : []))
        #expect(bells.events.take() == .lanes(work == .events ? [Self.lane(3)] : []))
    }

    @Test func oneLaneIsLookedAtEachTime() {
        var turns = LaneTurns(Self.lanes(1))
        for _ in 0..<3 {
            #expect(turns.round() == [Self.lane(0)])
            turns.finish(Self.lane(0))
        }
        turns.ask(.all)
        #expect(turns.round() == [Self.lane(0)])
    }

    @Test func idleRoundsCostTheSameHoweverManyLanesThereAre() {
        for count in [4, 32, 256] {
            var turns = LaneTurns(Self.lanes(count), place: count - 1)
            var seen: Set<Lane> = []
            for _ in 0..<count / LaneTurns.idleLimit {
                let round = turns.round()
                #expect(round.count == LaneTurns.idleLimit)
                seen.formUnion(round)
                for lane in round { turns.finish(lane) }
            }
            #expect(seen.count == count, "each lane has its turn")
        }
    }

    @Test func whatWasAskedForIsLookedAtUntilItIsDone() {
        var turns = LaneTurns(Self.lanes(32))
        turns.ask(.lanes([Self.lane(20), Self.lane(9), Self.lane(200)]))
        #expect(Self.round(&turns).isSuperset(of: [Self.lane(9), Self.lane(20)]))
        // There was room for the first alone, and it has more.
        #expect(Self.round(&turns).isSuperset(of: [Self.lane(9), Self.lane(20)]))
        turns.finish(Self.lane(9))
        #expect(turns.round().count == 1 + LaneTurns.besideLimit)
        turns.finish(Self.lane(20))
    }

    /// As when one lane never ends and a provider whose messages are in another has room again: nobody tells of those.
    @Test func lanesThatNobodyAsksForHaveTheirTurnBesideOnesThatNeverEnd() {
        var turns = LaneTurns(Self.lanes(32))
        turns.ask(.lanes([Self.lane(7), Self.lane(8)]))
        var seen: Set<Lane> = []
        for _ in 0..<30 {
            let round = turns.round()
            #expect(round.count == 2 + LaneTurns.besideLimit)
            seen.formUnion(round)
            for lane in round where lane.rawValue != 7 && lane.rawValue != 8 { turns.finish(lane) }
        }
        #expect(seen.count == 32)
    }

    /// One round in which the lanes that have their turn only have nothing.
    private static func round(_ turns: inout LaneTurns) -> Set<Lane> {
        let round = turns.round()
        for lane in round where lane.rawValue != 9 && lane.rawValue != 20 { turns.finish(lane) }
        return Set(round)
    }

    /// The first may fill the queues of their providers.
    @Test func ofLanesThatNeverEndEachIsTheFirstAtTimes() {
        var turns = LaneTurns(Self.lanes(32))
        turns.ask(.lanes([Self.lane(7), Self.lane(8)]))
        var first: Set<Lane> = []
        for _ in 0..<32 {
            let round = turns.round()
            first.insert(round[0])
            for lane in round where lane.rawValue != 7 && lane.rawValue != 8 { turns.finish(lane) }
        }
        #expect(first.isSuperset(of: [Self.lane(7), Self.lane(8)]))
    }

    @Test func noLaneIsAlwaysTheFirst() {
        var turns = LaneTurns(Self.lanes(8))
        var first: Set<Lane> = []
        for _ in 0..<8 {
            turns.ask(.all)
            first.insert(turns.round()[0])
        }
        #expect(first.count == 8)
    }

    @Test func whatIsDueIsLookedAt() {
        let now = ContinuousClock.now
        var turns = LaneTurns(Self.lanes(32))
        turns.ask(.lanes([Self.lane(30)]))
        _ = turns.round(at: now)
        turns.finish(Self.lane(30), due: now + .seconds(2))
        #expect(turns.nextDue == now + .seconds(2))
        #expect(!turns.round(at: now).contains(Self.lane(30)))
        for lane in Self.lanes(32) where lane != Self.lane(30) { turns.finish(lane) }
        #expect(turns.round(at: now + .seconds(2)).contains(Self.lane(30)))
        turns.finish(Self.lane(30))
        #expect(turns.nextDue == nil)
    }

    @Test func theBellKeepsWhatItWasRungFor() {
        let bell = LaneBell()
        #expect(bell.take() == .lanes([]))
        bell.ring(Self.lane(3))
        bell.ring([Self.lane(4)])
        #expect(bell.take() == .lanes([Self.lane(3), Self.lane(4)]))
        bell.ring(Self.lane(3))
        bell.ring()
        bell.ring(Self.lane(5))
        #expect(bell.take() == .all)
        #expect(bell.take() == .lanes([]))
    }
}
