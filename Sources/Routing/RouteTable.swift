public import Messaging

/// All routes, to be looked up by message.
///
/// The nearest route wins: the one with the longest prefix, where a country counts as a little longer than its calling code;
/// among equals the one that names the account, then the sender, then the priority.
public struct RouteTable: Sendable {
    /// Which messages a route is for, but for its sender and priority.
    private struct Place: Hashable {
        var account: AccountID?
        var channel: Channel
        var area: Area
    }

    private enum Area: Hashable {
        case prefix(String)
        case country(String)
    }

    /// Those of one place in the order in which they win.
    private var routes: [Place: [Route]] = [:]
    /// Bit n is set when a route has a prefix of n characters, so that other lengths need not be looked for.
    private var prefixLengths: UInt32 = 0
    /// Channels on which a route names a country.
    private var countryChannels: Set<Channel> = []
    /// Whether any route has more than one target.
    public let hasAlternatives: Bool
    private let region: @Sendable (PhoneNumber) -> String?

    /// - `region`: the country of a number in ISO 3166's two letters; asked only where it can matter, as it may take its time.
    public init(_ routes: [Route] = [], region: @escaping @Sendable (PhoneNumber) -> String? = { _ in nil }) {
        self.region = region
        self.hasAlternatives = routes.contains { $0.targets.count > 1 }
        for route in routes {
            let area = route.country.map { Area.country($0) } ?? .prefix(route.prefix)
            let place = Place(account: route.account, channel: route.channel, area: area)
            self.routes[place, default: []].append(route)
            if route.country == nil {
                self.prefixLengths |= 1 << UInt32(route.prefix.utf8.count)
            } else {
                self.countryChannels.insert(route.channel)
            }
        }
        for place in self.routes.keys { self.routes[place]?.sort { $0.nearness > $1.nearness } }
    }

    /// The nearest route; nil when there is none.
    public func route(for query: RouteQuery) -> Route? {
        if self.routes.isEmpty { return nil }
        guard case .phone(let number) = query.recipient else { return self.route(in: .prefix(""), query) }
        let length = number.e164.utf8.count
        guard self.countryChannels.contains(query.channel) else {
            return self.route(byPrefixOf: 0...length, number, query)
        }
        let codeLength = number.callingCode.utf8.count
        return self.route(byPrefixOf: codeLength + 1...length, number, query)
            ?? self.region(number).flatMap { self.route(in: .country($0), query) }
            ?? self.route(byPrefixOf: 0...codeLength, number, query)
    }

    // MARK: - Private

    private func route(byPrefixOf lengths: ClosedRange<Int>, _ number: PhoneNumber, _ query: RouteQuery) -> Route? {
        for length in lengths.reversed() where self.prefixLengths & 1 << UInt32(length) != 0 {
            let prefix = String(decoding: number.e164.utf8.prefix(length), as: UTF8.self)
            if let route = self.route(in: .prefix(prefix), query) { return route }
        }
        return nil
    }

    private func route(in area: Area, _ query: RouteQuery) -> Route? {
        self.route(in: Place(account: query.account, channel: query.channel, area: area), query)
            ?? self.route(in: Place(account: nil, channel: query.channel, area: area), query)
    }

    private func route(in place: Place, _ query: RouteQuery) -> Route? {
        self.routes[place]?.first { route in
            (route.sender == nil || route.sender == query.sender)
                && (route.priority == nil || route.priority == query.priority)
        }
    }
}

extension Route {
    /// Of two routes of the same place the one with more of it wins.
    fileprivate var nearness: Int { (self.sender == nil ? 0 : 2) + (self.priority == nil ? 0 : 1) }
}
