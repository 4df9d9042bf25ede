import Messaging
import Testing

@Suite struct MoneyTests {
    @Test(
        arguments: [
            ("0", 0, "0.00"), ("12", 1_200_000_000, "12.00"), ("0.05", 5_000_000, "0.05"),
            ("-3.5", -350_000_000, "-3.50"),
            ("0.00000001", 1, "0.00000001"), ("-0.00000001", -1, "-0.00000001"), ("0.0075", 750_000, "0.0075"),
            ("9999999999.99999999", 999_999_999_999_999_999, "9999999999.99999999"), ("007", 700_000_000, "7.00"),
        ] as [(String, Int64, String)])
    func amountsAreReadAndWritten(text: String, value: Int64, written: String) {
        #expect(Money(text) == Money(rawValue: value))
        #expect(Money(rawValue: value).text() == written)
    }

    @Test(arguments: [
        "", "-", ".", "1.", ".5", "+1", "--1", "1e3", "1,5", " 1", "1 ", "0.123456789", "12345678901", "1.2.3", "٣",
    ])
    func nothingElseIsAnAmount(text: String) {
        #expect(Money(text) == nil)
    }

    @Test func theLargestAndTheSmallestCanBeWritten() {
        #expect(Money(rawValue: .max).text() == "92233720368.54775807")
        #expect(Money(rawValue: .min).text() == "-92233720368.54775808")
        #expect(Money(rawValue: 150_000_000).text(decimals: 0) == "1.5")
        #expect(Money(rawValue: 100_000_000).text(decimals: 0) == "1")
    }

    @Test func aPriceIsForEachSegment() throws {
        let price = Price(amount: Money(rawValue: 5), network: "22801")
        #expect(try price.times(3) == Price(amount: Money(rawValue: 15), network: "22801"))
        #expect(try price.times(0).amount == .zero)
        #expect(throws: MoneyOverflow.self) { try Price(amount: Money(rawValue: .max)).times(2) }
    }
}
