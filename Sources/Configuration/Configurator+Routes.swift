import Channels
import Messaging
import Postgres
import Routing
import Store

// Which messages go by which providers.
extension Configurator {
    func apply(
        _ route: ConfigurationFile.Route, at path: String, in transaction: borrowing Transaction,
        _ progress: inout Progress
    ) async throws {
        let before = progress.problems.count
        var account: AccountID?
        if let name = route.place.account {
            account = try await Store.account(named: name, in: transaction)
            if account == nil { progress.fail("\(path)/account", "there is no such account") }
        }
        let targets = try await self.targets(of: route, in: transaction, &progress)
        if progress.problems.count == before { Self.checkWeights(targets, of: route, at: path, &progress) }
        guard progress.problems.count == before else { return }
        if try await Self.set(route, account: account, targets: targets, in: transaction) {
            progress.changed("route \(route.place.words): \(route.isRemoved ? "removed" : "set")")
        }
    }

    // MARK: - Private

    private func targets(
        of route: ConfigurationFile.Route, in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws -> [RouteTarget] {
        var targets: [RouteTarget] = []
        for target in route.targets {
            guard let found = try await Store.provider(named: target.provider, in: transaction) else {
                progress.fail(target.path, "there is no such provider")
                continue
            }
            let kind = ProviderKind(rawValue: found.kind)
            let channel = Self.channel(of: kind, in: route, behind: targets.map(\.channel))
            // Whatever is wrong may be taken away.
            if channel == nil, !route.isRemoved {
                progress.fail(target.path, Self.problem(with: kind, in: route.place.channel))
            }
            targets.append(
                RouteTarget(
                    provider: found.id, channel: channel ?? route.place.channel, weight: target.weight,
                    bounds: target.bounds))
        }
        return targets
    }

    /// By which channel a provider of this kind carries a route's messages, behind targets of these channels; nil when it cannot.
    ///
    /// Calls stand for short messages that did not arrive, behind all who send them.
    private static func channel(
        of kind: ProviderKind?, in route: ConfigurationFile.Route, behind others: [Channel]
    ) -> Channel? {
        let own = route.place.channel
        // A kind that only another version knows is that version's to judge.
        guard let kind else { return own }
        if kind.channels.contains(own) { return others.allSatisfy { $0 == own } ? own : nil }
        return own == .sms && kind.channels.contains(.voice) && others.contains(own) ? .voice : nil
    }

    private static func problem(with kind: ProviderKind?, in channel: Channel) -> String {
        if kind?.channels.contains(channel) == true { return "must stand before those that make calls" }
        guard channel == .sms, kind?.channels.contains(.voice) == true else {
            return "does not carry \(channel.rawValue)"
        }
        return "does not carry sms; those that make calls stand behind the others"
    }

    /// Where all are at 0, nobody would get a message.
    private static func checkWeights(
        _ targets: [RouteTarget], of route: ConfigurationFile.Route, at path: String, _ progress: inout Progress
    ) {
        let own = targets.filter { $0.channel == route.place.channel }
        guard route.isWeighted, !route.isRemoved, own.allSatisfy({ $0.weight == 0 }) else { return }
        progress.fail("\(path)/providers", "must have one for \(route.place.channel.rawValue) with a weight above 0")
    }

    private static func set(
        _ route: ConfigurationFile.Route, account: AccountID?, targets: [RouteTarget],
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        let place = route.place
        let stored = Route(
            // The database's to give.
            id: RouteID(rawValue: 0), account: account, channel: place.channel, prefix: place.prefix,
            country: place.country, sender: place.sender, priority: place.priority, isWeighted: route.isWeighted,
            silenceLimit: route.silenceLimit, targets: targets)
        if route.isRemoved { return try await Store.removeRoute(stored, in: transaction) }
        return try await Store.putRoute(stored, in: transaction)
    }
}

extension ConfigurationFile.RoutePlace {
    /// For people. A sender may be a number or an address, so it is not told.
    fileprivate var words: String {
        let area = self.country ?? (self.prefix.isEmpty ? nil : self.prefix)
        let words = [
            self.account, self.channel.rawValue, area, self.priority?.name, self.sender.map { _ in "of one sender" },
        ]
        return words.compactMap { $0 }.joined(separator: " ")
    }
}
