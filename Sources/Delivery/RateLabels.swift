import Messaging
import Store

/// What a rate that is shown is about: a provider, and one country or, with an empty name, all.
struct RateLabels: Hashable {
    var provider: String
    var country: String

    /// Providers, each with all its countries, that are shown; those with the most messages.
    static let providerLimit = 50
    /// Providers with one country that are shown; those with the most messages.
    static let countryLimit = 100

    /// The counts to show: of each provider's countries and of all of them together. What nobody here serves is left out.
    static func summed(_ rates: [ProviderRate], names: [ProviderID: String]) -> [RateLabels: RateCounts] {
        var providers: [RateLabels: RateCounts] = [:]
        var countries: [RateLabels: RateCounts] = [:]
        for rate in rates {
            guard let name = names[rate.provider] else { continue }
            providers[RateLabels(provider: name, country: ""), default: RateCounts()] += rate.counts
            guard !rate.country.isEmpty else { continue }
            countries[RateLabels(provider: name, country: rate.country), default: RateCounts()] += rate.counts
        }
        return Self.most(of: providers, Self.providerLimit).merging(Self.most(of: countries, Self.countryLimit)) { $1 }
    }

    private static func most(of counts: [RateLabels: RateCounts], _ limit: Int) -> [RateLabels: RateCounts] {
        let sorted = counts.sorted { ($1.value.sent, $0.key.name) < ($0.value.sent, $1.key.name) }
        return Dictionary(uniqueKeysWithValues: sorted.prefix(limit).map { ($0.key, $0.value) })
    }

    private var name: String { "\(self.provider) \(self.country)" }
}
