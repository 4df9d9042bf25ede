import Messaging
import Routing
import Synchronization
import Testing

/// Each route is called by its number; messages go to +12125550123 by "acme" (1), with the sender "Acme", as codes, unless they say
/// otherwise.
@Suite struct RouteTableTests {
    private static let acme = AccountID(rawValue: 1)
    private static let other = AccountID(rawValue: 2)

    private static func route(
        _ id: Int32, account: AccountID? = nil, channel: Channel = .sms, prefix: String = "", country: String? = nil,
        sender: String? = nil, priority: Priority? = nil
    ) -> Route {
        Route(
            id: RouteID(rawValue: id), account: account, channel: channel, prefix: prefix, country: country,
            sender: sender, priority: priority,
            targets: [RouteTarget(provider: ProviderID(rawValue: id), channel: channel)])
    }

    private static func query(
        to: String = "+12125550123", account: AccountID = Self.acme, channel: Channel = .sms, sender: String? = "Acme",
        priority: Priority = .otp
    ) throws -> RouteQuery {
        RouteQuery(
            account: account, channel: channel, recipient: try #require(Recipient(to, channel: channel)),
            sender: sender, priority: priority)
    }

    private static func region(_ number: PhoneNumber) -> String? {
        [
            ("+1204", "CA"), ("+1", "US"), ("+77", "KZ"), ("+7", "RU"), ("+423", "LI"), ("+42", nil), ("+44", "GB"),
        ].first { number.e164.hasPrefix($0.0) }?.1
    }

    /// The number of the route that is found, whatever the order in which the routes are given.
    private static func winner(_ query: RouteQuery, among routes: [Route]) -> Int32? {
        let found = [routes, routes.reversed()].map {
            RouteTable($0, region: Self.region).route(for: query)?.id.rawValue
        }
        #expect(found[0] == found[1])
        return found[0]
    }

    /// Each route beats all that come after it.
    private static let ladder = [
        Self.route(1, account: Self.acme, prefix: "+1212555", sender: "Acme", priority: .otp),
        Self.route(2, prefix: "+1212555"),
        Self.route(3, account: Self.acme, prefix: "+1212"),
        Self.route(4, prefix: "+1212", sender: "Acme", priority: .otp),
        Self.route(5, prefix: "+12"),
        Self.route(6, account: Self.acme, country: "US", sender: "Acme", priority: .otp),
        Self.route(7, account: Self.acme, country: "US", sender: "Acme"),
        Self.route(8, account: Self.acme, country: "US", priority: .otp),
        Self.route(9, account: Self.acme, country: "US"),
        Self.route(10, country: "US", sender: "Acme", priority: .otp),
        Self.route(11, country: "US", sender: "Acme"),
        Self.route(12, country: "US", priority: .otp),
        Self.route(13, country: "US"),
        Self.route(14, account: Self.acme, prefix: "+1", sender: "Acme", priority: .otp),
        Self.route(15, account: Self.acme, prefix: "+1", sender: "Acme"),
        Self.route(16, account: Self.acme, prefix: "+1", priority: .otp),
        Self.route(17, account: Self.acme, prefix: "+1"),
        Self.route(18, prefix: "+1", sender: "Acme", priority: .otp),
        Self.route(19, prefix: "+1", sender: "Acme"),
        Self.route(20, prefix: "+1", priority: .otp),
        Self.route(21, prefix: "+1"),
        Self.route(22, account: Self.acme, sender: "Acme", priority: .otp),
        Self.route(23, account: Self.acme),
        Self.route(24, sender: "Acme"),
        Self.route(25, priority: .otp),
        Self.route(26),
    ]

    @Test func theNearestWins() throws {
        let query = try Self.query()
        for index in Self.ladder.indices {
            #expect(Self.winner(query, among: Array(Self.ladder[index...])) == Self.ladder[index].id.rawValue)
        }
        #expect(Self.winner(query, among: []) == nil)
    }

    /// Of the whole ladder, what others get.
    @Test(
        arguments: [
            ("+12125550123", Self.other, "Acme", .otp, 2), ("+12124440123", Self.other, "Acme", .otp, 4),
            ("+12124440123", Self.other, "Acme", .bulk, 5), ("+12124440123", Self.other, nil, .otp, 5),
            ("+13125550123", Self.acme, "Acme", .bulk, 7), ("+13125550123", Self.acme, nil, .otp, 8),
            ("+13125550123", Self.acme, "acme", .bulk, 9), ("+13125550123", Self.other, "Acme", .otp, 10),
            ("+13125550123", Self.other, "Acme", .bulk, 11), ("+13125550123", Self.other, nil, .otp, 12),
            ("+13125550123", Self.other, nil, .bulk, 13), ("+12045550123", Self.acme, "Acme", .otp, 5),
            ("+14165550123", Self.acme, "Acme", .otp, 6), ("+447400123456", Self.acme, "Acme", .otp, 22),
            ("+447400123456", Self.acme, nil, .bulk, 23), ("+447400123456", Self.other, "Acme", .bulk, 24),
            ("+447400123456", Self.other, nil, .otp, 25), ("+447400123456", Self.other, nil, .bulk, 26),
        ] as [(String, AccountID, String?, Priority, Int32)])
    func othersFindTheirs(to: String, account: AccountID, sender: String?, priority: Priority, winner: Int32) throws {
        let query = try Self.query(to: to, account: account, sender: sender, priority: priority)
        #expect(Self.winner(query, among: Self.ladder) == winner)
    }

    /// Whose countries share a calling code, and whose code has three digits.
    @Test(
        arguments: [
            ("+12045550123", 1), ("+12055550123", 2), ("+77010009998", 4), ("+79123456789", 5), ("+4237901234", 7),
            ("+423660123456", 6), ("+420601123456", 8), ("+999123456789", nil),
        ] as [(String, Int32?)])
    func aCountryIsALittleLongerThanItsCallingCode(to: String, winner: Int32?) throws {
        let routes = [
            Self.route(1, country: "CA"), Self.route(2, prefix: "+1"), Self.route(4, country: "KZ"),
            Self.route(5, prefix: "+7"), Self.route(6, country: "LI"), Self.route(7, prefix: "+4237"),
            Self.route(8, prefix: "+42"), Self.route(9, prefix: "+423"),
        ]
        #expect(Self.winner(try Self.query(to: to), among: routes) == winner)
    }

    @Test func channelsDoNotMix() throws {
        let routes = [
            Self.route(1, country: "US"), Self.route(2, channel: .voice, prefix: "+1"),
            Self.route(3, channel: .email), Self.route(4, channel: .email, sender: "a@example.com"),
        ]
        #expect(Self.winner(try Self.query(), among: routes) == 1)
        #expect(Self.winner(try Self.query(channel: .voice), among: routes) == 2)
        #expect(Self.winner(try Self.query(to: "b@example.com", channel: .email), among: routes) == 3)
        let named = try Self.query(to: "b@example.com", channel: .email, sender: "a@example.com")
        #expect(Self.winner(named, among: routes) == 4)
        #expect(Self.winner(try Self.query(channel: .voice), among: [routes[0]]) == nil)
    }

    @Test func theCountryIsAskedForOnlyWhereItMatters() throws {
        let asked = Mutex(0)
        let table = { (routes: [Route]) in
            RouteTable(routes) { number in
                asked.withLock { $0 += 1 }
                return Self.region(number)
            }
        }
        let byPrefix = [Self.route(1, prefix: "+1"), Self.route(2)]
        let byCountry = [
            Self.route(1, prefix: "+1"), Self.route(2, prefix: "+1212"), Self.route(3, channel: .voice, country: "US"),
        ]
        #expect(table(byPrefix).route(for: try Self.query())?.id.rawValue == 1)
        // Of another channel, and with a longer prefix.
        #expect(table(byCountry).route(for: try Self.query())?.id.rawValue == 2)
        let withCountry = byCountry + [Self.route(4, country: "US")]
        #expect(table(withCountry).route(for: try Self.query())?.id.rawValue == 2)
        #expect(asked.withLock { $0 } == 0)
        #expect(table(withCountry).route(for: try Self.query(to: "+13125550123"))?.id.rawValue == 4)
        #expect(asked.withLock { $0 } == 1)
    }
}
