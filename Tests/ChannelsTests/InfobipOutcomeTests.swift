import HTTP
import JSON
import Messaging
import Testing

@testable import Channels

@Suite struct InfobipOutcomeTests {
    static func item(_ reference: MessageReference, id: Int64, group: Int64) -> JSON {
        [
            "messageId": .string(reference.description),
            "status": [
                "groupId": .integer(group), "groupName": "G", "id": .integer(id), "name": "N", "description": "d",
            ],
            "destination": "447700900000", "details": ["messageCount": 1],
        ]
    }

    private func outcome(id: Int64, group: Int64) throws -> Outcome {
        let response = HTTPResponse(200, json: ["messages": [Self.item(Sample.reference, id: id, group: group)]])
        return try #require(InfobipSMS(Sample.infobip()).outcomes(for: [Sample.dispatch()], response: response).first)
    }

    /// 23 is the duplicate: our own retry after a lost answer.
    @Test(arguments: [(26, 1), (7, 1), (3, 1), (2, 3), (5, 3), (23, 5), (999, 0), (999, 1)])
    func pendingAndDuplicateAreAccepted(_ id: Int64, _ group: Int64) throws {
        #expect(try self.outcome(id: id, group: group) == .accepted(parts: []))
    }

    /// providers.md section 2.4.
    static let refusals: [(ids: [Int64], action: Verdict.Action, reason: Verdict.Reason)] = [
        ([4], .failover, .blockedByCarrier),
        ([9], .failover, .carrierError),
        ([31], .failover, .providerError),
        ([96], .retrySame, .noAnswer),
        ([97], .retrySame, .busy),
        ([98], .none, .canceled),
        ([99], .failoverChannel, .noAnswer),
        ([15], .failoverChannel, .expired),
        ([87], .stop, .fraudBlocked),
        ([6, 19], .failover, .noRoute),
        ([8, 51, 52], .stop, .invalidDestination),
        ([10], .stopSuppress, .optedOut),
        ([11, 13], .failover, .senderInvalid),
        ([12, 17], .haltProvider, .insufficientCredit),
        ([14], .stop, .blockedByCarrier),
        ([18], .haltProvider, .configError),
        ([20], .throttle, .throttledRecipient),
        ([21, 100], .retrySame, .providerError),
        ([24], .stop, .contentRejected),
        ([25], .stop, .tooLong),
        ([9999], .failover, .unknown),
    ]

    @Test(arguments: refusals)
    func eachStatusHasItsOutcome(_ ids: [Int64], _ action: Verdict.Action, _ reason: Verdict.Reason) throws {
        for id in ids {
            guard case .refused(let verdict, let code, nil) = try self.outcome(id: id, group: 5) else {
                Issue.record("\(id) is not refused")
                continue
            }
            #expect(verdict.action == action && verdict.reason == reason && code == String(id))
        }
    }

    @Test func aStatusOfNoKnownGroupIsNoAnswer() throws {
        #expect(try self.outcome(id: 9999, group: 77) == .unanswered(.unknown))
        #expect(try self.outcome(id: 29, group: 4) == .unanswered(.noReceipt))
    }

    static let references = (1...3).map { Sample.reference.id.series($0) }

    @Test func itemsAreMatchedByIDInAnyOrder() throws {
        let dispatches = Self.references.map { Sample.dispatch($0) }
        let response = HTTPResponse(
            200,
            json: [
                "bulkId": "b",
                "messages": [
                    Self.item(Self.references[2], id: 52, group: 5), ["messageId": "not-ours"], 7,
                    ["messageId": .string(Self.references[1].description)],
                    Self.item(Self.references[0], id: 26, group: 1),
                ],
            ]
        )
        let outcomes = try InfobipSMS(Sample.infobip()).outcomes(for: dispatches, response: response)
        #expect(outcomes.count == 3)
        #expect(outcomes[0] == .accepted(parts: []))
        #expect(outcomes[1] == .unanswered(.providerError))
        #expect(outcomes[2].verdict?.reason == .invalidDestination)
    }

    @Test(arguments: ["", "nonsense", "[]", "{}", #"{"messages":{}}"#, #"{"messages":[]}"#])
    func anUnreadableSuccessIsNoAnswerForAny(_ body: String) throws {
        let outcomes = try InfobipSMS(Sample.infobip()).outcomes(
            for: Self.references.map { Sample.dispatch($0) },
            response: HTTPResponse(status: 200, body: Array(body.utf8))
        )
        #expect(outcomes == [Outcome](repeating: .unanswered(.providerError), count: 3))
    }

    @Test func tooManyRequestsThrottlesAll() throws {
        let response = HTTPResponse(
            429, json: ["errorCode": "E429", "description": "Too many requests sent."], fields: ["Retry-After": "3"]
        )
        let outcomes = try InfobipSMS(Sample.infobip()).outcomes(
            for: Self.references.map { Sample.dispatch($0) }, response: response
        )
        let verdict = Verdict(.failed, .transientProvider, .throttle, .throttledProvider)
        #expect(outcomes == [Outcome](repeating: .refused(verdict, code: "E429", retryAfter: .seconds(3)), count: 3))
    }

    @Test func bothShapesOfErrorNameTheirCode() throws {
        let old: JSON = ["requestError": ["serviceException": ["messageId": "UNAUTHORIZED", "text": "no"]]]
        let driver = try InfobipSMS(Sample.infobip())
        let verdict = Verdict(.failed, .config, .haltProvider, .authFailed)
        let expected: [(JSON, String)] = [(old, "UNAUTHORIZED"), (["errorCode": "E401"], "E401"), ([], "HTTP 401")]
        for (body, code) in expected {
            let outcomes = driver.outcomes(for: [Sample.dispatch()], response: HTTPResponse(401, json: body))
            #expect(outcomes == [.refused(verdict, code: code, retryAfter: nil)])
        }
    }
}

extension MessageID {
    fileprivate func series(_ number: Int16) -> MessageReference { MessageReference(id: self, series: number) }
}
