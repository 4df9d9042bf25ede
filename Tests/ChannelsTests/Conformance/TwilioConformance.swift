import Channels
import Crypto
import HTTP
import Messaging

extension ConformanceCase {
    static let twilioSMS = ConformanceCase(
        account: Sample.account(.twilioSMS, ["account_sid": "AC01", "auth_token": "12345"], sender: "+15550100"),
        sendings: [
            Self.twilioSending(
                Sample.dispatch(),
                "To=%2B447700900000&From=%2B15550100&Body=Your+code+is+123456&ValidityPeriod=180&StatusCallback="
                    + "https%3A%2F%2Fr.example%2Freceipts%2Fp1%3Fmessage%3D0192d1e4-7000-7000-8000-000000000001%23rc%3D3%26rp%3Dall"
            ),
            Self.twilioSending(
                Sample.dispatch(
                    MessageReference(id: Sample.reference.id, series: 2), sender: "MG0123456789abcdef0123456789abcdef",
                    text: "Код 1&2", validity: .seconds(86_400)),
                "To=%2B447700900000&MessagingServiceSid=MG0123456789abcdef0123456789abcdef"
                    + "&Body=%D0%9A%D0%BE%D0%B4+1%262&ValidityPeriod=36000&StatusCallback="
                    + "https%3A%2F%2Fr.example%2Freceipts%2Fp1%3Fmessage%3D0192d1e4-7000-7000-8000-000000000001.2%23rc%3D3%26rp%3Dall"
            ),
        ],
        answers: [
            Answer(
                201, #"{"sid":"SM9f","status":"queued","num_segments":"1","error_code":null,"error_message":null}"#,
                .accepted(parts: ["SM9f"])),
            Answer(200, #"{"sid":"SM9f","status":"accepted"}"#, .accepted(parts: ["SM9f"])),
            Answer(
                400, #"{"code":21211,"message":"Invalid 'To'","more_info":"https://…","status":400}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination), "21211")),
            Answer(
                400, #"{"code":21610,"message":"STOP","status":400}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut), "21610")),
            Answer(401, #"{"code":20003,"status":401}"#, .refused(.unauthorized, "20003")),
            Answer(
                429, #"{"code":20429,"status":429}"#, .refused(.throttled, "20429", after: .seconds(3)),
                fields: ["Retry-After": "3"]),
            Answer(500, #"{"code":20500,"status":500}"#, .refused(.broken, "20500")),
            // Codes of tomorrow: their class speaks for them, else the status.
            Answer(
                400, #"{"code":21661,"status":400}"#,
                .refused(Verdict(.rejected, .permanentMessage, .failoverOnce, .unknown), "21661")),
            Answer(400, #"{"code":55555,"status":400}"#, .refused(.configuration, "55555")),
            // An error inside a success.
            Answer(
                200, #"{"code":21606,"message":"no sender","status":400}"#,
                .refused(Verdict(.failed, .config, .failover, .senderInvalid), "21606")),
            Answer(
                201, #"{"sid":"SM9f","status":"failed","error_code":30450}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stop, .fraudBlocked), "30450")),
            // Without a code that anybody knows, its status alone says no.
            Answer(
                201, #"{"sid":"SM9f","status":"failed","error_code":99123}"#,
                .refused(Verdict(.failed, .transientProvider, .failover, .providerError), "99123")),
            Answer(
                201, #"{"sid":"SM9f","status":"failed","error_code":null}"#,
                .refused(Verdict(.failed, .transientProvider, .failover, .providerError), "failed")),
            Answer(504, #"{"code":21211,"status":400}"#, .unanswered(.networkTimeout)),
            Answer(400, #"{"code":30410,"status":400}"#, .unanswered(.networkTimeout)),
        ],
        callbacks: [
            Callback(
                request: Self.twilioReport("delivered", ""),
                receipts: [Sample.receipt(.delivered, part: "SM9f", status: "delivered")]),
            Callback(
                request: HTTPRequest(
                    method: "GET", path: "/receipts/p1", query: "message=\(Sample.id)&SmsSid=SM9f&SmsStatus=sent"),
                receipts: [Sample.receipt(.sent, part: "SM9f", status: "sent")]),
        ],
        report: Self.twilioReport,
        meanings: [
            Meaning("queued", .submitted), Meaning("accepted", .submitted), Meaning("scheduled", .submitted),
            Meaning("sending", .sent), Meaning("sent", .sent), Meaning("delivered", .delivered),
            Meaning("read", .delivered), Meaning("partially_delivered", .delivered), Meaning("canceled", .canceled),
            Meaning("undelivered", Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("failed", Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning(
                "undelivered", [30003], Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning("undelivered", [30004], Verdict(.undelivered, .permanentRecipient, .stop, .blockedByCarrier)),
            Meaning("undelivered", [30005], Verdict(.undelivered, .permanentRecipient, .stop, .unknownSubscriber)),
            Meaning("undelivered", [30006], Verdict(.undelivered, .permanentRecipient, .failoverChannel, .landline)),
            Meaning("undelivered", [30007], Verdict(.undelivered, .permanentMessage, .failoverOnce, .spamFiltered)),
            Meaning(
                "undelivered", [30008, 30999], Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("undelivered", [30017], Verdict(.undelivered, .transientProvider, .retrySame, .carrierError)),
            Meaning("failed", [30001], Verdict(.failed, .transientProvider, .failover, .throttledProvider)),
            Meaning("failed", [30002, 20005], Verdict(.failed, .config, .haltProvider, .accountSuspended)),
            Meaning("failed", [20003], .unauthorized),
            Meaning("failed", [20404, 21608], Verdict(.failed, .config, .haltProvider, .configError)),
            Meaning("failed", [20429, 21611], .throttled), Meaning("failed", [20500, 20503, 30020, 30021], .broken),
            Meaning("failed", [14107], Verdict(.failed, .transientRecipient, .throttle, .throttledRecipient)),
            Meaning(
                "failed", [21211, 21217, 21401, 21421, 21614],
                Verdict(.failed, .permanentRecipient, .stop, .invalidDestination)),
            Meaning(
                "failed", [21212, 21601, 21603, 21606, 21701, 21703, 21704, 21705, 21712],
                Verdict(.failed, .config, .failover, .senderInvalid)),
            Meaning("failed", [21408], Verdict(.failed, .config, .failover, .geoNotPermitted)),
            Meaning("failed", [21609, 30010, 30012, 30013], Verdict(.failed, .config, .failoverOnce, .configError)),
            Meaning("failed", [21610], Verdict(.failed, .permanentRecipient, .stopSuppress, .optedOut)),
            Meaning("failed", [21612], Verdict(.failed, .transientProvider, .failover, .noRoute)),
            Meaning("failed", [21605, 21617], Verdict(.failed, .permanentMessage, .stop, .tooLong)),
            Meaning(
                "failed", [21602, 21618, 21619, 21620, 30019],
                Verdict(.failed, .permanentMessage, .stop, .contentRejected)),
            Meaning(
                "failed", [30018, 30024, 30032, 30033, 30034, 30035],
                Verdict(.failed, .config, .failover, .senderUnregistered)),
            Meaning(
                "failed", [30022, 30023, 30027, 63018],
                Verdict(.failed, .transientProvider, .throttle, .throttledCarrier)),
            // Warnings explain no failure.
            Meaning("failed", [30025, 30026], Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("delivered", [30025, 30003], .delivered),
            Meaning("failed", [30410], Verdict(.unknown, .transientProvider, .wait, .networkTimeout)),
            Meaning("failed", [30450], Verdict(.failed, .permanentRecipient, .stop, .fraudBlocked)),
            Meaning("failed", [21999], Verdict(.failed, .permanentMessage, .failoverOnce, .unknown)),
        ],
        asking: Asking(
            inquiry: Inquiry(reference: Sample.reference, parts: ["SM9f"], recipient: Sample.dispatch().recipient),
            url: "https://api.twilio.com/2010-04-01/Accounts/AC01/Messages/SM9f.json",
            answer: #"{"sid":"SM9f","status":"undelivered","error_code":30005,"num_segments":"1"}"#,
            receipts: [
                Sample.receipt(
                    Verdict(.undelivered, .permanentRecipient, .stop, .unknownSubscriber), part: "SM9f",
                    status: "undelivered", code: "30005")
            ]),
        proving: { twilioProof($0, "12345") },
        proofs: [.query, .body, .field("X-Twilio-Signature")])

    private static func twilioSending(_ dispatch: Dispatch, _ body: String) -> Sending {
        Sending(
            dispatches: [dispatch], url: "https://api.twilio.com/2010-04-01/Accounts/AC01/Messages.json",
            fields: [
                "Authorization": "Basic QUMwMToxMjM0NQ==", "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            ], body: body)
    }

    private static func twilioReport(_ status: String, _ code: String) -> HTTPRequest {
        var pairs = [
            ("AccountSid", "AC01"), ("MessageSid", "SM9f"), ("SmsSid", "SM9f"), ("MessageStatus", status),
            ("SmsStatus", status), ("From", "+15550100"), ("To", "+447700900000"), ("ApiVersion", "2010-04-01"),
            ("RawDlrDoneDate", "2002251407"), ("NewField", "of tomorrow"),
        ]
        if !code.isEmpty { pairs.append(("ErrorCode", code)) }
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", query: "message=\(Sample.id)",
            fields: ["Content-Type": "application/x-www-form-urlencoded"], body: Form(pairs).serialized())
    }
}

/// Signed for the address https://r.example/receipts/p1.
func twilioProof(_ request: HTTPRequest, _ token: String) -> HTTPRequest {
    var text = "https://r.example\(request.target)"
    if request.method == "POST", let form = Form(parsing: request.body) {
        for name in Set(form.pairs.map(\.name)).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            for value in Set(form.values(name)).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
                text += name + value
            }
        }
    }
    var request = request
    request.fields["X-Twilio-Signature"] = Base64.encode(
        Digest.sha1.authenticate(Array(text.utf8), key: Secret(token)))
    return request
}
