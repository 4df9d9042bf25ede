import Lifecycle
import Messaging
import PhoneNumbers
import Routing
import Store
import Telemetry
import Timestamps

/// Moves the weights of weighted routes with the measured delivery, and shows where they are.
///
/// Any worker does it, one at a time, and the database sees to it that no weight moves twice within a minute.
struct WeightUpkeep: Sendable {
    /// What delivery is measured over: this, and the hour before that it begins in.
    static let span = Duration.seconds(3600)
    /// Between two rounds of one worker.
    static let interval = Duration.seconds(30)
    /// Weights that are shown.
    static let shownLimit = 200

    let store: Store
    let lanes: [Lane]
    let metrics: DeliveryMetrics
    let logger: Logger

    func run(names: @escaping @Sendable () -> [ProviderID: String]) async {
        var shown: Set<WeightLabels> = []
        await Pulse(name: "moving weights", logger: self.logger).run {
            let routes = try await self.store.routes()
            try await self.move(routes)
            let conditions = try await self.store.conditions()
            let labelled = WeightLabels.weights(routes, conditions, names: names())
            // A gauge once shown cannot be taken away.
            for labels in shown.union(labelled.keys) { self.metrics.show(weight: labelled[labels], of: labels) }
            shown.formUnion(labelled.keys)
            try await Task.sleep(for: Self.interval * Double.random(in: 0.8...1.2))
        }
    }

    private func move(_ routes: [Route]) async throws {
        // Most have nothing to move, and nothing that was moved before.
        let isMovable = routes.contains { $0.isWeighted && $0.targets.contains { $0.bounds.count > 1 } }
        if !isMovable, try await self.store.conditions().weights.isEmpty { return }
        let moved = try await self.store.moveWeights(lanes: self.lanes, since: .now - Self.span) { weights, rates in
            Weighting(rates.map { Evidence($0) }, routes: routes, callingCode: Self.callingCode(of:)).moves(
                from: weights)
        }
        if let moved, moved > 0 { self.logger.info("moved weights of routes", ["count": moved]) }
    }

    static func callingCode(of region: String) -> String? {
        PhoneNumberFacts.countryCode(ofRegion: region).map { "+\($0)" }
    }
}

extension Evidence {
    fileprivate init(_ rate: ProviderRate) {
        let counts = rate.counts
        self.init(
            provider: rate.provider, channel: rate.channel, country: rate.country, sent: counts.sent,
            delivered: counts.delivered,
            converted: counts.converted + counts.unconverted > 0 ? counts.converted : nil)
    }
}

/// Whose weight is shown. Senders and accounts are not named: the number of the route tells those apart that differ in them.
struct WeightLabels: Hashable {
    var route: RouteID
    var channel: Channel
    /// The country or the prefix; empty for all.
    var area: String
    var provider: String

    /// Where the weights of weighted routes are; what nobody here serves is left out.
    static func weights(
        _ routes: [Route], _ conditions: Conditions, names: [ProviderID: String]
    ) -> [WeightLabels: Int32] {
        var weights: [WeightLabels: Int32] = [:]
        for route in routes.filter(\.isWeighted).sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
            for target in route.targets where weights.count < WeightUpkeep.shownLimit {
                guard let name = names[target.provider] else { continue }
                let labels = WeightLabels(
                    route: route.id, channel: route.channel, area: route.country ?? route.prefix, provider: name)
                weights[labels] = conditions.weight(of: target, in: route)
            }
        }
        return weights
    }
}
