import Channels
import Crypto
import Messaging
import Testing

@Suite struct DispatchTests {
    @Test func neverPrintsItsTextOrRecipient() {
        let dispatch = Sample.dispatch(text: "Your code is 123456")
        var dumped = ""
        dump(dispatch, to: &dumped)
        for printed in ["\(dispatch)", String(reflecting: dispatch), dumped] {
            #expect(!printed.contains("123456"))
            #expect(!printed.contains("447700900000"))
        }
        #expect("\(dispatch)" == "dispatch \(Sample.id)")
    }

    @Test func neitherDriverNorRequestPrintsASecret() throws {
        let accounts = [
            Sample.vonage(["receipt_token": Sample.token, "signature_secret": "s1gn"]),
            Sample.infobip(["receipt_token": Sample.token, "receipt_username": "us3r", "receipt_password": "pa5s"]),
            Sample.infobip(["receipt_header_name": "X-Key", "receipt_header_value": "va1ue"]),
        ]
        for account in accounts {
            let driver = try Drivers.make(account)
            var dumped = "\(driver) \(driver.request(for: [Sample.dispatch()], now: Sample.now))"
            dump(driver, to: &dumped)
            dump(driver.request(for: [Sample.dispatch()], now: Sample.now), to: &dumped)
            dump(account, to: &dumped)
            for secret in ["s3cret", "abcd1234", "key-1", Sample.token, "s1gn", "us3r", "pa5s", "va1ue", "123456"] {
                #expect(!dumped.contains(secret))
            }
        }
    }

    @Test func eachKindHasItsDriver() throws {
        #expect(try Drivers.make(Sample.vonage()) is VonageSMS)
        #expect(try Drivers.make(Sample.infobip()) is InfobipSMS)
        let nobody = ProviderAccount(
            id: ProviderID(rawValue: 1), name: "nobody", kind: .discard, baseURL: "http://127.0.0.1", credentials: [:])
        #expect(try Drivers.make(nobody) is Discard)
        #expect(ProviderKind.allCases.map(\.rawValue) == ["vonage-sms", "infobip-sms", "discard"])
    }

    @Test func aDriverSaysWhatItTakes() throws {
        #expect(try Drivers.make(Sample.vonage()).batchLimit == 1)
        #expect(try Drivers.make(Sample.infobip()).batchLimit == 100)
        #expect(try Drivers.make(Sample.infobip()).channels == [.sms])
    }
}
