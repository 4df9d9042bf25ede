import Channels
import Crypto
import Messaging
import Testing

@Suite struct DispatchTests {
    @Test func neverPrintsItsTextOrRecipient() {
        let dispatch = Sample.dispatch(text: "Your code is 123456")
        var dumped = ""
        dump(dispatch, to: &dumped)
        let mail = Sample.dispatch(
            .mail(Mail(subject: "Code 123456", text: "123456")), to: "jo.447700900000@example.com")
        dump(mail, to: &dumped)
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
        let call = Sample.dispatch(.speech(Speech("Your code is 123456")))
        for (account, dispatch) in accounts.map({ ($0, Sample.dispatch()) }) + [(Sample.carrier(), call)] {
            let driver = try Sample.httpDriver(account)
            let request = driver.request(for: [dispatch], now: Sample.now)
            var dumped = "\(driver) \(request)"
            dump(driver, to: &dumped)
            dump(request, to: &dumped)
            dump(account, to: &dumped)
            for secret in [
                "s3cret", "abcd1234", "key-1", "key-2", Sample.token, "s1gn", "us3r", "pa5s", "va1ue", "123456",
            ] {
                #expect(!dumped.contains(secret))
            }
        }
    }

    @Test func eachKindHasItsDriver() throws {
        #expect(try Drivers.make(Sample.vonage()) is VonageSMS)
        #expect(try Drivers.make(Sample.infobip()) is InfobipSMS)
        #expect(try Drivers.make(Sample.carrier()) is CarrierGateway)
        let nobody = ProviderAccount(
            id: ProviderID(rawValue: 1), name: "nobody", kind: .discard, baseURL: "http://127.0.0.1", credentials: [:])
        #expect(try Drivers.make(nobody) is Discard)
        // The others are in the conformance suite, each with an account of its own.
        let others = Set(ConformanceCase.all.map(\.account.kind)).union([.carrier, .discard, .smpp, .smtp])
        #expect(others == Set(ProviderKind.allCases))
    }

    @Test func aDriverSaysWhatItTakes() throws {
        #expect(try Drivers.make(Sample.vonage()).batchLimit == 1)
        #expect(try Drivers.make(Sample.infobip()).batchLimit == 100)
        #expect(try Drivers.make(Sample.infobip()).channels == [.sms])
        #expect(try Drivers.make(Sample.carrier()).batchLimit == 1)
        #expect(try Drivers.make(Sample.carrier()).channels == [.voice, .email])
    }
}
