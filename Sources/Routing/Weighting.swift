public import Messaging

/// Says where the measured delivery and conversion should move the weights of weighted routes.
///
/// Of each provider the share of its messages that arrived is set in proportion to that of all targets of the route together, country by
/// country, so that nobody is worse for serving hard countries. Where conversions are told of they count three times as much as
/// delivery: a receipt may lie, a code that was typed does not.
///
/// A few messages say little. So each share is drawn towards that of all, as if ``priorMessages`` more messages had been sent with the
/// success of all: the mean of the Beta posterior with the pooled rate as its prior (empirical Bayes; G. Casella, "An Introduction to
/// Empirical Bayes Data Analysis", The American Statistician 39 (1985) 83-87). Without messages it is that of all, and the weight goes
/// back to rest.
///
/// The goal is the weight at rest times that proportion to the power of ``sensitivity``, within the target's bounds. A move goes a
/// twentieth of the way between the bounds and no further.
public struct Weighting: Sendable {
    /// What the pooled rate weighs against a provider's own messages.
    public static let priorMessages = 100.0
    /// 4: who delivers a tenth less than all gets a third less.
    public static let sensitivity = 4
    /// The part of the quality that conversion has, where it is known; the rest is delivery's.
    public static let conversionPart = 0.75
    /// A move is at most this part of the way between the bounds, and 1 at least.
    public static let stepsBetweenBounds: Int32 = 20

    private let routes: [Route]
    private let evidence: [String: [Evidence]]
    private let callingCodes: [RouteID: String]

    /// - `callingCode`: of a country in ISO 3166's two letters, with its plus sign.
    public init(_ evidence: [Evidence], routes: [Route], callingCode: (String) -> String?) {
        self.routes = routes
        self.evidence = Dictionary(grouping: evidence, by: \.country)
        self.callingCodes = routes.reduce(into: [:]) { codes, route in
            // A country that has no code has no numbers either.
            codes[route.id] = route.country.map { callingCode($0) ?? "none" }
        }
    }

    /// The next steps from where the weights are. None follows from the same evidence twice within a minute; that is for whoever
    /// stores them to see to.
    public func moves(from weights: [RouteID: [ProviderID: Int32]]) -> [WeightMove] {
        self.routes.flatMap { self.moves(of: $0, from: weights[$0.id] ?? [:]) }
    }

    /// The quality of a target in proportion to all of its kind in the route: 1 is as good as all together.
    func quality(of target: RouteTarget, in route: Route) -> Double {
        let peers = route.targets.filter { ($0.channel == route.channel) == (target.channel == route.channel) }
        var (sum, volume) = (0.0, 0.0)
        for (country, evidence) in self.evidence where self.goes(to: country, by: route) {
            let all = peers.map { Tally(evidence, of: $0, in: route) }.reduce(Tally(), +)
            guard all.sent > 0 else { continue }
            sum += Tally(evidence, of: target, in: route).quality(among: all) * all.sent
            volume += all.sent
        }
        return volume > 0 ? sum / volume : 1
    }

    // MARK: - Private

    private func moves(of route: Route, from weights: [ProviderID: Int32]) -> [WeightMove] {
        let targets = route.isWeighted ? route.targets.filter { $0.bounds.count > 1 } : []
        let moves = targets.compactMap { self.move(of: $0, in: route, from: weights[$0.provider]) }
        let gone = Set(weights.keys).subtracting(targets.map(\.provider))
        return moves
            + gone.sorted { $0.rawValue < $1.rawValue }.map { provider in
                WeightMove(route: route.id, provider: provider, from: weights[provider], to: nil)
            }
    }

    private func move(of target: RouteTarget, in route: Route, from stored: Int32?) -> WeightMove? {
        let goal = self.goal(of: target, in: route)
        let step = max(1, (target.bounds.upperBound - target.bounds.lowerBound) / Self.stepsBetweenBounds)
        // The bounds may have changed since it was stored.
        let now = (stored ?? target.weight).clamped(to: target.bounds)
        let next = now + (goal - now).clamped(to: -step...step)
        let isAtRest = next == target.weight && (stored == nil || stored == next)
        if isAtRest, stored == nil { return nil }
        if !isAtRest, next == stored { return nil }
        return WeightMove(route: route.id, provider: target.provider, from: stored, to: isAtRest ? nil : next)
    }

    private func goal(of target: RouteTarget, in route: Route) -> Int32 {
        let quality = self.quality(of: target, in: route)
        let factor = (0..<Self.sensitivity).reduce(1.0) { product, _ in product * quality }
        let (low, high) = (Double(target.bounds.lowerBound), Double(target.bounds.upperBound))
        return Int32(min(max(Double(target.weight) * factor, low), high).rounded())
    }

    /// Whether messages to a country may go by a route: its area is there, and no other route has that country for itself.
    private func goes(to country: String, by route: Route) -> Bool {
        if let code = self.callingCodes[route.id] { return code == country }
        guard country.hasPrefix(route.prefix) || route.prefix.hasPrefix(country) else { return false }
        return !self.routes.contains { other in
            other.channel == route.channel && other.prefix == country
                && other.prefix.utf8.count > route.prefix.utf8.count
                && (other.account == nil || other.account == route.account) && other.sender == nil
                && other.priority == nil
        }
    }
}

/// What came of messages, in one country.
private struct Tally {
    var sent = 0.0
    var delivered = 0.0
    var converted = 0.0
    var isConversionKnown = false

    init() {}

    /// Of one target. A short message that became a call may be counted as either.
    init(_ evidence: [Evidence], of target: RouteTarget, in route: Route) {
        for one in evidence where one.provider == target.provider {
            guard one.channel == target.channel || one.channel == route.channel else { continue }
            // What was sent before anybody counted may arrive now, so parts may be more than the whole, or less than nothing.
            let sent = max(0, one.sent)
            self.sent += Double(sent)
            self.delivered += Double(min(max(0, one.delivered), sent))
            self.converted += Double(min(max(0, one.converted ?? 0), sent))
            self.isConversionKnown = self.isConversionKnown || one.converted != nil
        }
    }

    static func + (left: Tally, right: Tally) -> Tally {
        var sum = left
        sum.sent += right.sent
        sum.delivered += right.delivered
        sum.converted += right.converted
        sum.isConversionKnown = left.isConversionKnown || right.isConversionKnown
        return sum
    }

    func quality(among all: Tally) -> Double {
        let delivery = self.proportion(of: self.delivered, all.delivered, among: all)
        guard all.isConversionKnown else { return delivery }
        let conversion = self.proportion(of: self.converted, all.converted, among: all)
        return Weighting.conversionPart * conversion + (1 - Weighting.conversionPart) * delivery
    }

    /// The share of a part, drawn towards that of all, in proportion to that of all; 1 where there is none at all.
    private func proportion(of part: Double, _ allParts: Double, among all: Tally) -> Double {
        guard allParts > 0, all.sent > 0 else { return 1 }
        let pooled = allParts / all.sent
        let share = (part + Weighting.priorMessages * pooled) / (self.sent + Weighting.priorMessages)
        return share / pooled
    }
}

extension Int32 {
    fileprivate func clamped(to range: ClosedRange<Int32>) -> Int32 {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
