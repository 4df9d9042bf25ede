import Channels
import Crypto
import HTTP
import JSON
import Messaging

extension ConformanceCase {
    static let sinchSMS = ConformanceCase(
        account: Sample.account(
            .sinchSMS, ["api_token": "tok", "receipt_username": "user", "receipt_password": "pass"],
            settings: ["service_plan_id": "plan-1"]),
        sendings: [
            Self.sinchSending(
                Sample.dispatch(),
                #"{"from":"ACME","to":["447700900000"],"body":"Your code is 123456","type":"mt_text","#
                    + #""delivery_report":"per_recipient","callback_url":"https://r.example/receipts/p1","#
                    + #""client_reference":"0192d1e4-7000-7000-8000-000000000001","expire_at":"2020-02-25T17:10:26.000Z"}"#
            ),
            Self.sinchSending(
                Sample.dispatch(sender: "+15550100", validity: .seconds(1_000_000)),
                #"{"from":"15550100","to":["447700900000"],"body":"Your code is 123456","type":"mt_text","#
                    + #""delivery_report":"per_recipient","callback_url":"https://r.example/receipts/p1","#
                    + #""client_reference":"0192d1e4-7000-7000-8000-000000000001","expire_at":"2020-02-28T17:07:26.000Z"}"#
            ),
        ],
        answers: [
            Answer(201, #"{"id":"batch-1","to":["447700900000"],"canceled":false}"#, .accepted(parts: ["batch-1"])),
            Answer(
                400, #"{"code":"syntax_invalid_parameter_format","text":"no"}"#,
                .refused(.configuration, "syntax_invalid_parameter_format")),
            Answer(401, "", .refused(.unauthorized, "HTTP 401")),
            Answer(429, "", .refused(.throttled, "HTTP 429")),
        ],
        callbacks: [
            Callback(
                request: Self.sinchReport("Delivered", "0"),
                receipts: [
                    Sample.receipt(
                        .delivered, part: "batch-1", status: "Delivered", code: "0", at: "2020-02-25T14:07:26.123Z")
                ]),
            Callback(
                request: Self.sinchRequest([
                    "type": "delivery_report_sms", "batch_id": "batch-1", "client_reference": .string(Sample.id),
                    "total_message_count": 1, "statuses": [["code": 406, "status": "Aborted", "count": 1]],
                ]),
                receipts: [Sample.receipt(.expired, part: "batch-1", status: "Aborted", code: "406")]),
            Callback(request: Self.sinchRequest(["type": "mo_text", "id": "x", "from": "1"]), receipts: []),
        ],
        report: Self.sinchReport,
        meanings: [
            Meaning("Queued", [400], .submitted), Meaning("QUEUED", [400], .submitted),
            Meaning("Dispatched", [401], .sent),
            Meaning("Delivered", [0], .delivered), Meaning("DELIVERED", [0], .delivered),
            Meaning("Expired", [406, 1], .expired), Meaning("Cancelled", [407], .canceled),
            Meaning("Unknown", [1], .silent),
            Meaning("Deleted", [1], Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)),
            Meaning("Rejected", [11], Verdict(.rejected, .permanentMessage, .failover, .carrierError)),
            Meaning("Failed", [1, 255], Verdict(.undelivered, .transientRecipient, .failover, .carrierError)),
            Meaning("Aborted", [1, 499], Verdict(.failed, .permanentMessage, .failover, .carrierError)),
            Meaning("Aborted", [402], Verdict(.failed, .permanentMessage, .failover, .noRoute)),
            Meaning("Aborted", [403], .broken),
            Meaning("Aborted", [404], Verdict(.failed, .transientProvider, .retrySame, .carrierError)),
            Meaning("Aborted", [405], .configuration), Meaning("Aborted", [406], .expired),
            Meaning("Aborted", [407], .canceled),
            Meaning("Aborted", [408], Verdict(.failed, .permanentMessage, .failoverOnce, .providerError)),
            Meaning("Aborted", [410], Verdict(.failed, .permanentMessage, .failover, .senderInvalid)),
            Meaning("Aborted", [411], Verdict(.failed, .permanentMessage, .stop, .tooLong)),
            Meaning("Aborted", [412], Verdict(.failed, .permanentMessage, .failover, .geoNotPermitted)),
        ],
        asking: Asking(
            inquiry: Inquiry(reference: Sample.reference, parts: ["batch-1"], recipient: Sample.dispatch().recipient),
            url: "https://us.sms.api.sinch.com/xms/v1/plan-1/batches/batch-1/delivery_report/447700900000",
            answer: #"{"type":"recipient_delivery_report_sms","batch_id":"batch-1","recipient":"447700900000","#
                + #""code":401,"status":"Dispatched","at":"2020-02-25T14:07:26.123Z"}"#,
            receipts: [
                Sample.receipt(
                    .sent, part: "batch-1", status: "Dispatched", code: "401", at: "2020-02-25T14:07:26.123Z")
            ]),
        proving: basicProof, proofs: [.field("Authorization")])

    private static func sinchSending(_ dispatch: Dispatch, _ body: String) -> Sending {
        Sending(
            dispatches: [dispatch], url: "https://us.sms.api.sinch.com/xms/v1/plan-1/batches",
            fields: ["Authorization": "Bearer tok", "Content-Type": "application/json", "Accept": "application/json"],
            body: body)
    }

    private static func sinchReport(_ status: String, _ code: String) -> HTTPRequest {
        self.sinchRequest([
            "type": "recipient_delivery_report_sms", "batch_id": "batch-1", "recipient": "447700900000",
            "code": .integer(Int64(code) ?? 0), "status": .string(status), "at": "2020-02-25T14:07:26.123Z",
            "client_reference": .string(Sample.id), "number_of_message_parts": 1,
        ])
    }

    private static func sinchRequest(_ body: JSON) -> HTTPRequest {
        HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"], body: body.serialized())
    }
}
