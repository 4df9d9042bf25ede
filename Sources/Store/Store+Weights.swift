public import Messaging
public import Postgres
public import Routing
public import Timestamps

extension Store {
    /// How long a weight stays where it was moved to, however many workers run.
    public static let weightInterval = Duration.seconds(60)

    /// Moves weights of routes as `decide` says, which is given where those are that are not at rest, and the rates since. What was
    /// moved less than ``weightInterval`` ago, or by another since it was read, stays.
    ///
    /// Returns how many were moved or came to rest; nil when another is at it.
    public func moveWeights(
        lanes: [Lane], since: Timestamp,
        decide: @Sendable (_ weights: [RouteID: [ProviderID: Int32]], _ rates: [ProviderRate]) -> [WeightMove]
    ) async throws(PostgresError) -> Int? {
        try await self.transaction { transaction throws(PostgresError) -> Int? in
            let isAlone = try await transaction.query(
                "SELECT pg_try_advisory_xact_lock(hashtext('pinpost route weights'))"
            ) { row throws(PostgresError) in try row.decode(0, as: Bool.self) }
            guard isAlone == [true] else { return nil }
            let weights = try await Self.weights(in: transaction)
            let rates = try await transaction.query(
                Self.readingProviderRates(lanes: lanes, since: since), timeout: Self.scanTimeout,
                decode: ProviderRate.init)
            return try await Self.make(decide(weights, rates), in: transaction)
        }
    }

    // MARK: - Private

    private static func weights(
        in transaction: borrowing Transaction
    ) async throws(PostgresError) -> [RouteID: [ProviderID: Int32]] {
        let rows = try await transaction.query(
            "SELECT route_id, provider_id, weight FROM route_weights LIMIT \(Int64(Self.weightLimit))"
        ) { row throws(PostgresError) in
            (
                RouteID(rawValue: try row.decode(0)), ProviderID(rawValue: try row.decode(1)),
                try row.decode(2, as: Int32.self)
            )
        }
        return rows.reduce(into: [:]) { $0[$1.0, default: [:]][$1.1] = $1.2 }
    }

    private static func make(
        _ moves: [WeightMove], in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Int {
        guard !moves.isEmpty else { return 0 }
        let begun = try await Self.begin(moves.filter { $0.from == nil }, in: transaction)
        let ended = try await Self.end(moves.filter { $0.to == nil }, in: transaction)
        return begun + ended + (try await Self.go(moves.filter { $0.from != nil && $0.to != nil }, in: transaction))
    }

    private static func begin(
        _ moves: [WeightMove], in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Int {
        try await transaction.execute(
            """
            INSERT INTO route_weights (route_id, provider_id, weight)
            SELECT n.* FROM unnest(
                \(moves.map(\.route.rawValue)), \(moves.map(\.provider.rawValue)), \(moves.map(\.next))
            ) AS n (route_id, provider_id, weight)
            -- It may have been taken away since it was read.
            JOIN routes r ON r.id = n.route_id
            ON CONFLICT DO NOTHING
            """)
    }

    private static func go(
        _ moves: [WeightMove], in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Int {
        try await transaction.execute(
            """
            UPDATE route_weights w SET weight = n.next, moved_at = now()
            FROM unnest(
                \(moves.map(\.route.rawValue)), \(moves.map(\.provider.rawValue)), \(moves.map(\.last)),
                \(moves.map(\.next))
            ) AS n (route_id, provider_id, weight, next)
            WHERE (w.route_id, w.provider_id, w.weight) = (n.route_id, n.provider_id, n.weight)
              AND w.moved_at <= now() - \(Self.weightInterval)
            """)
    }

    private static func end(
        _ moves: [WeightMove], in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Int {
        try await transaction.execute(
            """
            DELETE FROM route_weights w
            USING unnest(
                \(moves.map(\.route.rawValue)), \(moves.map(\.provider.rawValue)), \(moves.map(\.last))
            ) AS n (route_id, provider_id, weight)
            WHERE (w.route_id, w.provider_id, w.weight) = (n.route_id, n.provider_id, n.weight)
              AND w.moved_at <= now() - \(Self.weightInterval)
            """)
    }
}

extension WeightMove {
    /// Where it is stored; only of those that are.
    fileprivate var last: Int32 { self.from ?? 0 }
    /// Where it will be; only of those that go on being stored.
    fileprivate var next: Int32 { self.to ?? 0 }
}
