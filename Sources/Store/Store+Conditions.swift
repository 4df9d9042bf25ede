import Messaging
public import Postgres
public import Routing

extension Store {
    /// Breakers that are read; each is a provider's in one country.
    static let breakerLimit = 20_000
    /// Weights that are read; each is a provider's in one route.
    static let weightLimit = 20_000

    /// How providers are: breakers that are not closed, and weights that have moved. What is told in the database's time is turned into
    /// this process's at the moment of reading, so clocks that differ do no harm.
    public func conditions() async throws(PostgresError) -> Conditions {
        try await self.conditionsAndRevision().conditions
    }

    /// With the ``configurationRevision()``, so that who follows both asks once.
    public func conditionsAndRevision() async throws(PostgresError) -> (conditions: Conditions, revision: Int64) {
        let rows = try await self.pool.query(
            """
            (SELECT provider_id, country, open_until - now(), now() - changed_at, NULL::integer, NULL::integer, NULL::bigint
             FROM breakers LIMIT \(Int64(Self.breakerLimit)))
            UNION ALL
            (SELECT provider_id, NULL, NULL, NULL, route_id, weight, NULL
             FROM route_weights LIMIT \(Int64(Self.weightLimit)))
            UNION ALL
            SELECT NULL, NULL, NULL, NULL, NULL, NULL, revision FROM configuration
            """, decode: Condition.init)
        let now = ContinuousClock.now
        var conditions = Conditions()
        var revision: Int64 = 0
        for row in rows {
            if case .revision(let number) = row { revision = number } else { conditions.add(row, now: now) }
        }
        return (conditions, revision)
    }
}

/// A row of what ``Store/conditionsAndRevision()`` reads.
private enum Condition: Sendable {
    case open(Conditions.Place, for: Duration)
    case ramping(Conditions.Place, since: Duration)
    case weight(RouteID, ProviderID, Int32)
    case revision(Int64)

    init(_ row: borrowing Row) throws(PostgresError) {
        if let revision = try row.decodeIfPresent(6, as: Int64.self) {
            self = .revision(revision)
            return
        }
        let provider = ProviderID(rawValue: try row.decode(0))
        if let route = try row.decodeIfPresent(4, as: Int32.self) {
            self = .weight(RouteID(rawValue: route), provider, try row.decode(5))
            return
        }
        let place = Conditions.Place(provider: provider, country: try row.decode(1))
        if let left = try row.decodeIfPresent(2, as: Duration.self) {
            self = .open(place, for: left)
        } else {
            self = .ramping(place, since: try row.decode(3))
        }
    }
}

extension Conditions {
    fileprivate mutating func add(_ condition: Condition, now: ContinuousClock.Instant) {
        switch condition {
        case .open(let place, let left): self.breakers[place] = .open(until: now + left)
        case .ramping(let place, let elapsed): self.breakers[place] = .ramping(since: now - elapsed)
        case .weight(let route, let provider, let weight): self.weights[route, default: [:]][provider] = weight
        case .revision: break
        }
    }
}
