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

    @Test func eachKindHasItsDriver() throws {
        #expect(try Drivers.make(Sample.vonage()) is VonageSMS)
        #expect(try Drivers.make(Sample.infobip()) is InfobipSMS)
        #expect(ProviderKind.allCases.map(\.rawValue) == ["vonage-sms", "infobip-sms"])
    }

    @Test func aDriverSaysWhatItTakes() throws {
        #expect(try Drivers.make(Sample.vonage()).batchLimit == 1)
        #expect(try Drivers.make(Sample.infobip()).batchLimit == 100)
        #expect(try Drivers.make(Sample.infobip()).channels == [.sms])
    }
}
