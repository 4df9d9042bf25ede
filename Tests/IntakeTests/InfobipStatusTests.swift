import Messaging
import Testing

@testable import Intake

@Suite struct InfobipStatusTests {
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
}
