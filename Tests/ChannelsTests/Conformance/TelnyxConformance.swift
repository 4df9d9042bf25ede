import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

extension ConformanceCase {
    static let telnyxSMS = ConformanceCase(
        account: Sample.account(
            .telnyxSMS, ["api_key": "KEY01", "public_key": Base64.encode(telnyxKey.publicKey)],
            settings: ["messaging_profile_id": "mp-1"]),
        sendings: [
            Self.telnyxSending(
                Sample.dispatch(),
                #"{"from":"ACME","to":"+447700900000","text":"Your code is 123456","messaging_profile_id":"mp-1","type":"SMS","#
                    + #""webhook_url":"https://r.example/receipts/p1?\#(Sample.provedQuery("KEY01"))","#
                    + #""use_profile_webhooks":false}"#)
        ],
        answers: [
            Answer(
                200, #"{"data":{"id":"t-1","to":[{"phone_number":"+447700900000","status":"queued"}],"parts":1}}"#,
                .accepted(parts: ["t-1"])),
            Answer(
                429, #"{"errors":[{"code":"10011","title":"Too many","detail":"slow down"}]}"#,
                .refused(.throttled, "10011", after: .seconds(2)), fields: ["Retry-After": "2"]),
            Answer(401, #"{"errors":[{"code":"10009","title":"No"}]}"#, .refused(.unauthorized, "10009")),
            Answer(
                422, #"{"errors":[{"code":40310,"title":"Invalid 'to'"}]}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination), "40310")),
            Answer(
                400, #"{"errors":[{"code":"40300","title":"Blocked due to STOP message"}]}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut), "40300")),
            Answer(
                400, #"{"errors":[{"code":"40300","title":"Blocked"}]}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stop, .blockedByCarrier), "40300")),
            Answer(422, #"{"errors":[{"code":"99999","title":"x"}]}"#, .refused(.configuration, "99999")),
            Answer(
                200, #"{"errors":[{"code":"20100","title":"an error inside a success"}]}"#,
                .refused(Verdict(.failed, .config, .haltProvider, .insufficientCredit), "20100")),
        ],
        callbacks: [
            Callback(
                request: Self.telnyxReport("delivered", ""),
                receipts: [
                    Sample.receipt(.delivered, part: "t-1", status: "delivered", at: "2020-02-25T14:07:26.123Z")
                ]),
            Callback(
                request: Self.telnyxRequest([
                    "data": ["event_type": "message.received", "payload": ["id": "t-2", "direction": "inbound"]]
                ]), receipts: []),
        ],
        report: Self.telnyxReport,
        meanings: [
            Meaning("queued", .submitted), Meaning("sending", .sent), Meaning("sent", .sent),
            Meaning("delivered", .delivered), Meaning("delivery_unconfirmed", .silent), Meaning("expired", .expired),
            Meaning("sending_failed", Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("delivery_failed", Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("delivery_failed", [40001], Verdict(.undelivered, .permanentRecipient, .stop, .landline)),
            Meaning("delivery_failed", [40002], Verdict(.undelivered, .transientProvider, .failover, .spamFiltered)),
            Meaning("sending_failed", [40003], Verdict(.failed, .config, .failover, .senderInvalid)),
            Meaning(
                "delivery_failed", [40004, 40008], Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("delivery_failed", [40005, 40014], .expired),
            Meaning(
                "delivery_failed", [40006],
                Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning(
                "sending_failed", [40007, 40009, 40302, 40304, 40316, 40317],
                Verdict(.failed, .permanentMessage, .stop, .contentRejected)),
            Meaning("sending_failed", [40010], Verdict(.failed, .config, .failover, .senderUnregistered)),
            Meaning(
                "sending_failed",
                [40013, 40100, 40150, 40151, 40305, 40306, 40308, 40311, 40312, 40313, 40315, 40320, 40321],
                Verdict(.failed, .config, .failover, .senderInvalid)),
            Meaning("sending_failed", [40011], Verdict(.failed, .transientProvider, .throttle, .throttledCarrier)),
            Meaning("sending_failed", [40318, 10011], .throttled), Meaning("sending_failed", [10007, 10008], .broken),
            Meaning("sending_failed", [10009, 10010], .unauthorized),
            Meaning("sending_failed", [20100], Verdict(.failed, .config, .haltProvider, .insufficientCredit)),
            Meaning(
                "sending_failed", [40012, 40310], Verdict(.failed, .permanentRecipient, .stop, .invalidDestination)),
            Meaning("sending_failed", [40301, 40319], Verdict(.failed, .permanentRecipient, .stop, .landline)),
            Meaning("sending_failed", [40015], Verdict(.failed, .permanentMessage, .failoverOnce, .spamFiltered)),
            Meaning("sending_failed", [40300], Verdict(.failed, .permanentRecipient, .stop, .blockedByCarrier)),
            Meaning("sending_failed", [40309], Verdict(.failed, .config, .failover, .geoNotPermitted)),
            Meaning("sending_failed", [49999], Verdict(.failed, .transientProvider, .failover, .providerError)),
        ],
        asking: Asking(
            inquiry: Inquiry(reference: Sample.reference, parts: ["t-1"], recipient: Sample.dispatch().recipient),
            url: "https://api.telnyx.com/v2/messages/t-1",
            answer: #"{"data":{"id":"t-1","to":[{"status":"delivery_unconfirmed"}],"errors":[]}}"#,
            receipts: [Sample.receipt(.silent, part: "t-1", status: "delivery_unconfirmed")]),
        proving: telnyxProof,
        proofs: [.body, .field("telnyx-timestamp"), .field("telnyx-signature-ed25519")])

    private static func telnyxSending(_ dispatch: Dispatch, _ body: String) -> Sending {
        Sending(
            dispatches: [dispatch], url: "https://api.telnyx.com/v2/messages",
            fields: [
                "Authorization": "Bearer KEY01", "Content-Type": "application/json", "Accept": "application/json",
            ], body: body)
    }

    private static func telnyxReport(_ status: String, _ code: String) -> HTTPRequest {
        self.telnyxRequest([
            "data": [
                "event_type": "message.finalized", "id": "e-1", "occurred_at": "2020-02-25T14:07:27.000Z",
                "record_type": "event",
                "payload": [
                    "id": "t-1", "direction": "outbound", "from": ["phone_number": "ACME"],
                    "to": [["phone_number": "+447700900000", "status": .string(status), "carrier": "X"]],
                    "errors": .array(code.isEmpty ? [] : [["code": .string(code), "title": "x", "detail": "y"]]),
                    "parts": 1, "completed_at": "2020-02-25T14:07:26.123Z", "text": "Your code is 123456",
                ],
            ],
            "meta": ["attempt": 1, "delivered_to": "https://r.example/receipts/p1"],
        ])
    }

    private static func telnyxRequest(_ body: JSON) -> HTTPRequest {
        HTTPRequest(
            method: "POST", path: "/receipts/p1", query: Sample.provedQuery("KEY01"),
            fields: ["Content-Type": "application/json"], body: body.serialized())
    }
}

/// A key made for these tests.
let telnyxKey = Ed25519PrivateKey(rawRepresentation: Secret([UInt8](repeating: 7, count: 32)))!  // 32 bytes are a key.

/// Signed at ``Sample/now``.
@Sendable func telnyxProof(_ request: HTTPRequest) -> HTTPRequest {
    var request = request
    let signature = telnyxKey.signature(of: Array("\(Sample.now.seconds)|".utf8) + request.body)
    request.fields["telnyx-timestamp"] = "\(Sample.now.seconds)"
    request.fields["telnyx-signature-ed25519"] = Base64.encode(signature)
    return request
}
