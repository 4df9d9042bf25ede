public import Messaging

/// How the providers are at the moment, as far as this process knows: what a choice among targets depends on beside the route.
public struct Conditions: Sendable, Hashable {
    /// Where a breaker stands.
    public struct Place: Sendable, Hashable {
        public var provider: ProviderID
        /// The calling code with its plus sign; empty for mails. See ``PhoneNumber/callingCode``.
        public var country: String

        public init(provider: ProviderID, country: String) {
            self.provider = provider
            self.country = country
        }
    }

    /// What a breaker lets through.
    public enum Phase: Sendable, Hashable {
        /// Nothing until then, and then probes.
        case open(until: ContinuousClock.Instant)
        /// More and more, from nothing at `since` to all after ``Conditions/rampTime``: those who come back all at once would knock the
        /// provider over again.
        case ramping(since: ContinuousClock.Instant)
    }

    /// Places that are not here are well.
    public var breakers: [Place: Phase]
    /// Where the measured delivery has moved the weights of routes' targets; those that are not here are at rest.
    public var weights: [RouteID: [ProviderID: Int32]]
    /// Providers that get nothing until then, in any country: they asked for a pause, or refuse our account.
    public var resting: [ProviderID: ContinuousClock.Instant] = [:]

    public init(breakers: [Place: Phase] = [:], weights: [RouteID: [ProviderID: Int32]] = [:]) {
        self.breakers = breakers
        self.weights = weights
    }

    /// From the first probe that went well to all of the traffic.
    public static let rampTime = Duration.seconds(30)
    /// The part of the traffic that is offered as probes once a breaker has been open for its time. Workers let one through at a
    /// time; the others go to the next target at once.
    public static let probeShare = 0.02

    /// After so long past its time all of the traffic is offered as probes.
    public static let probeTime = Duration.seconds(60)

    /// The part of the traffic that may go to a place, 0 to 1.
    public func share(of place: Place, now: ContinuousClock.Instant) -> Double {
        if let until = self.resting[place.provider], now < until { return 0 }
        return switch self.breakers[place] {
        case nil: 1
        // The longer nobody has come, the more are offered: where little is sent, a fiftieth of it comes once a day.
        case .open(let until): now < until ? 0 : min(1, max(Self.probeShare, (now - until) / Self.probeTime))
        case .ramping(let since): min(1, max(Self.probeShare, (now - since) / Self.rampTime))
        }
    }

    /// Within what the route allows now, whenever the weight was moved.
    public func weight(of target: RouteTarget, in route: Route) -> Int32 {
        let moved = self.weights[route.id]?[target.provider] ?? target.weight
        return min(max(moved, target.bounds.lowerBound), target.bounds.upperBound)
    }
}

extension PhoneNumber {
    /// The calling code (ITU-T E.164) with its plus sign: a country, or several that share it. The same as the function
    /// `calling_code` of the database has.
    public var callingCode: String {
        let digits = self.e164.utf8.dropFirst()
        let one = digits.first ?? 0
        if one == UInt8(ascii: "1") || one == UInt8(ascii: "7") { return String(self.e164.prefix(2)) }
        return String(self.e164.prefix(Self.isTwoDigits(digits.prefix(2)) ? 3 : 4))
    }

    private static func isTwoDigits(_ digits: Substring.UTF8View) -> Bool {
        guard let code = Int(String(Substring(digits))) else { return false }
        return Self.twoDigitCodes.contains(code)
    }

    private static let twoDigitCodes: Set<Int> = [
        20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61,
        62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
    ]
}

extension Recipient {
    /// See ``Conditions/Place/country``.
    public var country: String {
        switch self {
        case .phone(let number): number.callingCode
        case .email: ""
        }
    }
}
