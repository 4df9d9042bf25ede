import Messaging
import Routing
import Testing

@Suite struct ChoiceTests {
    private static let now = ContinuousClock.now
    private static let (first, second, voice) = (
        ProviderID(rawValue: 1), ProviderID(rawValue: 2), ProviderID(rawValue: 3)
    )

    private static func route(isWeighted: Bool = false) -> Route {
        Route(
            id: RouteID(rawValue: 1), channel: .sms, isWeighted: isWeighted,
            targets: [
                RouteTarget(provider: Self.first, channel: .sms, weight: 300),
                RouteTarget(provider: Self.second, channel: .sms, weight: 100),
                RouteTarget(provider: Self.voice, channel: .voice, weight: 1000),
            ])
    }

    private static func open(_ provider: ProviderID, for duration: Duration) -> Conditions {
        Conditions(breakers: [.init(provider: provider, country: "+44"): .open(until: Self.now + duration)])
    }

    private func shares(of route: Route, _ conditions: Conditions, count: Int = 20_000) -> [Double] {
        var random = SystemRandomNumberGenerator()
        var counts = [Int](repeating: 0, count: route.targets.count)
        for _ in 0..<count {
            counts[
                route.begin(priority: .otp, country: "+44", conditions: conditions, now: Self.now, using: &random)] += 1
        }
        return counts.map { Double($0) / Double(count) }
    }

    @Test func theFirstThatIsWellTakesAll() {
        #expect(self.shares(of: Self.route(), Conditions()) == [1, 0, 0])
        #expect(self.shares(of: Self.route(), Self.open(Self.first, for: .seconds(9))) == [0, 1, 0])
    }

    @Test func aWeightedRouteIsShared() {
        let shares = self.shares(of: Self.route(isWeighted: true), Conditions())
        #expect(abs(shares[0] - 0.75) < 0.02)
        #expect(shares[2] == 0)
    }

    @Test func aProviderThatMayBeWellAgainGetsAFewAndThenMore() {
        let probing = self.shares(of: Self.route(), Self.open(Self.first, for: .seconds(-1)))
        #expect(probing[0] > 0.005 && probing[0] < 0.04)
        let half = Conditions(breakers: [
            .init(provider: Self.first, country: "+44"): .ramping(since: Self.now - Conditions.rampTime / 2)
        ])
        #expect(abs(self.shares(of: Self.route(), half)[0] - 0.5) < 0.03)
    }

    @Test func onlyCodesBeginByAnotherChannelAndNothingWhereNobodyServes() {
        var route = Self.route()
        var random = SystemRandomNumberGenerator()
        let conditions = Conditions(breakers: [
            .init(provider: Self.first, country: "+44"): .open(until: Self.now + .seconds(9)),
            .init(provider: Self.second, country: "+44"): .open(until: Self.now + .seconds(9)),
        ])
        let begins = Priority.allCases.map { priority in
            route.begin(priority: priority, country: "+44", conditions: conditions, now: Self.now, using: &random)
        }
        #expect(begins == [2, 0, 0])
        route.targets[0].isServed = false
        #expect(self.shares(of: route, Conditions()) == [0, 1, 0])
    }

    @Test func whereAMessageHasBeenItDoesNotGoAgain() {
        var random = SystemRandomNumberGenerator()
        let choose = { (tried: [Int], channels: Set<Channel>?) in
            Self.route().choose(
                tried: tried.reduce(TargetSet()) { $0.inserting($1) }, channels: channels, country: "+44",
                conditions: Conditions(), now: Self.now, using: &random)
        }
        let results = [
            choose([0], nil), choose([0, 1], nil), choose([0, 1, 2], nil), choose([0, 1], [.sms]),
            choose([0], [.voice]),
        ]
        #expect(results == [1, 2, nil, nil, 2])
    }

    @Test(arguments: [
        ("+12125550123", "+1"), ("+79991234567", "+7"), ("+447400000000", "+44"), ("+35312345678", "+353"),
        ("+9990000001", "+999"),
    ])
    func callingCodes(_ number: String, _ code: String) {
        #expect(PhoneNumber(number)?.callingCode == code)
    }
}
