import Egress
import Testing

@testable import WebClient

@Suite struct LookUpsTests {
    private let now = ContinuousClock.now
    private let found = FoundAddresses(addresses: [NetworkAddress("192.0.2.1")!], timeToLive: .seconds(60))

    @Test func aNameIsLookedUpOnceForAllWhoWantIt() {
        var lookUps = LookUps(limit: 2, longestAge: .seconds(30))
        #expect(lookUps.want("a", for: 1, now: self.now) == .begin)
        #expect(lookUps.want("a", for: 2, now: self.now) == .wait)
        #expect(lookUps.end("a", nil, now: self.now).tickets == [1, 2])
        #expect(lookUps.want("a", for: 3, now: self.now) == .begin)
    }

    @Test func namesOverTheLimitWaitForTheirTurnInOrder() {
        var lookUps = LookUps(limit: 1, longestAge: .seconds(30))
        #expect(lookUps.want("a", for: 1, now: self.now) == .begin)
        #expect(lookUps.want("b", for: 2, now: self.now) == .wait)
        #expect(lookUps.want("c", for: 3, now: self.now) == .wait)
        #expect(lookUps.want("d", for: 4, now: self.now) == .wait)
        lookUps.leave("b", 2)
        #expect(lookUps.end("a", nil, now: self.now).next == "c")
        #expect(lookUps.end("c", nil, now: self.now).next == "d")
        #expect(lookUps.end("d", nil, now: self.now) == ([4], nil))
    }

    @Test func aLookUpThatNobodyWantsGoesOnForWhoeverComesNext() {
        var lookUps = LookUps(limit: 1, longestAge: .seconds(30))
        #expect(lookUps.want("a", for: 1, now: self.now) == .begin)
        lookUps.leave("a", 1)
        #expect(lookUps.want("b", for: 2, now: self.now) == .wait)
        #expect(lookUps.want("a", for: 3, now: self.now) == .wait)
        #expect(lookUps.end("a", self.found, now: self.now) == ([3], "b"))
    }

    @Test(arguments: [(60, 30, 30), (5, 30, 5), (0, 30, 0), (60, 0, 0)])
    func addressesAreKnownForTheShorterTime(timeToLive: Int, longestAge: Int, age: Int) {
        var lookUps = LookUps(limit: 1, longestAge: .seconds(longestAge))
        var found = self.found
        found.timeToLive = .seconds(timeToLive)
        _ = lookUps.want("a", for: 1, now: self.now)
        _ = lookUps.end("a", found, now: self.now)
        if age > 0 {
            let late = self.now + .seconds(age) - .nanoseconds(1)
            #expect(lookUps.want("a", for: 2, now: late) == .known(found.addresses))
        }
        #expect(lookUps.want("a", for: 3, now: self.now + .seconds(age)) == .begin)
    }

    @Test func thereAreLimitsToWhatIsKnownAndToWhatWaits() {
        var lookUps = LookUps(limit: 1, longestAge: .seconds(30))
        for number in 0...LookUps.knownLimit {
            _ = lookUps.want("\(number)", for: 0, now: self.now)
            _ = lookUps.end("\(number)", self.found, now: self.now)
        }
        #expect(lookUps.want("0", for: 1, now: self.now) == .begin)
        for number in 0..<LookUps.queueLimit {
            #expect(lookUps.want("waiting-\(number)", for: 2, now: self.now) == .wait)
        }
        #expect(lookUps.want("one more", for: 3, now: self.now) == .refused)
    }
}
