import Messaging
import Routing
import Store

/// Knows where messages may go beside the provider that they are bound for.
struct Navigator: Sendable {
    let routes: @Sendable () -> RouteTable
    let breakers: Breakers

    /// A message's way; nil when its route has one target only, or it has none any more: then there is nothing to choose.
    func way(of claim: Claim) -> Way? {
        let routes = self.routes()
        guard routes.hasAlternatives, let recipient = Recipient(claim.recipient, channel: claim.channel) else {
            return nil
        }
        let query = RouteQuery(
            account: claim.account, channel: claim.channel, recipient: recipient, sender: claim.sender,
            priority: claim.priority)
        guard let route = routes.route(for: query), route.targets.count > 1 else { return nil }
        return Way(claim, route: route, country: recipient.country)
    }
}

/// A message's route, and where on it it stands.
struct Way: Sendable {
    let route: Route
    let place: Conditions.Place
    /// Where it has been, the provider included that has it now.
    let tried: TargetSet
    let isCode: Bool
    /// Bulk: it waits for its provider rather than cost more at another.
    let isPatient: Bool

    init(_ claim: Claim, route: Route, country: String) {
        self.route = route
        self.place = Conditions.Place(provider: claim.provider, country: country)
        self.tried = route.index(of: claim.provider).map(claim.tried.inserting) ?? claim.tried
        self.isCode = claim.priority == .otp
        self.isPatient = claim.priority == .bulk
    }

    /// The target to go on to; nil when there is none that is well.
    func next(_ way: Settlement.Way = .any, in conditions: Conditions) -> RouteTarget? {
        self.next(way == .any ? self.channels : self.otherChannels, conditions)
    }

    func onward(in conditions: Conditions) -> Onward {
        Onward(
            sameChannel: self.next([self.route.channel], conditions) != nil,
            otherChannel: self.next(self.otherChannels, conditions) != nil)
    }

    /// Where it begins anew when it has been everywhere: a message goes somewhere.
    func restart(in conditions: Conditions) -> RouteTarget {
        var random = SystemRandomNumberGenerator()
        let index = self.route.choose(
            channels: [self.route.channel], country: self.place.country, conditions: conditions, now: .now,
            using: &random)
        return self.route.targets[index ?? 0]
    }

    /// What becomes of it when its provider, which has it now, reports that it did not arrive. Only codes wait for that: whoever reads
    /// a newsletter later has lost nothing.
    func standby(in conditions: Conditions, remaining: Duration) -> Settled.Standby? {
        guard self.isCode, remaining > .zero else { return nil }
        let same = self.next([self.route.channel], conditions)?.provider
        let other = self.next(self.otherChannels, conditions)?.provider
        guard same != nil || other != nil else { return nil }
        return Settled.Standby(
            provider: same, channelProvider: other, tried: self.tried, remaining: remaining,
            silence: self.route.silenceLimit)
    }

    // MARK: - Private

    private var otherChannels: Set<Channel> {
        self.isCode ? Set(Channel.allCases).subtracting([self.route.channel]) : []
    }

    private var channels: Set<Channel> { self.otherChannels.union([self.route.channel]) }

    private func next(_ channels: Set<Channel>, _ conditions: Conditions) -> RouteTarget? {
        var random = SystemRandomNumberGenerator()
        let index = self.route.choose(
            tried: self.tried, channels: channels, country: self.place.country, conditions: conditions, now: .now,
            using: &random)
        return index.map { self.route.targets[$0] }
    }
}
