import JSON
import Messaging
import Postgres
import Routing
import Store
import Telemetry
import TestSystem
import Testing
import Timestamps

@testable import Delivery

@Suite struct WeightUpkeepTests {
    private static let (a, b) = (ProviderID(rawValue: 1), ProviderID(rawValue: 2))

    private static func run(_ body: (TestSystem) async throws -> Void) async throws {
        try await TestSystem.run { system async throws in
            let names = ["a", "b"]
            try await system.apply([
                "providers": [["name": "a", "kind": "discard"], ["name": "b", "kind": "discard"]],
                "routes": [
                    [
                        "country": "CH", "policy": "weighted",
                        "providers": [
                            ["name": "a", "min_weight": 0, "max_weight": 400],
                            ["name": "b", "min_weight": 0, "max_weight": 400],
                        ],
                    ], ["provider": "a"],
                ],
            ])
            #expect(try await system.store.directory().providers.map(\.name) == names)
            try await body(system)
        }
    }

    /// What is measured becomes a move, which is stored and shown.
    @Test func aProviderThatDeliversLessGetsLess() async throws {
        try await Self.run { system async throws in
            _ = try await system.pool.execute(
                """
                INSERT INTO rates (lane, hour, account_id, provider_id, channel, country, sent, delivered, undelivered, converted,
                                   unconverted)
                VALUES (0, date_trunc('hour', now(), 'UTC'), 1, 1, 'sms', '+41', 1000, 990, 0, 0, 0),
                       (0, date_trunc('hour', now(), 'UTC'), 1, 2, 'sms', '+41', 1000, 200, 0, 0, 0),
                       -- Not of the route's country.
                       (0, date_trunc('hour', now(), 'UTC'), 1, 1, 'sms', '+44', 900000, 0, 0, 0, 0)
                """)
            let metrics = Metrics()
            let upkeep = WeightUpkeep(
                store: system.store, lanes: [Lane(rawValue: 0)], metrics: DeliveryMetrics(metrics),
                logger: .silent)
            await withTaskGroup { group in
                group.addTask { await upkeep.run { [Self.a: "a", Self.b: "b"] } }
                while !metrics.render().contains("pinpost_route_weight{") {
                    try? await Task.sleep(for: .milliseconds(5))
                }
                group.cancelAll()
            }
            let weights = try await system.store.conditions().weights.values.map { $0 }
            #expect(weights == [[Self.a: 120, Self.b: 80]])
            let lines = metrics.render().split(separator: "\n").filter { $0.hasPrefix("pinpost_route_weight{") }
            #expect(lines.count == 2)
            #expect(
                lines.contains { $0.contains(#"area="CH""#) && $0.contains(#"provider="a""#) && $0.hasSuffix(" 120") })
            #expect(
                lines.contains {
                    $0.contains(#"channel="sms""#) && $0.contains(#"provider="b""#) && $0.hasSuffix(" 80")
                })
        }
    }

    @Test func onlyWeightsOfWeightedRoutesAndServedProvidersAreShown() {
        let targets = [RouteTarget(provider: Self.a, channel: .sms), RouteTarget(provider: Self.b, channel: .sms)]
        let routes = [
            Route(id: RouteID(rawValue: 1), channel: .sms, targets: targets),
            Route(id: RouteID(rawValue: 2), channel: .sms, prefix: "+41", isWeighted: true, targets: targets),
        ]
        let shown = WeightLabels.weights(routes, Conditions(), names: [Self.b: "b"])
        #expect(
            shown == [WeightLabels(route: RouteID(rawValue: 2), channel: .sms, area: "+41", provider: "b"): 100])
        let many = (1...1000).map {
            Route(id: RouteID(rawValue: $0), channel: .sms, isWeighted: true, targets: targets)
        }
        #expect(
            WeightLabels.weights(many, Conditions(), names: [Self.a: "a", Self.b: "b"]).count == WeightUpkeep.shownLimit
        )
    }

    @Test(arguments: [("CH", "+41"), ("US", "+1"), ("XX", nil)] as [(String, String?)])
    func aCountryHasACallingCode(region: String, code: String?) {
        #expect(WeightUpkeep.callingCode(of: region) == code)
    }
}
