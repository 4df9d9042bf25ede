import Routing
import Testing

@Suite struct BreakerTests {
    /// The number of the attempt at which a breaker trips, from 1, after these: `x` failed, `.` went well.
    private func trip(_ attempts: String, isRamping: Bool = false) -> Int? {
        var breaker = Breaker()
        for (index, attempt) in attempts.enumerated() where breaker.record(failed: attempt == "x", isRamping: isRamping)
        {
            return index + 1
        }
        return nil
    }

    @Test(
        arguments: [
            ("xxxx", nil), ("xxxxx", 5), ("xxxx.xxxx.xxxx.", nil), ("x.x.x.x.x.x.x.x.x.x", nil),
            ("x.x.x.x.x.x.x.x.x.x.x", 21), ("....................xxxxx", 25), ("", nil),
            ("..........xxx.xxx.xxx.xx", 23),
        ] as [(String, Int?)])
    func trips(_ attempts: String, _ expected: Int?) {
        #expect(self.trip(attempts) == expected)
    }

    @Test func whatComesBackIsNotHurtTwice() {
        #expect(self.trip("x.x.xx", isRamping: true) == 6)
        #expect(self.trip("x.x.x.", isRamping: true) == nil)
    }

    @Test func afterItTrippedItForgets() {
        var breaker = Breaker()
        var trips = 0
        for _ in 1...10 where breaker.record(failed: true) { trips += 1 }
        #expect(trips == 2)
    }
}
