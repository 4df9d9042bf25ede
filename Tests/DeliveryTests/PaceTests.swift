import Testing

@testable import Delivery

@Suite struct PaceTests {
    /// What a provider that counts the last second would see of somebody who takes all that is granted.
    struct Walk {
        var grants: [(at: Duration, count: Int)] = []

        /// Takes up to `wanted` at each moment at which something may go, for `length`.
        init(
            _ pace: inout Pace, wanted: Int, from start: ContinuousClock.Instant = .now, for length: Duration,
            late: () -> Duration = { .zero }
        ) {
            var now = start
            while now - start < length {
                let count = pace.grant(upTo: wanted, now: now)
                if count > 0 { self.grants.append((now - start, count)) }
                let next = pace.next(now: now)
                now = max(next, count > 0 ? now : now + .nanoseconds(1)) + late()
            }
        }

        /// The most in any second, its end not counted.
        var mostInASecond: Int {
            var most = 0
            var sum = 0
            var first = 0
            for (at, count) in self.grants {
                sum += count
                while at - self.grants[first].at >= .seconds(1) {
                    sum -= self.grants[first].count
                    first += 1
                }
                most = max(most, sum)
            }
            return most
        }

        var total: Int { self.grants.reduce(0) { $0 + $1.count } }
    }

    @Test(arguments: [1, 2, 3, 7, 30, 100, 1000, 20_000], [1, 10, 100])
    func noSecondSeesMoreThanTheRate(rate: Int, wanted: Int) {
        var pace = Pace(rate: Double(rate))
        let walk = Walk(&pace, wanted: wanted, for: .seconds(10))
        #expect(walk.mostInASecond <= rate)
        // And nearly all of it can be used.
        #expect(Double(walk.total) >= Double(rate) * 10 * 0.95)
    }

    @Test(arguments: [1, 5, 30, 500])
    func norWhenTheTakerComesLateNowAndThen(rate: Int) {
        var generator = SystemRandomNumberGenerator()
        var pace = Pace(rate: Double(rate))
        let walk = Walk(&pace, wanted: 10, for: .seconds(20)) {
            UInt8.random(in: 0..<10, using: &generator) == 0 ? .milliseconds(.random(in: 0...2000)) : .zero
        }
        #expect(walk.mostInASecond <= rate)
    }

    @Test func aLongSilenceEarnsNothing() {
        var pace = Pace(rate: 30)
        let start = ContinuousClock.now
        _ = pace.grant(upTo: 1, now: start)
        #expect(pace.grant(upTo: 1000, now: start + .seconds(3600)) == 1)
        #expect(pace.grant(upTo: 1000, now: start + .seconds(3600)) == 0)
    }

    @Test func aRateBelowOneIsKept() {
        var pace = Pace(rate: 0.5)
        let walk = Walk(&pace, wanted: 10, for: .seconds(60))
        #expect(walk.mostInASecond == 1)
        #expect((28...31).contains(walk.total))
    }

    @Test func nothingGoesDuringAPause() {
        var pace = Pace(rate: 1000)
        let start = ContinuousClock.now
        pace.pause(until: start + .seconds(3))
        for tenth in 0..<30 { #expect(pace.grant(upTo: 10, now: start + .milliseconds(tenth * 100)) == 0) }
        let next = pace.next(now: start)
        #expect(next >= start + .seconds(3))
        #expect(pace.grant(upTo: 10, now: next) >= 1)
    }

    @Test func aShorterPauseDoesNotEndALongerOne() {
        var pace = Pace(rate: 1000)
        let start = ContinuousClock.now
        pace.pause(until: start + .seconds(3))
        pace.pause(until: start + .seconds(1))
        #expect(pace.grant(upTo: 1, now: start + .seconds(2)) == 0)
    }

    @Test func aNewRateHoldsFromTheNextGrantOn() {
        var pace = Pace(rate: 10)
        let start = ContinuousClock.now
        #expect((18...20).contains(Walk(&pace, wanted: 1, from: start, for: .seconds(2)).total))
        pace.setRate(100)
        #expect(Walk(&pace, wanted: 10, from: start + .seconds(2), for: .seconds(5)).total > 450)
    }

    /// Long messages count as many, and one that is longer than the room goes all the same and is paid for afterwards.
    @Test func whatCostsMoreIsGrantedLess() {
        var pace = Pace(rate: 100, tolerance: .milliseconds(100))
        let start = ContinuousClock.now
        #expect(pace.grant([3, 3, 3, 3], now: start) == 3)
        #expect(pace.grant([1], now: start + .milliseconds(50)) == 1)
        var slow = Pace(rate: 1)
        #expect(slow.grant([5, 1], now: start) == 1)
        #expect(slow.grant([1], now: start + .seconds(4)) == 0)
        #expect(slow.grant([1], now: start + .seconds(6)) == 1)
    }

    @Test(arguments: [0, -1]) func nothingWantedNothingGranted(wanted: Int) {
        var pace = Pace(rate: 10)
        #expect(pace.grant(upTo: wanted, now: .now) == 0)
    }

    @Test(arguments: [(0.0, 0), (-5, 0), (.leastNonzeroMagnitude, 1)])
    func aRateOfNothingIsNoDivisionByNothing(rate: Double, granted: Int) {
        var pace = Pace(rate: rate)
        let now = ContinuousClock.now
        #expect(pace.grant(upTo: 5, now: now) == granted)
        #expect(pace.grant(upTo: 5, now: now + .seconds(60)) == 0)
    }
}
