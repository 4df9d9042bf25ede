import Callbacks
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@Suite struct BandwidthReceiptTests {
    @Test func aDeliveryIsToldAsTheVendorDoes() throws {
        let endpoint = Sample.endpoint(.bandwidth)
        let event = Sample.event(.messageDelivered, reason: "ok")
        let request = try #require(Callbacks.request(for: event, to: endpoint, now: Sample.now))
        #expect(request.method == "POST")
        #expect(request.url == endpoint.url)
        #expect(request.fields["Content-Type"] == "application/json; charset=utf-8")
        #expect(
            try JSON(parsing: request.body) == [
                "type": "message-delivered", "time": "2021-02-25T15:02:09Z", "description": "ok",
                "platform": "NorthAmericaSMS", "message": ["id": .string(Sample.id.bandwidthText)],
            ])
    }

    @Test func aFailureIsToldWithItsCode() throws {
        let event = Sample.event(.messageFailed, reason: "geo_not_permitted")
        #expect(
            try Sample.told(event, to: Sample.endpoint(.bandwidth)) == [
                "type": "message-failed", "time": "2021-02-25T15:02:09Z",
                "description": "rejected-forbidden-country", "platform": "NorthAmericaSMS",
                "message": ["id": .string(Sample.id.bandwidthText)], "errorCode": 4432,
            ])
        let abroad = Sample.event(
            .messageFailed, Sample.message(recipient: "+447700900123"), reason: "geo_not_permitted")
        let told = try Sample.told(abroad, to: Sample.endpoint(.bandwidth))
        #expect(told["platform"] == "GlobalSMS")
        #expect(told["errorCode"] == 995)
        #expect(told["description"] == "Undeliverable")
    }

    @Test func everyFinalStateAndReasonHasACode() throws {
        let rows: [(EventType, Verdict.Reason?, Int64)] = [
            (.messageExpired, nil, 4360), (.messageExpired, .expired, 4360), (.messageCancelled, nil, 5500),
            (.messageFailed, nil, 5500), (.messageFailed, .attemptsSpent, 5106), (.messageFailed, .noRoute, 4730),
            (.messageFailed, .invalidDestination, 4720), (.messageFailed, .authFailed, 4493),
            (.messageFailed, .senderInvalid, 4740), (.messageFailed, .throttledCarrier, 4785),
            (.messageUndelivered, .landline, 4700), (.messageUndelivered, .deactivatedNumber, 4721),
            (.messageUndelivered, .handsetBusy, 4702), (.messageUndelivered, .optedOut, 4775),
            (.messageUndelivered, .blockedByCarrier, 4750), (.messageUndelivered, .spamFiltered, 4770),
            (.messageUndelivered, .tooLong, 4751), (.messageUndelivered, .carrierError, 5650),
            (.messageUndelivered, .unknown, 9999),
        ]
        #expect(Set(rows.map(\.0)).union([.messageDelivered]) == Callbacks.types(of: .bandwidth))
        for (type, reason, code) in rows {
            let told = try Sample.told(Sample.event(type, reason: reason?.rawValue), to: Sample.endpoint(.bandwidth))
            #expect(told["type"] == "message-failed")
            #expect(told["errorCode"] == .integer(code), "\(type) \(String(describing: reason))")
            #expect(told["description"]?.string?.isEmpty == false)
        }
    }

    @Test func callsAndWhatIsNotFinalAreNotTold() {
        let endpoint = Sample.endpoint(.bandwidth)
        for event in [
            Sample.event(.messageDelivered, Sample.message(channel: .voice)), Sample.event(.messageAccepted),
            Sample.event(.messageUnknown),
        ] {
            #expect(Callbacks.request(for: event, to: endpoint, now: Sample.now) == nil)
        }
    }
}
