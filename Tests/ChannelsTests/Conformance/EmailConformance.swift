import Channels
import Crypto
import HTTP
import JSON
import Messaging
import TestKeys
import Timestamps

extension ConformanceCase {
    private static func mail(series: Int16 = 1, sender: String? = nil) -> Dispatch {
        Sample.dispatch(
            .mail(Mail(subject: "Your \"code\"", text: "It is 123456\n")),
            MessageReference(id: Sample.reference.id, series: series), to: "anna@example.com", sender: sender)
    }

    // MARK: - Infobip

    static let infobipEmail = ConformanceCase(
        account: Sample.account(
            .infobipEmail, ["api_key": "key-1", "receipt_username": "user", "receipt_password": "pass"],
            url: "https://x.api.infobip.com", sender: "Acme <codes@acme.example>"),
        sendings: [
            Sending(
                dispatches: [Self.mail(), Self.mail(series: 2, sender: "other@acme.example")],
                url: "https://x.api.infobip.com/email/4/messages",
                fields: [
                    "Authorization": "App key-1", "Content-Type": "application/json", "Accept": "application/json",
                ],
                body: #"{"messages":["#
                    + Self.infobipMail("Acme <codes@acme.example>", Sample.id) + ","
                    + Self.infobipMail("other@acme.example", "\(Sample.id).2") + "]}")
        ],
        answers: [
            Answer(
                200,
                #"{"messages":[{"messageId":"\#(Sample.id)","status":{"groupId":1,"id":26,"name":"P"}},"#
                    + #"{"messageId":"\#(Sample.id).2","status":{"groupId":5,"id":12,"name":"X"}}]}"#,
                .accepted(parts: []),
                .refused(Verdict(.failed, .config, .haltProvider, .insufficientCredit), "12"))
        ],
        callbacks: [
            Callback(
                request: Self.infobipReportOfMail("5", "0"),
                receipts: [
                    Sample.receipt(.delivered, part: "", status: "NAME", code: "0", at: "2019-11-09T15:00:00.080Z")
                ]),
            Callback(
                request: HTTPRequest(
                    method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
                    body: Array(
                        #"{"notificationType":"COMPLAINED","messageId":"\#(Sample.id)","recipient":"a@b.c"}"#.utf8)),
                receipts: [
                    Sample.receipt(
                        Verdict(.delivered, .permanentRecipient, .stopSuppress, .complained), part: "",
                        status: "COMPLAINED")
                ]),
        ],
        report: Self.infobipReportOfMail,
        meanings: [
            Meaning("26", [0], .submitted), Meaning("5", [0], .delivered), Meaning("15", [0], .expired),
            Meaning("9", [6006, 6012], Verdict(.undelivered, .permanentRecipient, .stop, .hardBounce)),
            Meaning("9", [6007], Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning("9", [6010], Verdict(.undelivered, .transientRecipient, .failover, .handsetFull)),
            Meaning("9", [6011], Verdict(.undelivered, .transientRecipient, .failover, .softBounce)),
            Meaning("9", [6003], Verdict(.undelivered, .permanentRecipient, .stopSuppress, .optedOut)),
            Meaning("9", [6034], Verdict(.undelivered, .permanentRecipient, .stopSuppress, .hardBounce)),
            Meaning("9", [6035], Verdict(.undelivered, .permanentRecipient, .stopSuppress, .complained)),
            Meaning("9", [6036, 6047, 6048], Verdict(.undelivered, .config, .failover, .senderUnregistered)),
            Meaning(
                "9", [6050, 6051, 6057, 6058], Verdict(.undelivered, .transientProvider, .throttle, .throttledProvider)),
        ],
        asking: nil, proving: basicProof, proofs: [.field("Authorization")], unknownStatus: "7777")

    private static func infobipMail(_ sender: String, _ id: String) -> String {
        #"{"sender":"\#(sender)","destinations":[{"to":[{"destination":"anna@example.com","messageId":"\#(id)"}]}],"#
            + #""content":{"subject":"Your \"code\"","text":"It is 123456\n"},"#
            + #""options":{"validityPeriod":{"amount":180,"timeUnit":"SECONDS"}},"#
            + #""webhooks":{"delivery":{"url":"https://r.example/receipts/p1"},"contentType":"application/json","#
            + #""callbackData":"\#(id)"}}"#
    }

    private static func infobipReportOfMail(_ status: String, _ code: String) -> HTTPRequest {
        let error = Int64(code) ?? 0
        let isPermanent = [6003, 6006, 6012, 6034, 6035].contains(error)
        let result: JSON = [
            "messageId": .string(Sample.id), "doneAt": "2019-11-09T16:00:00.080+0100", "smtp": ["response": "250 ok"],
            "status": ["groupId": 77, "id": .integer(Int64(status) ?? 0), "name": "NAME"],
            "error": ["id": .integer(error), "permanent": .bool(isPermanent)],
        ]
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
            body: (["results": [result]] as JSON).serialized())
    }

    // MARK: - SendGrid

    private static let hardBounce = Verdict(.undelivered, .permanentRecipient, .stop, .hardBounce)

    static let sendGrid = ConformanceCase(
        account: Sample.account(
            .sendGrid, ["api_key": "SG.1", "verification_key": TestKey.p256Public], sender: "Acme <codes@acme.example>"),
        sendings: [
            Sending(
                dispatches: [Self.mail()], url: "https://api.sendgrid.com/v3/mail/send",
                fields: [
                    "Authorization": "Bearer SG.1", "Content-Type": "application/json", "Accept": "application/json",
                ],
                body:
                    #"{"personalizations":[{"to":[{"email":"anna@example.com"}],"custom_args":{"mid":"\#(Sample.id)"}}],"#
                    + #""from":{"email":"codes@acme.example","name":"Acme"},"subject":"Your \"code\"","#
                    + #""content":[{"type":"text/plain","value":"It is 123456\n"}],"#
                    + #""tracking_settings":{"click_tracking":{"enable":false,"enable_text":false},"#
                    + #""open_tracking":{"enable":false}}}"#)
        ],
        answers: [
            Answer(202, "", .accepted(parts: []), fields: ["X-Message-Id": "x1"]),
            Answer(200, "", .unanswered(.providerError)), Answer(202, "<html>", .unanswered(.providerError)),
            Answer(
                400, #"{"errors":[{"message":"bad","field":"personalizations.0.to.0.email","help":null}]}"#,
                .refused(
                    Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination),
                    "personalizations.0.to.0.email")),
            Answer(
                403, #"{"errors":[{"message":"no identity","field":"from"}]}"#,
                .refused(Verdict(.failed, .config, .failover, .senderInvalid), "from")),
            Answer(401, #"{"errors":[{"message":"grant","field":null}]}"#, .refused(.unauthorized, "HTTP 401")),
            Answer(413, #"{"errors":[]}"#, .refused(.configuration, "HTTP 413")),
            Answer(
                429, #"{"errors":[{"message":"too many requests"}]}"#,
                .refused(.throttled, "HTTP 429", after: .seconds(4)), fields: ["Retry-After": "4"]),
        ],
        callbacks: [
            Callback(
                request: Self.sendGridEvent("delivered", "250"),
                receipts: [
                    Sample.receipt(
                        .delivered, part: "", status: "delivered", code: "250", at: "2020-02-25T22:14:06Z")
                ])
        ],
        report: Self.sendGridEvent,
        meanings: [
            Meaning("processed", .submitted), Meaning("deferred", ["451", ""], .sent), Meaning("delivered", .delivered),
            Meaning("open", .delivered), Meaning("click", .delivered),
            Meaning("bounce", ["bounce", ""], Self.hardBounce),
            Meaning("bounce", ["blocked"], Verdict(.undelivered, .transientRecipient, .failover, .softBounce)),
            Meaning(
                "dropped", ["Bounced Address"], Verdict(.rejected, .permanentRecipient, .stopSuppress, .hardBounce)),
            Meaning(
                "dropped", ["Unsubscribed Address"], Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
            Meaning(
                "dropped", ["Spam Reporting Address"],
                Verdict(.rejected, .permanentRecipient, .stopSuppress, .complained)),
            Meaning("dropped", ["Invalid"], Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)),
            Meaning(
                "dropped", ["", "of tomorrow"], Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("spamreport", Verdict(.delivered, .permanentRecipient, .stopSuppress, .complained)),
            Meaning("unsubscribe", Verdict(.delivered, .permanentRecipient, .stopSuppress, .optedOut)),
            Meaning("group_unsubscribe", Verdict(.delivered, .permanentRecipient, .stopSuppress, .optedOut)),
        ],
        asking: nil, proving: sendGridProof,
        proofs: [
            .body, .field("X-Twilio-Email-Event-Webhook-Signature"), .field("X-Twilio-Email-Event-Webhook-Timestamp"),
        ], takesSilence: true)

    private static func sendGridEvent(_ status: String, _ code: String) -> HTTPRequest {
        let name = ["bounce": "type", "dropped": "reason"][status] ?? "status"
        let event: JSON = .object([
            .init("email", "anna@example.com"), .init("timestamp", 1_582_668_846), .init("event", .string(status)),
            .init("sg_event_id", "e1"), .init("sg_message_id", "x1.filter"), .init("smtp-id", "<x1@ismtpd>"),
            .init("mid", .string(Sample.id)), .init(name, .string(code)),
        ])
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
            body: JSON.array([event]).serialized())
    }
}

@Sendable func sendGridProof(_ request: HTTPRequest) -> HTTPRequest {
    guard let key = ECDSAPrivateKey(pem: Secret(TestKey.p256)) else { preconditionFailure("a literal") }
    var request = request
    let time = String(Sample.now.seconds)
    request.fields["X-Twilio-Email-Event-Webhook-Timestamp"] = time
    request.fields["X-Twilio-Email-Event-Webhook-Signature"] = Base64.encode(
        key.signature(of: Array(time.utf8) + request.body))
    return request
}
