import Messaging
import Testing

@testable import Routing

@Suite struct WeightingTests {
    private static let (a, b, calls) = (ProviderID(rawValue: 1), ProviderID(rawValue: 2), ProviderID(rawValue: 3))
    private static let id = RouteID(rawValue: 7)

    private static func route(
        _ id: RouteID = Self.id, prefix: String = "", country: String? = nil, isWeighted: Bool = true,
        bounds: ClosedRange<Int32> = 0...400
    ) -> Route {
        Route(
            id: id, channel: .sms, prefix: prefix, country: country, isWeighted: isWeighted,
            targets: [
                RouteTarget(provider: Self.a, channel: .sms, weight: 100, bounds: bounds),
                RouteTarget(provider: Self.b, channel: .sms, weight: 100, bounds: bounds),
                RouteTarget(provider: Self.calls, channel: .voice, weight: 100, bounds: bounds),
            ])
    }

    private static func evidence(
        _ provider: ProviderID, _ sent: Int64, _ delivered: Int64, _ converted: Int64? = nil, country: String = "+41",
        channel: Channel = .sms
    ) -> Evidence {
        Evidence(
            provider: provider, channel: channel, country: country, sent: sent, delivered: delivered,
            converted: converted)
    }

    private static func weighting(_ evidence: [Evidence], _ routes: [Route]) -> Weighting {
        Weighting(evidence, routes: routes) { ["CH": "+41", "US": "+1"][$0] }
    }

    /// Of the first provider, in hundredths.
    private static func quality(_ evidence: [Evidence], _ route: Route = Self.route(), _ others: [Route] = []) -> Int {
        let quality = Self.weighting(evidence, [route] + others).quality(of: route.targets[0], in: route)
        return Int((quality * 100).rounded())
    }

    private static let qualities: [([Evidence], Int)] = [
        // Nothing is known: as good as all.
        ([], 100), ([evidence(a, 0, 0)], 100), ([evidence(b, 1000, 900)], 100),
        // Alone it is all.
        ([evidence(a, 1000, 10)], 100), ([evidence(a, 1000, 0), evidence(b, 1000, 0)], 100),
        ([evidence(a, 1000, 900), evidence(b, 1000, 900)], 100),
        ([evidence(a, 10_000, 10_000), evidence(b, 10_000, 0)], 199),
        ([evidence(a, 10_000, 0), evidence(b, 10_000, 10_000)], 1),
        ([evidence(a, 10_000, 9000), evidence(b, 10_000, 10_000)], 95),
        // Few messages say little: five that did not arrive, and a hundred.
        ([evidence(a, 5, 0), evidence(b, 100_000, 95_000)], 95),
        ([evidence(a, 100, 0), evidence(b, 100_000, 95_000)], 50),
        // Conversion counts three times as much, and only where it is known.
        ([evidence(a, 100_000, 100_000, 30_000), evidence(b, 100_000, 50_000, 90_000)], 71),
        ([evidence(a, 100_000, 50_000, 90_000), evidence(b, 100_000, 100_000, 30_000)], 129),
        ([evidence(a, 100_000, 50_000, 0), evidence(b, 100_000, 50_000)], 100),
        // Those of another channel are nobody's peers.
        ([evidence(a, 1000, 900), evidence(calls, 100_000, 0, channel: .voice)], 100),
        // What is counted twice, or before anybody counted.
        ([evidence(a, 1000, 2000), evidence(b, 1000, 1000)], 100),
        ([evidence(a, 1000, -5, -7), evidence(b, -3, 1000)], 100),
    ]

    @Test(arguments: Self.qualities)
    func aProviderIsAsGoodAsItsDeliveryAndConversion(evidence: [Evidence], expected: Int) {
        #expect(Self.quality(evidence) == expected)
        #expect(Self.quality(evidence.reversed()) == expected)
    }

    /// The first serves a hard country almost alone, and better than the second does; all in all it looks worse.
    @Test func whoServesHardCountriesIsNotWorseForIt() {
        let evidence = [
            Self.evidence(Self.a, 10_000, 5_500, country: "+234"), Self.evidence(Self.b, 1000, 500, country: "+234"),
            Self.evidence(Self.a, 1000, 990), Self.evidence(Self.b, 10_000, 9_800),
        ]
        #expect(Self.quality(evidence) > 100)
    }

    private static let areas: [(Route, Int)] = [
        (route(prefix: "+41"), 50), (route(prefix: "+4179"), 50), (route(prefix: "+4"), 50), (route(), 50),
        (route(country: "CH"), 50), (route(prefix: "+44"), 100), (route(country: "US"), 100),
        (route(country: "XX"), 100), (route(prefix: "+1"), 100),
    ]

    @Test(arguments: Self.areas)
    func onlyCountriesOfTheRouteCount(route: Route, expected: Int) {
        let evidence = [Self.evidence(Self.a, 100, 0), Self.evidence(Self.b, 100_000, 95_000)]
        #expect(Self.quality(evidence, route) == expected)
    }

    @Test func aCountryThatHasARouteOfItsOwnDoesNotCountForOthers() {
        let evidence = [Self.evidence(Self.a, 100, 0), Self.evidence(Self.b, 100_000, 95_000)]
        let own = Self.route(RouteID(rawValue: 8), prefix: "+41")
        #expect(Self.quality(evidence, Self.route(), [own]) == 100)
        #expect(Self.quality(evidence, own, [Self.route()]) == 50)
        var ofOneSender = own
        ofOneSender.sender = "Acme"
        var ofOneAccount = own
        ofOneAccount.account = AccountID(rawValue: 1)
        #expect(Self.quality(evidence, Self.route(), [ofOneSender, ofOneAccount]) == 50)
        #expect(Self.quality(evidence, Self.route(prefix: "+4179"), [own]) == 50)
    }

    // MARK: - Moves

    private static let good = [Self.evidence(Self.a, 10_000, 10_000), Self.evidence(Self.b, 10_000, 0)]

    private static func moves(
        _ evidence: [Evidence], _ route: Route = Self.route(), from weights: [ProviderID: Int32] = [:]
    ) -> [WeightMove] {
        Self.weighting(evidence, [route]).moves(from: [Self.id: weights])
    }

    private static func move(_ provider: ProviderID, _ from: Int32?, _ to: Int32?) -> WeightMove {
        WeightMove(route: Self.id, provider: provider, from: from, to: to)
    }

    private static let steps: [([Evidence], [ProviderID: Int32], [WeightMove])] = [
        // A step at a time, a twentieth of the way between the bounds.
        (good, [:], [move(a, nil, 120), move(b, nil, 80)]),
        (good, [a: 120, b: 80], [move(a, 120, 140), move(b, 80, 60)]),
        // Up to the bounds, and there they stay.
        (good, [a: 390, b: 3], [move(a, 390, 400), move(b, 3, 0)]), (good, [a: 400, b: 0], []),
        // Back to rest when nothing is known any more, where nothing need be stored.
        ([], [a: 400, b: 0], [move(a, 400, 380), move(b, 0, 20)]),
        ([], [a: 110, b: 95], [move(a, 110, 100), move(b, 95, 100)]),
        ([], [a: 100, b: 100], [move(a, 100, nil), move(b, 100, nil)]), ([], [:], []),
        // Stored under other bounds.
        (good, [a: 1000, b: 0], [move(a, 1000, 400)]),
    ]

    @Test(arguments: Self.steps)
    func aWeightMovesAStepAtATime(evidence: [Evidence], weights: [ProviderID: Int32], expected: [WeightMove]) {
        #expect(Self.moves(evidence, from: weights) == expected)
    }

    @Test func whatCannotMoveDoesNot() {
        let weights = [Self.a: 120 as Int32, ProviderID(rawValue: 99): 5]
        let gone = [Self.move(Self.a, 120, nil), Self.move(ProviderID(rawValue: 99), 5, nil)]
        for route in [Self.route(bounds: 100...100), Self.route(isWeighted: false)] {
            #expect(Self.moves(Self.good, route) == [])
            #expect(Self.moves(Self.good, route, from: weights) == gone)
        }
    }

    /// Over and over from the same evidence: it comes to a goal between the bounds and stays.
    @Test(arguments: [(9_000, 81), (9_900, 98), (10_100, 102)] as [(Int64, Int32)])
    func itComesToItsGoalAndStays(delivered: Int64, goal: Int32) {
        let evidence = [Self.evidence(Self.a, 20_000, delivered), Self.evidence(Self.b, 20_000, 10_000)]
        var weights: [ProviderID: Int32] = [:]
        for _ in 0..<100 {
            for move in Self.moves(evidence, from: weights) { weights[move.provider] = move.to }
        }
        #expect(weights[Self.a] == goal)
        #expect(Self.moves(evidence, from: weights) == [])
    }

    @Test func aNarrowRangeStillMoves() {
        #expect(
            Self.moves(Self.good, Self.route(bounds: 99...101)) == [
                Self.move(Self.a, nil, 101), Self.move(Self.b, nil, 99),
            ])
    }
}
