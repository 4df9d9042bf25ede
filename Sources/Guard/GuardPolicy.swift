public import Messaging
public import PhoneNumbers

/// What an operator says of an account: where it may send, how much, and how closely it is looked at.
public struct GuardPolicy: Sendable, Hashable {
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        case enforce
        /// Nothing is refused but what the operator itself has said; what would have been is counted.
        case watch
    }

    public enum CountryRule: String, Sendable, Hashable, CaseIterable {
        case off, on
        /// On, with tight limits, and off as long as the guard cannot see.
        case guarded
    }

    public var mode = Mode.enforce
    /// By ISO 3166, `001` for numbers of no country, `+` and digits for what begins so, `*` for the rest.
    public var countries: [String: CountryRule] = [:]
    public var refusedTypes = Self.standardTypes
    /// Sends to one number.
    public var number = Limit(short: 5, day: 10)
    /// Codes to numbers that differ in their last four digits, less those that were used.
    public var block = Limit(short: 10, day: 50)
    /// Sends for one address, and for one device, of a caller's user.
    public var address = Limit(short: 5, day: 20)
    public var device = Limit(short: 5, day: 20)
    /// Wrong guesses from one address, and from one device.
    public var guesses = Limit(short: 10, day: 30)
    /// Codes to one country that may be ahead of what those that were used account for; see ``GuardState``.
    public var ahead: Int64 = 60
    /// The same of a guarded country.
    public var aheadGuarded: Int64 = 20
    /// Codes to one country an hour; nil: no such limit but for guarded ones.
    public var countryPerHour: Int64?
    public var accountPerDay: Int64?
    /// By country as ``countries``.
    public var spend: [String: SpendCap] = [:]
    /// Of all countries together.
    public var spendInAll = SpendCap()
    /// Numbers, or what they begin with, that limits and scores pass over.
    public var safe: [String] = []

    public static let standardTypes: Set<PhoneNumberType> = [.premiumRate, .sharedCost, .pager]

    public init() {}

    /// So many in ten minutes, and in a day.
    public struct Limit: Sendable, Hashable {
        public var short: Int64
        public var day: Int64

        public init(short: Int64, day: Int64) {
            self.short = short
            self.day = day
        }
    }

    /// What a day's messages to a country may cost. A soft cap warns and has the country guarded, a hard one ends the day.
    public struct SpendCap: Sendable, Hashable {
        public var soft: Money?
        public var hard: Money?
        /// Of calls, which count apart; nil: as the others.
        public var voiceSoft: Money?
        public var voiceHard: Money?

        public init(soft: Money? = nil, hard: Money? = nil, voiceSoft: Money? = nil, voiceHard: Money? = nil) {
            self.soft = soft
            self.hard = hard
            self.voiceSoft = voiceSoft
            self.voiceHard = voiceHard
        }

        /// Whether it says anything of a channel.
        func limits(_ channel: Channel) -> Bool { self.soft(of: channel) != nil || self.hard(of: channel) != nil }

        func soft(of channel: Channel) -> Money? { channel == .voice ? self.voiceSoft ?? self.soft : self.soft }
        func hard(of channel: Channel) -> Money? { channel == .voice ? self.voiceHard ?? self.hard : self.hard }
    }

    /// What holds for numbers of no country.
    static let noCountry = "001"

    /// What is said of a number: by the longest beginning, by its country, or by `*`; of what nobody says anything it is off.
    func country(of number: String, _ range: PhoneNumberRange) -> Country {
        let region = range.region ?? Self.noCountry
        if let prefix = self.longestPrefix(of: number) {
            return Country(name: prefix, region: region, rule: self.countries[prefix] ?? .off)
        }
        return Country(name: region, region: region, rule: self.countries[region] ?? self.countries["*"] ?? .off)
    }

    struct Country: Sendable, Hashable {
        var name: String
        /// What the plans say that it is in; blocks and caps of it hold for its prefixes too.
        var region: String
        var rule: CountryRule
        /// Whether the operator named a prefix: then it knows these numbers, where the plans do not.
        var isPrefix: Bool { self.name != self.region }
    }

    func isSafe(_ number: String) -> Bool { self.safe.contains { number.hasPrefix($0) } }

    /// The caps that a message counts against: of what the operator named, of its country, and of the account, whose name is empty.
    func caps(of country: Country) -> [(name: String, cap: SpendCap)] {
        var caps = [(country.name, self.cap(of: country.name) ?? SpendCap()), ("", self.spendInAll)]
        if country.isPrefix { caps.append((country.region, self.cap(of: country.region) ?? SpendCap())) }
        return caps
    }

    // MARK: - Private

    private func cap(of country: String) -> SpendCap? { self.spend[country] ?? self.spend["*"] }

    private func longestPrefix(of number: String) -> String? {
        self.countries.keys.lazy.filter { $0.hasPrefix("+") && number.hasPrefix($0) }.max {
            $0.utf8.count < $1.utf8.count
        }
    }
}

extension GuardPolicy {
    /// What counts and tables go by of a number: its country, or the prefix that the operator has named.
    public func countryName(of number: PhoneNumber, _ range: PhoneNumberRange) -> String {
        self.country(of: number.e164, range).name
    }
}
