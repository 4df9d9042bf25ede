import JSON
import Messaging
import Testing
import Timestamps

@testable import Intake

@Suite struct InfobipReportTests {
    @Test func aReportIsWrittenAsTheVendorsIs() throws {
        let id = try #require(MessageID("01a1fc5e-cd8d-74ec-b144-8cd5fd242a00"))
        let report = InfobipReport(
            message: id, recipient: "+41793026727", sender: "Acme", state: .delivered, reason: "ok", parts: 1,
            sentAt: try #require(Timestamp("2019-11-09T16:00:00Z")),
            doneAt: try #require(Timestamp("2019-11-09T16:00:01.25Z")))
        #expect(
            report.json == [
                "messageId": "01a1fc5e-cd8d-74ec-b144-8cd5fd242a00", "to": "41793026727", "sender": "Acme",
                "sentAt": "2019-11-09T16:00:00.000+0000", "doneAt": "2019-11-09T16:00:01.250+0000", "messageCount": 1,
                "status": [
                    "groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET",
                    "description": "Message delivered to handset",
                ],
                "error": [
                    "groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "description": "No Error",
                    "permanent": false,
                ],
            ])
    }

    @Test func everyStateHasAStatusAndEveryFailureAnError() throws {
        let rows: [(MessageState, Verdict.Reason?, group: String, status: Int, error: Int)] = [
            (.queued, nil, "PENDING", 26, 0), (.sending, nil, "PENDING", 26, 0),
            (.accepted, .accepted, "PENDING", 7, 0), (.unknown, .networkTimeout, "PENDING", 7, 0),
            (.delivered, .ok, "DELIVERED", 5, 0), (.expired, .expired, "EXPIRED", 15, 0),
            (.cancelled, nil, "EXPIRED", 15, 4100), (.undelivered, nil, "UNDELIVERABLE", 9, 255),
            (.undelivered, .unknownSubscriber, "UNDELIVERABLE", 9, 1),
            (.undelivered, .unreachableTemporary, "UNDELIVERABLE", 9, 27),
            (.undelivered, .handsetFull, "UNDELIVERABLE", 9, 256), (.failed, nil, "REJECTED", 21, 0),
            (.failed, .attemptsSpent, "REJECTED", 21, 0), (.failed, .invalidDestination, "REJECTED", 52, 0),
            (.failed, .insufficientCredit, "REJECTED", 12, 0), (.failed, .noRoute, "REJECTED", 19, 0),
            (.failed, .senderUnregistered, "REJECTED", 13, 0), (.failed, .optedOut, "REJECTED", 10, 0),
        ]
        #expect(Set(rows.map(\.0)) == Set(MessageState.allCases))
        for row in rows {
            let json = Self.report(row.0, row.1).json
            #expect(json["status"]?["groupName"]?.string == row.group)
            #expect(json["status"]?["id"] == JSON(row.status))
            #expect(json["error"]?["id"] == JSON(row.error), "\(row)")
            #expect(json["sender"] == nil)
        }
    }

    @Test func version1HasAWordForEveryState() {
        let rows: [(MessageState, Verdict.Reason?, String, isFinal: Bool)] = [
            (.queued, nil, "MESSAGE_ACCEPTED", false), (.sending, nil, "MESSAGE_ACCEPTED", false),
            (.accepted, .accepted, "MESSAGE_WAITING_DELIVERY", false),
            (.unknown, nil, "MESSAGE_DELIVERY_UNKNOWN", false), (.delivered, .ok, "MESSAGE_DELIVERED", true),
            (.undelivered, nil, "MESSAGE_NOT_DELIVERED", true), (.failed, nil, "MESSAGE_REJECTED", true),
            (.failed, .invalidDestination, "MESSAGE_INVALID_DESTINATION_ADDRESS", true),
            (.failed, .senderInvalid, "INVALID_SOURCE_ADDRESS", true),
            (.failed, .geoNotPermitted, "MESSAGE_NETWORK_NOT_ALLOWED", true),
            (.failed, .noRoute, "MESSAGE_NETWORK_NOT_AVAILABLE", true),
            (.failed, .insufficientCredit, "NOT_ENOUGH_CREDITS", true),
            (.failed, .attemptsSpent, "SYSTEM_ERROR", true), (.expired, nil, "MESSAGE_EXPIRED", true),
            (.cancelled, nil, "MESSAGE_NOT_SENT", true),
        ]
        #expect(Set(rows.map(\.0)) == Set(MessageState.allCases))
        for (state, reason, name, isFinal) in rows {
            let status = InfobipMessageStatus(state, reason: reason?.rawValue)
            #expect(status.name == name)
            #expect(status.isFinal == isFinal)
            #expect(!status.description.isEmpty)
        }
    }

    private static func report(_ state: MessageState, _ reason: Verdict.Reason?) -> InfobipReport {
        InfobipReport(
            message: MessageID(high: 0, low: 0), recipient: "john.smith@example.com", sender: nil, state: state,
            reason: reason?.rawValue, parts: 1, sentAt: .now, doneAt: .now)
    }
}
