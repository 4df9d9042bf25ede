import Crypto
import HTTP
import JSON
import Messaging
import Testing

@testable import Channels

/// What providers.md tags M, not confirmed: each is a setting or a line of data, and has a test of its name here.
@Suite struct UnconfirmedFactsTests {
    private func body(_ account: ProviderAccount, _ dispatch: Dispatch = Sample.dispatch()) throws -> String {
        String(
            decoding: try Sample.httpDriver(account).request(for: [dispatch], now: Sample.now).body, as: UTF8.self)
    }

    @Test func twilioCallsAgainAsTheFragmentOfTheAddressSays() throws {
        var account = ConformanceCase.twilioSMS.account
        account.settings = ["connection_overrides": "rc=5&ct=2000"]
        #expect(try self.body(account).hasSuffix("%23rc%3D5%26ct%3D2000"))
        account.settings = ["connection_overrides": "none"]
        #expect(try self.body(account).hasSuffix("000000000001"))
        account.settings = ["connection_overrides": "a#b"]
        #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
    }

    @Test func twilios30036IsAnExpiry() { #expect(StatusTable.twilio["error", "30036"] == .expired) }

    @Test func plivosLongestValidityIsASetting() throws {
        var account = ConformanceCase.plivoSMS.account
        #expect(
            try self.body(account, Sample.dispatch(validity: .seconds(1_000_000))).contains(#""message_expiry":10800"#))
        #expect(try self.body(account, Sample.dispatch(validity: .zero)).contains(#""message_expiry":5}"#))
        account.settings["longest_validity_seconds"] = "86400"
        #expect(
            try self.body(account, Sample.dispatch(validity: .seconds(1_000_000))).contains(#""message_expiry":86400"#))
    }

    @Test func plivosErrorsBeyondFiftyAreLines() {
        let codes = [60, 70, 80, 90, 100, 110, 200, 201, 300, 420, 450, 451, 452, 910, 920, 930, 1000]
        for code in codes { #expect(StatusTable.plivoSMS["error", "\(code)"] != nil, "\(code)") }
        #expect(StatusTable.plivoSMS["error", "200"]?.action == .stopSuppress)
    }

    @Test func telnyxsAccountErrorsAreLines() {
        #expect(StatusTable.telnyxSMS["error", "40314"]?.action == .haltProvider)
        #expect(StatusTable.telnyxSMS["error", "40333"]?.action == .haltProvider)
    }

    @Test func sinchsNewerCodesAreLines() {
        for code in 413...418 { #expect(StatusTable.sinchSMS["code", "\(code)"]?.state == .failed) }
    }

    @Test func sinchsOtherHostsAreTheAddress() throws {
        var account = ConformanceCase.sinchSMS.account
        account.baseURL = "https://zt.eu.sms.api.sinch.com/"
        let request = try Sample.httpDriver(account).request(for: [Sample.dispatch()], now: Sample.now)
        #expect(request.url == "https://zt.eu.sms.api.sinch.com/xms/v1/plan-1/batches")
    }

    static let reasons: [(String, Verdict)] = [
        ("Unknown+subscriber", Verdict(.undelivered, .permanentRecipient, .stop, .unknownSubscriber)),
        ("unavailable+subscriber", Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
        ("expired", .expired), ("opted+out", Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
        ("received+network+error", Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
        ("insufficient+balance", Verdict(.failed, .config, .haltProvider, .insufficientCredit)),
        ("carrier+rejected", Verdict(.rejected, .permanentMessage, .failoverOnce, .blockedByCarrier)),
        ("capacity+limit+reached", Verdict(.failed, .transientProvider, .throttle, .throttledCarrier)),
        ("generic+delivery+failure", Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
        ("something+else", Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
    ]

    @Test(arguments: reasons) func messageBirdsReasonsAreLines(_ reason: String, _ verdict: Verdict) throws {
        let item = ConformanceCase.messageBirdSMS
        var request = item.report("delivery_failed", "")
        request.query? += "&statusReason=\(reason)"
        let receipts = try item.driver().receipts(in: item.proving(request), now: item.now)
        #expect(receipts.map(\.verdict) == [verdict])
        #expect(receipts.map(\.code) == [reason.replacing("+", with: " ")])
    }

    /// How many recipients Plivo, Sinch and MessageBird take at once is not confirmed, and nothing hangs on it: see each driver
    /// for why it sends one.
    @Test func oneMessageARequestNeedsNoLimit() throws {
        for item in [ConformanceCase.plivoSMS, .sinchSMS, .messageBirdSMS] {
            #expect(try item.driver().batchLimit == 1)
        }
    }

    @Test func bandwidthsGroupIsNeverMade() throws {
        #expect(try ConformanceCase.bandwidthSMS.driver().batchLimit == 1)
        let body = try JSON(parsing: Array(try self.body(ConformanceCase.bandwidthSMS.account).utf8))
        #expect(body["to"]?.array?.count == 1)
    }
}
