import Channels
import Crypto
import HTTP
import JSON
import Messaging

extension ConformanceCase {
    static let bandwidthSMS = ConformanceCase(
        account: Sample.account(
            .bandwidthSMS,
            ["username": "api", "password": "s3cret", "receipt_username": "user", "receipt_password": "pass"],
            settings: ["account_id": "9900000", "application_id": "app-1"], sender: "+15550100"),
        sendings: [
            Self.bandwidthSending(
                Sample.dispatch(),
                #"{"applicationId":"app-1","to":["+447700900000"],"from":"+15550100","text":"Your code is 123456","#
                    + #""tag":"0192d1e4-7000-7000-8000-000000000001","priority":"high","#
                    + #""expiration":"2020-02-25T17:10:26.000Z"}"#)
        ],
        answers: [
            Answer(
                202, #"{"id":"b-1","owner":"+15550100","segmentCount":1,"direction":"out","to":["+447700900000"]}"#,
                .accepted(parts: ["b-1"])),
            Answer(
                400, #"{"type":"request-validation","description":"no","fieldErrors":[]}"#,
                .refused(.configuration, "request-validation")),
            Answer(401, #"{"type":"unauthorized","description":"no"}"#, .refused(.unauthorized, "unauthorized")),
            Answer(
                429, #"{"type":"max-message-queue-size-exceeded","description":"full"}"#,
                .refused(.throttled, "max-message-queue-size-exceeded")),
            Answer(
                200, #"{"type":"request-validation","description":"an error inside a success"}"#,
                .refused(.configuration, "request-validation")),
        ],
        callbacks: [
            Callback(
                request: Self.bandwidthReport("message-delivered", ""),
                receipts: [
                    Sample.receipt(
                        .delivered, part: "b-1", status: "message-delivered", at: "2020-02-25T14:07:26.123Z")
                ]),
            // One bad event does not cost its neighbours, and what came in is none of ours.
            Callback(
                request: Self.bandwidthRequest([
                    Self.bandwidthEvent("message-sent", ""),
                    ["type": "message-received", "message": ["direction": "in"]],
                    ["oops": 1],
                ]),
                receipts: [
                    Sample.receipt(.sent, part: "b-1", status: "message-sent", at: "2020-02-25T14:07:26.123Z"),
                    Receipt(
                        message: nil, part: "", coversMessage: true, verdict: .strange, status: "", code: "",
                        occurredAt: nil),
                ]),
        ],
        report: Self.bandwidthReport,
        meanings: [
            Meaning("message-sending", .sent), Meaning("message-sent", .sent), Meaning("message-read", .delivered),
            Meaning("message-delivered", .delivered),
            Meaning("message-failed", Verdict(.undelivered, .transientProvider, .failover, .unknown)),
            Meaning(
                "message-failed", [4001, 4451, 4452, 4493], Verdict(.failed, .config, .haltProvider, .configError)),
            Meaning(
                "message-failed", [4301, 4410, 4411, 4412, 4435, 4711, 4712, 4751, 4752],
                Verdict(.failed, .permanentMessage, .stop, .contentRejected)),
            Meaning("message-failed", [4350], Verdict(.failed, .permanentRecipient, .stop, .invalidDestination)),
            Meaning(
                "message-failed", [4302, 4403, 4405, 4407, 4481, 4740],
                Verdict(.failed, .config, .failover, .senderInvalid)),
            Meaning(
                "message-failed", [4303, 4404, 4406, 4408, 4720, 4492],
                Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)),
            Meaning("message-failed", [4360], .expired),
            Meaning(
                "message-failed", [4401, 4420, 4421, 4730],
                Verdict(.undelivered, .transientProvider, .failover, .noRoute)),
            Meaning(
                "message-failed", [4409, 4700, 4701], Verdict(.undelivered, .permanentRecipient, .stop, .landline)),
            Meaning(
                "message-failed", [4431, 4432, 4433, 4434, 4790, 4791, 4792, 4793],
                Verdict(.failed, .config, .failover, .geoNotPermitted)),
            Meaning(
                "message-failed", [4470, 4770, 4771],
                Verdict(.rejected, .permanentMessage, .failoverOnce, .spamFiltered)),
            Meaning("message-failed", [4482, 4772], Verdict(.rejected, .permanentRecipient, .stop, .blockedByCarrier)),
            Meaning(
                "message-failed", [4702], Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning("message-failed", [4721], Verdict(.undelivered, .permanentRecipient, .stop, .deactivatedNumber)),
            Meaning(
                "message-failed", [4750, 4753], Verdict(.rejected, .permanentMessage, .failoverOnce, .blockedByCarrier)),
            Meaning(
                "message-failed", [4773, 4774, 4795], Verdict(.failed, .config, .failover, .senderUnregistered)),
            Meaning("message-failed", [4775], Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
            Meaning(
                "message-failed", [4780, 4781, 4785, 5600],
                Verdict(.undelivered, .transientProvider, .throttle, .throttledCarrier)),
            Meaning(
                "message-failed", [5100, 5101, 5111, 5201, 5211, 5220],
                Verdict(.undelivered, .transientProvider, .retrySame, .providerError)),
            Meaning(
                "message-failed", [5106, 5231, 5500, 5501, 5999],
                Verdict(.undelivered, .transientProvider, .failover, .providerError)),
            Meaning(
                "message-failed", [5610, 5620, 5630, 5650],
                Verdict(.undelivered, .transientProvider, .retrySame, .carrierError)),
            // No receipt came to Bandwidth; it may have arrived all the same.
            Meaning("message-failed", [9902], .silent),
            Meaning("message-failed", [9999], Verdict(.undelivered, .transientProvider, .failover, .unknown)),
            Meaning("message-failed", [4999], Verdict(.rejected, .permanentMessage, .failoverOnce, .unknown)),
            Meaning("message-failed", [5998], Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("message-failed", [9500], Verdict(.unknown, .none, .none, .unknown)),
        ],
        asking: nil,
        proving: basicProof, proofs: [.field("Authorization")])

    private static func bandwidthSending(_ dispatch: Dispatch, _ body: String) -> Sending {
        Sending(
            dispatches: [dispatch], url: "https://messaging.bandwidth.com/api/v2/users/9900000/messages",
            fields: [
                "Authorization": "Basic YXBpOnMzY3JldA==", "Content-Type": "application/json",
                "Accept": "application/json",
            ], body: body)
    }

    private static func bandwidthEvent(_ status: String, _ code: String) -> JSON {
        var members: [JSON.Member] = [
            .init("time", "2020-02-25T14:07:26.123Z"), .init("type", .string(status)), .init("to", "+447700900000"),
            .init("description", "x"),
            .init(
                "message",
                [
                    "id": "b-1", "owner": "+15550100", "applicationId": "app-1", "segmentCount": 1, "direction": "out",
                    "to": ["+447700900000"], "from": "+15550100", "text": "", "tag": .string(Sample.id),
                ]),
        ]
        if let number = Int64(code) { members.append(.init("errorCode", .integer(number))) }
        return .object(members)
    }

    private static func bandwidthReport(_ status: String, _ code: String) -> HTTPRequest {
        self.bandwidthRequest([self.bandwidthEvent(status, code)])
    }

    private static func bandwidthRequest(_ events: [JSON]) -> HTTPRequest {
        HTTPRequest(
            method: "POST", path: "/receipts/p1",
            fields: ["Content-Type": "application/json", "User-Agent": "BandwidthAPI/v2"],
            body: JSON.array(events).serialized())
    }
}

/// As `user` with the password `pass`.
@Sendable func basicProof(_ request: HTTPRequest) -> HTTPRequest {
    var request = request
    request.fields["Authorization"] = "Basic \(Base64.encode(Array("user:pass".utf8)))"
    return request
}
