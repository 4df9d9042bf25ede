import HTTP
import Messaging
import Testing

@testable import Channels

@Suite struct ProviderKindTests {
    /// providers.md section 1 rule 6.
    @Test func theseRatesCountSegments() {
        #expect(ProviderKind.twilioSMS.countsSegments && ProviderKind.bandwidthSMS.countsSegments)
        #expect(!ProviderKind.vonageSMS.countsSegments && !ProviderKind.infobipSMS.countsSegments)
    }

    /// Bandwidth posts a receipt for a day, and says itself when the carrier's never came.
    @Test func receiptsComeWithinTheirWindow() {
        #expect(ProviderKind.bandwidthSMS.receiptWindow == .seconds(86_400))
        #expect(ProviderKind.twilioSMS.receiptWindow == .seconds(3 * 86_400))
    }

    /// What `pinpost codes` prints is the table in force, line for line, and can be given back.
    @Test(arguments: ProviderKind.allCases) func theCodesAreTheTable(_ kind: ProviderKind) throws {
        let table = try StatusTable(parsing: kind.codes)
        for item in ConformanceCase.all where item.account.kind == kind {
            var account = item.account
            account.codes = kind.codes
            #expect(throws: Never.self) { try Drivers.make(account) }
        }
        #expect(kind == .discard || !kind.codes.isEmpty)
        _ = table
    }

    static let problems: [(ProviderAccount, String)] = [
        (Sample.account(.twilioSMS, ["account_sid": "AC1"]), "auth_token is missing"),
        (
            Sample.account(
                .twilioVoice, ["account_sid": "AC1", "auth_token": "t"], settings: ["machine_detection": "hangup"]),
            "machine_detection is not continue or off"
        ),
        (Sample.account(.twilioSMS, ["account_sid": "A/C", "auth_token": "t"]), "account_sid is no SID"),
        (Sample.account(.twilioSMS, ["account_sid": "A", "auth_token": "t", "api_key_sid": "S"]), "go together"),
        (
            Sample.account(
                .twilioSMS, ["account_sid": "A", "auth_token": "t"], receiptURL: "https://my_host.example/receipts/p1"),
            "underscore"
        ),
        (Sample.account(.bandwidthSMS, ["username": "u", "password": "p"]), "could forge"),
        (Sample.account(.bandwidthSMS, ["username": "u", "password": "p"]), "setting account_id is missing"),
        (
            Sample.account(
                .bandwidthSMS, ["username": "u", "password": "p", "receipt_token": Sample.token],
                settings: ["account_id": "1/2", "application_id": "a"]),
            "setting account_id is missing, or holds more"
        ),
        (Sample.account(.telnyxSMS, ["api_key": "k"]), "could forge"),
        (Sample.account(.telnyxSMS, ["api_key": "k", "public_key": "AAAA"]), "no Ed25519 key"),
        (
            Sample.account(
                .telnyxSMS, ["api_key": "k", "receipt_token": Sample.token], settings: ["tolerance_seconds": "1"]),
            "tolerance_seconds is not"
        ),
        (Sample.account(.plivoSMS, ["auth_id": "a"]), "auth_token is missing"),
        (
            Sample.account(.plivoSMS, ["auth_id": "a", "auth_token": "t"], settings: ["log": "maybe"]),
            "setting log is not true or false"
        ),
        (Sample.account(.sinchSMS, ["api_token": "t", "receipt_token": Sample.token]), "service_plan_id is missing"),
        (Sample.account(.messageBirdSMS, ["access_key": "k"]), "could forge"),
        (
            Sample.account(.messageBirdSMS, ["access_key": "k", "signing_key": "s"], codes: "error,1,no"),
            "codes: line 1 has not six columns"
        ),
    ]

    @Test(arguments: problems) func aBadAccountIsRefused(_ account: ProviderAccount, _ problem: String) {
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func anAPIKeyTakesThePlaceOfTwiliosToken() throws {
        let account = Sample.account(
            .twilioSMS, ["account_sid": "AC1", "auth_token": "t", "api_key_sid": "SK1", "api_key_secret": "s"])
        let request = try Sample.httpDriver(account).request(for: [Sample.dispatch()], now: Sample.now)
        // SK1:s
        #expect(request.fields["Authorization"] == "Basic U0sxOnM=")
        #expect(request.url.contains("/Accounts/AC1/"))
    }

    @Test func aPowerpackSendsWhatNamesNoSender() throws {
        var account = Sample.account(
            .plivoSMS, ["auth_id": "a", "auth_token": "t"], settings: ["powerpack_uuid": "pp-1", "log": "false"],
            sender: nil)
        let request = try Sample.httpDriver(account).request(for: [Sample.dispatch()], now: Sample.now)
        let body = String(decoding: request.body, as: UTF8.self)
        #expect(body.hasPrefix(#"{"powerpack_uuid":"pp-1","dst""#) && body.contains(#""log":false"#))
        account.defaultSender = "ACME"
        let other = try Sample.httpDriver(account).request(for: [Sample.dispatch()], now: Sample.now)
        #expect(String(decoding: other.body, as: UTF8.self).hasPrefix(#"{"src":"ACME","dst""#))
    }

    @Test func whatIndiaWantsGoesToPlivo() throws {
        let dlt = IndiaDLT(principalEntityID: "p-1", contentTemplateID: "c-1")
        let dispatch = Sample.dispatch(.text(TextContent("Code", indiaDLT: dlt)))
        let driver = try ConformanceCase.plivoSMS.driver()
        let body = String(decoding: driver.request(for: [dispatch], now: Sample.now).body, as: UTF8.self)
        #expect(body.hasSuffix(#""dlt_entity_id":"p-1","dlt_template_id":"c-1"}"#))
    }

    /// Without an address of ours nobody is told one, and every request is whole all the same.
    @Test(arguments: ConformanceCase.all) func withoutAReceiptAddressNoneIsTold(_ item: ConformanceCase) throws {
        var account = item.account
        account.receiptURL = nil
        let request = try Sample.httpDriver(account).request(for: item.sendings[0].dispatches, now: item.now)
        #expect(!String(decoding: request.body, as: UTF8.self).contains("r.example"))
        #expect(!request.body.isEmpty)
    }
}
