import Messaging

/// All routes, to be looked up by message.
///
/// The nearest route wins: the one with the longest prefix, where a country counts as a little longer than its calling code;
/// among equals the one that names the account, then the sender, then the priority.
public struct RouteTable: Sendable {
    /// Which messages a route is for, but for its sender and priority.
    private struct Place: Hashable {
        var account: AccountID?
        var channel: Channel
        var prefix: String
    }

    private var routes: [Place: [Route]] = [:]
    /// Whether any route has more than one target.
    public let hasAlternatives: Bool

    public init(_ routes: [Route] = []) {
        self.hasAlternatives = routes.contains { $0.targets.count > 1 }
        for route in routes {
            let place = Place(account: route.account, channel: route.channel, prefix: route.prefix)
            self.routes[place, default: []].append(route)
        }
    }

    /// The nearest route; nil when there is none.
    public func route(for query: RouteQuery) -> Route? {
        if self.routes.isEmpty { return nil }
        var prefix: Substring = if case .phone(let number) = query.recipient { number.e164[...] } else { "" }
        while true {
            for owner in [query.account, nil] {
                let place = Place(account: owner, channel: query.channel, prefix: String(prefix))
                if let route = self.routes[place]?.first { return route }
            }
            guard !prefix.isEmpty else { return nil }
            // A lone "+" is no prefix.
            prefix = prefix.count == 2 ? "" : prefix.dropLast()
        }
    }
}
