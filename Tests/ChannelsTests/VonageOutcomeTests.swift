import HTTP
import JSON
import Messaging
import Testing

@testable import Channels

@Suite struct VonageOutcomeTests {
    private func outcome(_ response: HTTPResponse) throws -> Outcome {
        let outcomes = try VonageSMS(Sample.vonage()).outcomes(for: [Sample.dispatch()], response: response)
        try #require(outcomes.count == 1)
        return outcomes[0]
    }

    private func response(_ parts: JSON...) -> HTTPResponse {
        HTTPResponse(200, json: ["message-count": JSON("\(parts.count)"), "messages": .array(parts)])
    }

    @Test func anAcceptedMessageNamesItsParts() throws {
        let first: JSON = [
            "to": "447700900000", "message-id": "0A01", "status": "0", "remaining-balance": "3.14",
            "message-price": "0.03", "network": "23410", "client-ref": "x", "account-ref": "y",
        ]
        #expect(try self.outcome(self.response(first)) == .accepted(parts: ["0A01"]))
        let second: JSON = ["message-id": "0A02", "status": "0"]
        #expect(try self.outcome(self.response(first, second)) == .accepted(parts: ["0A01", "0A02"]))
        #expect(try self.outcome(self.response(["status": 0])) == .accepted(parts: []))
    }

    /// Each status but 0, by the words of providers.md section 2.2.
    static let refusals: [(statuses: [String], action: Verdict.Action, reason: Verdict.Reason)] = [
        (["1", "10"], .throttle, .throttledProvider),
        (["2", "3", "23", "32"], .failoverOnce, .configError),
        (["4", "14"], .haltProvider, .authFailed),
        (["5"], .retrySame, .providerError),
        (["6"], .stop, .invalidDestination),
        (["7"], .stop, .blockedByCarrier),
        (["8", "11"], .haltProvider, .accountSuspended),
        (["9"], .haltProvider, .insufficientCredit),
        (["12"], .stop, .tooLong),
        (["15"], .failover, .senderInvalid),
        (["22"], .failover, .noRoute),
        (["29"], .haltProvider, .configError),
        (["33"], .stop, .deactivatedNumber),
        (["77", "", "zero"], .failoverOnce, .unknown),
    ]

    @Test(arguments: refusals)
    func eachStatusHasItsOutcome(_ statuses: [String], _ action: Verdict.Action, _ reason: Verdict.Reason) throws {
        for status in statuses {
            let outcome = try self.outcome(self.response(["status": .string(status), "error-text": "no"]))
            guard case .refused(let verdict, let code, let wait) = outcome else {
                Issue.record("\(status) is not refused")
                continue
            }
            #expect(verdict.action == action && verdict.reason == reason)
            #expect(code == status && wait == nil)
        }
    }

    @Test(arguments: [
        ("Throughput Rate Exceeded - please wait [ 250 ] and retry", Duration.milliseconds(250)),
        ("please wait [1000] and retry", .seconds(1)),
        ("please wait [ soon ]", nil),
        ("please wait [ -1 ]", nil),
        ("please wait ] 5 [", nil),
        ("please wait", nil),
    ])
    func aThrottleTellsItsWait(_ text: String, _ wait: Duration?) throws {
        let outcome = try self.outcome(self.response(["status": "1", "error-text": .string(text)]))
        let verdict = Verdict(.failed, .transientProvider, .throttle, .throttledProvider)
        #expect(outcome == .refused(verdict, code: "1", retryAfter: wait))
    }

    @Test func aMessageTakenInPartIsInDoubt() throws {
        let taken: JSON = ["message-id": "1", "status": "0"]
        #expect(try self.outcome(self.response(taken, ["status": "1"])) == .unanswered(.throttledProvider))
        #expect(try self.outcome(self.response(["status": "5"], taken)) == .unanswered(.providerError))
        // What can never succeed is not tried again, so nothing is doubled by saying so.
        #expect(try self.outcome(self.response(taken, ["status": "7"])).verdict?.action == .stop)
    }

    @Test(arguments: [
        "", "nonsense", "[]", "{}", #"{"messages":[]}"#, #"{"messages":[{}]}"#, #"{"messages":[{"status":"0"},7]}"#,
    ])
    func anUnreadableSuccessIsNoAnswer(_ body: String) throws {
        #expect(try self.outcome(HTTPResponse(status: 200, body: Array(body.utf8))) == .unanswered(.providerError))
    }

    @Test func otherStatusesFollowTheDefaults() throws {
        let response = HTTPResponse(status: 429, fields: ["Retry-After": "7"])
        let verdict = Verdict(.failed, .transientProvider, .throttle, .throttledProvider)
        #expect(try self.outcome(response) == .refused(verdict, code: "HTTP 429", retryAfter: .seconds(7)))
        #expect(try self.outcome(HTTPResponse(status: 504)) == .unanswered(.networkTimeout))
    }
}
