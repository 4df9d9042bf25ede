import JSON
import Messaging
import Postgres
import Routing
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct WeightTests {
    private static let first = ProviderID(rawValue: 1)

    /// With a route whose weights may move.
    private static func run(_ body: (StoreFixture, RouteID) async throws -> Void) async throws {
        try await StoreFixture.run { fixture async throws in
            let file: JSON = [
                "providers": [["name": "a", "kind": "discard"], ["name": "b", "kind": "discard"]],
                "routes": [
                    ["policy": "weighted", "providers": [["name": "a", "min_weight": 0, "max_weight": 400], "b"]]
                ],
            ]
            try await TestSystem(url: fixture.url, pool: fixture.pool).apply(file)
            try await body(fixture, try #require(try await fixture.store.routes().first?.id))
        }
    }

    /// Moves the first provider's weight up by ten from where it is.
    private static func move(_ fixture: StoreFixture, _ route: RouteID) async throws -> Int? {
        try await fixture.store.moveWeights(lanes: [fixture.lane], since: .now) { weights, _ in
            let from = weights[route]?[Self.first]
            return [WeightMove(route: route, provider: Self.first, from: from, to: (from ?? 100) + 10)]
        }
    }

    private static func weight(_ fixture: StoreFixture, _ route: RouteID) async throws -> Int32? {
        try await fixture.store.conditions().weights[route]?[Self.first]
    }

    private static func age(_ fixture: StoreFixture, by seconds: Int64) async throws {
        _ = try await fixture.pool.execute(
            "UPDATE route_weights SET moved_at = moved_at - \(Duration.seconds(seconds))")
    }

    @Test func twoMoversMoveOnce() async throws {
        try await Self.run { fixture, route async throws in
            for round in 1...3 as ClosedRange<Int32> {
                try await withThrowingTaskGroup(of: Int?.self) { group async throws in
                    for _ in 0..<4 { group.addTask { try await Self.move(fixture, route) } }
                    var moved = 0
                    for try await count in group { moved += count ?? 0 }
                    #expect(moved == 1)
                }
                #expect(try await Self.weight(fixture, route) == 100 + 10 * round)
                // Not once more within the minute.
                try await Self.age(fixture, by: 55)
                #expect(try await Self.move(fixture, route) == 0)
                #expect(try await Self.weight(fixture, route) == 100 + 10 * round)
                try await Self.age(fixture, by: 5)
            }
        }
    }

    @Test func nobodyWaitsForAnotherMover() async throws {
        try await Self.run { fixture, route async throws in
            try await fixture.pool.transaction { transaction async throws in
                try await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('pinpost route weights'))")
                #expect(try await Self.move(fixture, route) == nil)
            }
            #expect(try await Self.move(fixture, route) == 1)
        }
    }

    @Test func whatAnotherHasMovedSinceItWasReadStays() async throws {
        try await Self.run { fixture, route async throws in
            _ = try await Self.move(fixture, route)
            try await Self.age(fixture, by: 60)
            for stale in [
                WeightMove(route: route, provider: Self.first, from: 105, to: 120),
                WeightMove(route: route, provider: Self.first, from: 105, to: nil),
                WeightMove(route: route, provider: Self.first, from: nil, to: 120),
                // Of a route that is gone.
                WeightMove(route: RouteID(rawValue: 999), provider: Self.first, from: nil, to: 120),
            ] {
                #expect(
                    try await fixture.store.moveWeights(lanes: [fixture.lane], since: .now) { _, _ in [stale] } == 0)
            }
            #expect(try await Self.weight(fixture, route) == 110)
        }
    }

    @Test func whatIsAtRestIsStoredNowhere() async throws {
        try await Self.run { fixture, route async throws in
            _ = try await Self.move(fixture, route)
            let rest = WeightMove(route: route, provider: Self.first, from: 110, to: nil)
            let end = { () async throws in
                try await fixture.store.moveWeights(lanes: [fixture.lane], since: .now) { _, _ in [rest] }
            }
            #expect(try await end() == 0)
            try await Self.age(fixture, by: 60)
            #expect(try await end() == 1)
            #expect(try await fixture.store.conditions().weights.isEmpty)
        }
    }

    @Test func whoDecidesIsToldTheRates() async throws {
        try await Self.run { fixture, route async throws in
            _ = try await fixture.pool.execute(
                """
                INSERT INTO rates SELECT 0, date_trunc('hour', now(), 'UTC') - n * interval '1 hour', 1, 1, 'sms', '+41', 5, 4, 1, 3, 0
                FROM generate_series(0, 9) n
                """)
            let moved = try await fixture.store.moveWeights(lanes: [fixture.lane], since: .now - .seconds(3600)) {
                weights, rates in
                #expect(weights.isEmpty)
                let counts = RateCounts(sent: 10, delivered: 8, undelivered: 2, converted: 6)
                #expect(
                    rates == [ProviderRate(provider: Self.first, channel: .sms, country: "+41", counts: counts)])
                return []
            }
            #expect(moved == 0)
        }
    }
}
