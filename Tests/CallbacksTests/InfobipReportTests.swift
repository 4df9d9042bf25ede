import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@testable import Callbacks

@Suite struct InfobipReportTests {
    @Test func aReportIsWrittenAsTheVendorsIs() throws {
        var message = Sample.message(recipient: "+41793026727")
        message.id = try #require(MessageID("01a1fc5e-cd8d-74ec-b144-8cd5fd242a00"))
        message.sender = "Acme"
        message.parts = 2
        message.price = Money("0.02")
        message.network = "22801"
        message.acceptedAt = try #require(Timestamp("2019-11-09T16:00:00Z"))
        let event = Sample.event(
            .messageDelivered, message, reason: "ok", at: try #require(Timestamp("2019-11-09T16:00:01.25Z")))
        let endpoint = Sample.endpoint(.infobip, [:], CallbackSecrets(fields: ["authorization": "Basic eDp5"]))
        let request = try #require(Callbacks.request(for: event, to: endpoint, now: Sample.now))
        #expect(request.method == "POST")
        #expect(request.url == endpoint.url)
        #expect(request.fields == ["Content-Type": "application/json", "Authorization": "Basic eDp5"])
        #expect(
            try JSON(parsing: request.body) == [
                "results": [
                    [
                        "messageId": "01a1fc5e-cd8d-74ec-b144-8cd5fd242a00", "to": "41793026727", "sender": "Acme",
                        "sentAt": "2019-11-09T16:00:00.000+0000", "doneAt": "2019-11-09T16:00:01.250+0000",
                        "messageCount": 2, "mccMnc": "22801",
                        "price": ["pricePerMessage": 0.01, "currency": "EUR"],
                        "status": [
                            "groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET",
                            "description": "Message delivered to handset",
                        ],
                        "error": [
                            "groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "description": "No Error",
                            "permanent": false,
                        ],
                    ]
                ]
            ])
    }

    @Test func everyStateHasAStatusAndEveryFailureAnError() throws {
        let rows: [(MessageState, Verdict.Reason?, group: String, status: Int, error: Int)] = [
            (.delivered, .ok, "DELIVERED", 5, 0), (.expired, .expired, "EXPIRED", 15, 0),
            (.cancelled, nil, "EXPIRED", 15, 4100), (.undelivered, nil, "UNDELIVERABLE", 9, 255),
            (.undelivered, .unknownSubscriber, "UNDELIVERABLE", 9, 1),
            (.undelivered, .unreachableTemporary, "UNDELIVERABLE", 9, 27),
            (.undelivered, .handsetFull, "UNDELIVERABLE", 9, 256), (.failed, nil, "REJECTED", 21, 0),
            (.failed, .attemptsSpent, "REJECTED", 21, 0), (.failed, .invalidDestination, "REJECTED", 52, 0),
            (.failed, .insufficientCredit, "REJECTED", 12, 0), (.failed, .noRoute, "REJECTED", 19, 0),
            (.failed, .senderUnregistered, "REJECTED", 13, 0), (.failed, .optedOut, "REJECTED", 10, 0),
        ]
        #expect(Set(rows.map(\.0)) == Set(Callbacks.types(of: .infobip).compactMap(\.messageState)))
        for row in rows {
            let event = Sample.event(
                try #require(Sample.type(of: row.0)), Sample.message(recipient: "john.smith@example.com"),
                reason: row.1?.rawValue)
            let report = try Sample.told(event, to: Sample.endpoint(.infobip))["results"]?[0]
            #expect(report?["status"]?["groupName"]?.string == row.group)
            #expect(report?["status"]?["id"] == JSON(row.status))
            #expect(report?["error"]?["id"] == JSON(row.error), "\(row)")
            #expect(report?["to"] == "john.smith@example.com")
            for name in ["sender", "price", "mccMnc"] { #expect(report?[name] == nil) }
        }
    }

    @Test func onlyWhatIsTrackedAndFinalIsReported() {
        let endpoint = Sample.endpoint(.infobip)
        for event in [
            Sample.event(.messageDelivered, Sample.message(isTracked: false)), Sample.event(.messageAccepted),
            Sample.event(.messageUnknown),
        ] {
            #expect(Callbacks.request(for: event, to: endpoint, now: Sample.now) == nil)
        }
    }
}
