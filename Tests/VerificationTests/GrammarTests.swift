import Testing
import Verification

@Suite struct GrammarTests {
    @Test(arguments: [
        ("15m", 900_000), ("2h", 7_200_000), ("ms", 1), ("s", 1000), ("d", 86_400_000), ("1d", 86_400_000),
        ("500ms", 500), ("365d", 31_536_000_000), ("007s", 7000),
    ])
    func readsPeriods(text: String, milliseconds: Int64) throws {
        let period = try #require(Period(text))
        #expect(period.duration == .milliseconds(milliseconds))
        #expect(period.text == text)
    }

    @Test(arguments: [
        "", "5x", "m5", "5", "-5m", "+5m", "5 m", "5M", "1.5h", "0s", "366d", "99999999999d", "99999999999999999999s",
        "5mm", "٥m",
    ])
    func refusesWhatIsNoPeriod(text: String) { #expect(Period(text) == nil) }

    @Test(arguments: [
        ("10000/1d", 10_000, 86_400_000), ("3/1d", 3, 86_400_000), ("1/3s", 1, 3000), ("2/4s", 2, 4000),
        ("5/h", 5, 3_600_000), ("5000/12h", 5000, 43_200_000),
    ])
    func readsRateLimits(text: String, count: Int32, milliseconds: Int64) throws {
        let limit = try #require(RateLimit(text))
        #expect(limit.count == count)
        #expect(limit.period == .milliseconds(milliseconds))
        #expect(limit.text == text)
    }

    @Test(arguments: [
        "", "5", "5/", "/1d", "0/1d", "-1/1d", "+1/1d", "5/5x", "5/1d/1d", "1.5/1d", "99999999999/1d", "5 /1d",
    ])
    func refusesWhatIsNoRateLimit(text: String) { #expect(RateLimit(text) == nil) }

    @Test func keepsItsCeiling() {
        #expect(RateLimit("1/24h", ceiling: Period.day) != nil)
        #expect(RateLimit("1/25h", ceiling: Period.day) == nil)
        #expect(Period("1d", ceiling: Period.day) != nil)
    }
}
