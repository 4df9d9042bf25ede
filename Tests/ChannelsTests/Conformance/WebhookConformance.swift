import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

extension ConformanceCase {
    static let webhookSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

    static let webhook = ConformanceCase(
        account: Sample.account(
            .webhook, ["secret": Self.webhookSecret], settings: ["channels": "sms, voice,email"],
            url: "https://gateway.example/send"),
        sendings: [
            Sending(
                dispatches: [
                    Sample.dispatch(), Self.speech,
                    Sample.dispatch(
                        .mail(Mail(subject: "Code", text: "1")),
                        MessageReference(id: Sample.reference.id, series: 2), to: "anna@example.com",
                        sender: "a@acme.example"),
                ],
                url: "https://gateway.example/send",
                fields: [
                    "Content-Type": "application/json", "Accept": "application/json",
                    "webhook-id": "req_\(Self.webhookID)", "webhook-timestamp": "1582650446",
                    "webhook-signature": Self.webhookSignature,
                ], body: Self.webhookBody)
        ],
        answers: [
            Answer(
                200,
                #"{"messages":[{"id":"\#(Sample.id)","status":"accepted"},"#
                    + #"{"id":"\#(Sample.id).2","status":"refused","code":"throttled","retry_after":2.5}]}"#,
                .accepted(parts: []), .accepted(parts: []),
                .refused(.throttled, "throttled", after: .milliseconds(2500))),
            Answer(202, "", .accepted(parts: []), .accepted(parts: []), .accepted(parts: [])),
            Answer(
                200, "", .unanswered(.providerError), .unanswered(.providerError), .unanswered(.providerError)),
            Answer(
                200, #"{"messages":[{"id":"\#(Sample.id)","status":"refused","code":"of tomorrow"}]}"#,
                .refused(Verdict(.failed, .transientProvider, .failover, .providerError), "of tomorrow"),
                .refused(Verdict(.failed, .transientProvider, .failover, .providerError), "of tomorrow"),
                .unanswered(.providerError)),
            Answer(
                200, #"{"messages":[{"id":"\#(Sample.id).2","status":"refused","code":"opted_out"}]}"#,
                .unanswered(.providerError), .unanswered(.providerError),
                .refused(Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut), "opted_out")),
        ],
        callbacks: [
            Callback(
                request: Self.webhookReport("delivered", ""),
                receipts: [Sample.receipt(.delivered, part: "", status: "delivered", at: "2020-02-25T14:07:26Z")])
        ],
        report: Self.webhookReport,
        meanings: [
            Meaning("sent", .sent), Meaning("delivered", .delivered), Meaning("expired", .expired),
            Meaning("undelivered", Verdict(.undelivered, .transientRecipient, .failover, .carrierError)),
            Meaning("failed", Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("rejected", ["opted_out"], Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
            Meaning("undelivered", ["busy"], Verdict(.undelivered, .transientRecipient, .retrySame, .busy)),
            Meaning("undelivered", ["hard_bounce"], Verdict(.undelivered, .permanentRecipient, .stop, .hardBounce)),
        ],
        asking: nil, proving: webhookProof,
        proofs: [
            .body, .field("webhook-id"), .field("webhook-timestamp"), .field("webhook-signature"),
        ], takesSilence: true)

    private static let webhookBody =
        #"{"messages":[{"id":"\#(Sample.id)","channel":"sms","to":"+447700900000","from":"ACME","#
        + #""text":"Your code is 123456","validity_seconds":180,"priority":"otp"},"#
        + #"{"id":"\#(Sample.id)","channel":"voice","to":"+447700900000","from":"ACME","#
        + #""text":"Your code is 4, 9. <&>","language":"de-AT","rate":1.0,"validity_seconds":180,"priority":"otp"},"#
        + #"{"id":"\#(Sample.id).2","channel":"email","to":"anna@example.com","from":"a@acme.example","#
        + #""text":"1","subject":"Code","validity_seconds":180,"priority":"otp"}]}"#

    private static let webhookID = Hex.encode(
        Digest.sha256.hash("\(Sample.id),\(Sample.id),\(Sample.id).2".utf8).prefix(16))

    private static let webhookSignature = webhookCode(
        "req_\(webhookID)", "1582650446", Array(webhookBody.utf8), webhookSecret)

    private static func webhookReport(_ status: String, _ code: String) -> HTTPRequest {
        let receipt: JSON = [
            "id": .string(Sample.id), "status": .string(status), "code": .string(code), "at": "2020-02-25T14:07:26Z",
        ]
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
            body: (["receipts": [receipt]] as JSON).serialized())
    }
}

/// Among signatures of other versions and keys.
@Sendable func webhookProof(_ request: HTTPRequest) -> HTTPRequest {
    var request = request
    let time = String(Sample.now.seconds)
    request.fields["webhook-id"] = "evt_1"
    request.fields["webhook-timestamp"] = time
    request.fields["webhook-signature"] = webhookCode("evt_1", time, request.body, ConformanceCase.webhookSecret)
    return request
}

func webhookCode(_ id: String, _ time: String, _ body: [UInt8], _ secret: String) -> String {
    let key = Base64.decode(secret.dropFirst(6)) ?? []
    return "v1,\(Base64.encode(Digest.sha256.authenticate(Array("\(id).\(time).".utf8) + body, key: Secret(key))))"
}
