import JSON
import Testing

@testable import Bench

struct PercentilesTests {
    @Test(arguments: [(50.0, 50.0), (95, 95), (99, 99), (100, 100), (0, 1), (0.5, 1), (99.5, 100)])
    func isTheSmallestSampleThatSoManyDoNotExceed(_ percent: Double, _ expected: Double) throws {
        let percentiles = try #require(Percentiles((1...100).shuffled().map(Double.init)))
        #expect(percentiles[percent] == expected)
    }

    @Test func ofOneSampleIsThatSample() throws {
        let percentiles = try #require(Percentiles([7.126]))
        #expect(percentiles.json.text == #"{"p50":7.13,"p95":7.13,"p99":7.13,"max":7.13}"#)
    }

    @Test func needsASample() { #expect(Percentiles([Double]()) == nil) }

    @Test(arguments: [
        (1234.5678, 0, "1235"), (0.005, 2, "0.01"), (2, 2, "2.0"), (.infinity, 0, "null"), (.nan, 2, "null"),
    ])
    func roundsFigures(_ value: Double, _ decimals: Int, _ expected: String) {
        #expect(JSON.rounded(value, decimals).text == expected)
    }
}
