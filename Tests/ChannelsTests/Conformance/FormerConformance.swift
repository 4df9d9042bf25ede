import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

/// The drivers that were there first. Their own suites go further into their statuses.
extension ConformanceCase {
    static let vonageSMS = ConformanceCase(
        account: Sample.account(
            .vonageSMS,
            ["api_key": "abcd1234", "api_secret": "s3cret", "signature_secret": "sign", "signature_method": "sha256"]),
        sendings: [
            Sending(
                dispatches: [Sample.dispatch()], url: "https://rest.nexmo.com/sms/json",
                fields: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
                body: "api_key=abcd1234&api_secret=s3cret&from=ACME&to=447700900000&text=Your+code+is+123456&ttl=180000"
                    + "&status-report-req=true&callback=https%3A%2F%2Fr.example%2Freceipts%2Fp1"
                    + "&client-ref=0192d1e4-7000-7000-8000-000000000001")
        ],
        answers: [
            Answer(
                200, #"{"message-count":"1","messages":[{"to":"447700900000","message-id":"0A01","status":"0"}]}"#,
                .accepted(parts: ["0A01"])),
            Answer(
                200, #"{"messages":[{"status":"4","error-text":"Bad Credentials"}]}"#, .refused(.unauthorized, "4")),
        ],
        callbacks: [
            Callback(
                request: Self.vonageReport("delivered", "0"),
                receipts: [
                    Receipt(
                        message: Sample.reference, part: "0A01", coversMessage: false, verdict: .delivered,
                        status: "delivered", code: "0", occurredAt: nil)
                ])
        ],
        report: Self.vonageReport,
        meanings: [
            Meaning("accepted", [0], .sent), Meaning("buffered", [0], .sent), Meaning("delivered", [0], .delivered),
            Meaning("expired", [2], .expired), Meaning("unknown", [1], .silent),
            Meaning("failed", [3], Verdict(.undelivered, .permanentRecipient, .stop, .deactivatedNumber)),
            Meaning("rejected", [9], Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
        ],
        asking: nil, proving: vonageProof, proofs: [.query])

    private static func vonageReport(_ status: String, _ code: String) -> HTTPRequest {
        HTTPRequest(
            path: "/receipts/p1",
            query:
                "messageId=0A01&status=\(status)&err-code=\(code)&client-ref=\(Sample.id)&timestamp=\(Sample.now.seconds)"
        )
    }

    static let infobipSMS = ConformanceCase(
        account: Sample.account(
            .infobipSMS, ["api_key": "key-1", "receipt_username": "user", "receipt_password": "pass"],
            url: "https://x.api.infobip.com"),
        sendings: [
            Sending(
                dispatches: [Sample.dispatch()], url: "https://x.api.infobip.com/sms/3/messages",
                fields: [
                    "Authorization": "App key-1", "Content-Type": "application/json", "Accept": "application/json",
                ],
                body: #"{"messages":[{"sender":"ACME","destinations":[{"to":"447700900000","#
                    + #""messageId":"0192d1e4-7000-7000-8000-000000000001"}],"content":{"text":"Your code is 123456"},"#
                    + #""options":{"validityPeriod":{"amount":180,"timeUnit":"SECONDS"}},"#
                    + #""webhooks":{"delivery":{"url":"https://r.example/receipts/p1"},"contentType":"application/json","#
                    + #""callbackData":"0192d1e4-7000-7000-8000-000000000001"}}]}"#)
        ],
        answers: [
            Answer(
                200,
                #"{"messages":[{"messageId":"\#(Sample.id)","status":{"groupId":1,"id":26,"name":"PENDING_ACCEPTED"}}]}"#,
                .accepted(parts: [])),
            Answer(
                200, #"{"messages":[{"messageId":"\#(Sample.id)","status":{"groupId":5,"id":12,"name":"X"}}]}"#,
                .refused(Verdict(.failed, .config, .haltProvider, .insufficientCredit), "12")),
            Answer(401, #"{"errorCode":"E401"}"#, .refused(.unauthorized, "E401")),
        ],
        callbacks: [
            Callback(
                request: Self.infobipReport("5", "0"),
                receipts: [
                    Sample.receipt(.delivered, part: "", status: "NAME", code: "0", at: "2019-11-09T15:00:00.080Z")
                ])
        ],
        report: Self.infobipReport,
        meanings: [
            Meaning("26", [0], .submitted), Meaning("2", [0], .sent), Meaning("5", [0], .delivered),
            Meaning("15", [0], .expired), Meaning("29", [0], .silent),
            Meaning("9", [1], Verdict(.undelivered, .permanentRecipient, .stop, .unknownSubscriber)),
        ],
        asking: Asking(
            inquiry: Inquiry(reference: Sample.reference, parts: [], recipient: Sample.dispatch().recipient),
            url: "https://x.api.infobip.com/sms/3/reports?messageId=0192d1e4-7000-7000-8000-000000000001",
            answer: String(decoding: Self.infobipReport("5", "0").body, as: UTF8.self),
            receipts: [Sample.receipt(.delivered, part: "", status: "NAME", code: "0", at: "2019-11-09T15:00:00.080Z")]),
        proving: basicProof, proofs: [.field("Authorization")], unknownStatus: "7777")

    private static func infobipReport(_ status: String, _ code: String) -> HTTPRequest {
        let error = Int64(code) ?? 0
        let result: JSON = [
            "messageId": .string(Sample.id), "doneAt": "2019-11-09T16:00:00.080+0100",
            "status": ["groupId": 77, "id": .integer(Int64(status) ?? 0), "name": "NAME"],
            "error": ["id": .integer(error), "permanent": .bool(error != 0)],
        ]
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
            body: (["results": [result]] as JSON).serialized())
    }
}

@Sendable func vonageProof(_ request: HTTPRequest) -> HTTPRequest {
    guard request.method == "GET", let form = Form(parsing: request.query ?? "") else { return request }
    let signature = VonageSignature(secret: Secret("sign"), method: .sha256)
    var request = request
    let signed = signature.sign(Form(form.pairs.filter { $0.name != "sig" }.map { ($0.name, $0.value) }))
    request.query = "\(request.query ?? "")&sig=\(signed)"
    return request
}
