import Messaging
import Store
import Testing

@testable import Delivery

@Suite struct RateLabelsTests {
    private static func rate(
        _ provider: Int32, _ country: String, sent: Int64, _ channel: Channel = .sms
    ) -> ProviderRate {
        ProviderRate(
            provider: ProviderID(rawValue: provider), channel: channel, country: country,
            counts: RateCounts(sent: sent, delivered: 1))
    }

    @Test func countriesAreShownAndAllOfThemTogether() {
        let rates = [
            Self.rate(1, "+41", sent: 5), Self.rate(1, "+1", sent: 3), Self.rate(1, "+41", sent: 2, .voice),
            Self.rate(2, "", sent: 7, .email), Self.rate(3, "+41", sent: 9),
        ]
        let names = [ProviderID(rawValue: 1): "one", ProviderID(rawValue: 2): "two"]
        let shown = RateLabels.summed(rates, names: names)
        #expect(
            shown == [
                RateLabels(provider: "one", country: ""): RateCounts(sent: 10, delivered: 3),
                RateLabels(provider: "one", country: "+41"): RateCounts(sent: 7, delivered: 2),
                RateLabels(provider: "one", country: "+1"): RateCounts(sent: 3, delivered: 1),
                RateLabels(provider: "two", country: ""): RateCounts(sent: 7, delivered: 1),
            ])
    }

    @Test func onlyTheMostAreShown() {
        let rates = (1...300).map { Self.rate(1, "+\($0)", sent: Int64($0)) }
        let shown = RateLabels.summed(rates, names: [ProviderID(rawValue: 1): "one"])
        #expect(shown.count == RateLabels.countryLimit + 1)
        #expect(shown[RateLabels(provider: "one", country: "+300")] != nil)
        #expect(shown[RateLabels(provider: "one", country: "+200")] == nil)
    }
}
