import Channels
import Crypto
import HTTP
import Messaging

extension ConformanceCase {
    static let plivoSMS = ConformanceCase(
        account: Sample.account(.plivoSMS, ["auth_id": "MA01", "auth_token": "tok"], sender: "+15550100"),
        sendings: [
            Self.plivoSending(
                Sample.dispatch(),
                #"{"src":"+15550100","dst":"+447700900000","text":"Your code is 123456","type":"sms","#
                    + #""url":"https://r.example/receipts/p1?message=0192d1e4-7000-7000-8000-000000000001","method":"POST","#
                    + #""log":true,"message_expiry":180}"#)
        ],
        answers: [
            Answer(
                202, #"{"api_id":"a","message":"message(s) queued","message_uuid":["pl-1"]}"#,
                .accepted(parts: ["pl-1"])),
            Answer(
                202, #"{"api_id":"a","message_uuid":[],"invalid_number":["+447700900000"]}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination), "invalid_number")),
            Answer(400, #"{"api_id":"a","error":"src is required"}"#, .refused(.configuration, "HTTP 400")),
            Answer(401, #"{"error":"no"}"#, .refused(.unauthorized, "HTTP 401")),
            Answer(429, #"{"error":"slow down"}"#, .refused(.throttled, "HTTP 429")),
        ],
        callbacks: [
            Callback(
                request: Self.plivoReport("delivered", ""),
                receipts: [
                    Sample.receipt(
                        .delivered, part: "pl-1", status: "delivered", at: "2020-02-25T14:07:26.123456Z")
                ]),
            // An account that names GET.
            Callback(
                request: HTTPRequest(
                    method: "GET", path: "/receipts/p1",
                    query:
                        "message=\(Sample.id)&MessageUUID=pl-1&Status=undelivered&ErrorCode=080&SentTime=2020-02-25+14%3A07%3A26"
                ),
                receipts: [
                    Sample.receipt(
                        Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary), part: "pl-1",
                        status: "undelivered", code: "080", at: "2020-02-25T14:07:26Z")
                ]),
        ],
        report: Self.plivoReport,
        meanings: [
            Meaning("queued", ["", "000"], .submitted), Meaning("sent", ["000"], .sent),
            Meaning("delivered", ["000", ""], .delivered), Meaning("read", .delivered),
            Meaning("undelivered", ["", "12345"], Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("failed", Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("rejected", Verdict(.rejected, .transientProvider, .failover, .unknown)),
            Meaning("failed", [10], Verdict(.failed, .permanentMessage, .stop, .contentRejected)),
            Meaning("undelivered", [20], Verdict(.undelivered, .transientProvider, .retrySame, .carrierError)),
            Meaning("rejected", [30], Verdict(.rejected, .permanentMessage, .failoverOnce, .spamFiltered)),
            Meaning("failed", [40], Verdict(.failed, .config, .failover, .senderInvalid)),
            Meaning("rejected", [50], Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)),
        ],
        asking: Asking(
            inquiry: Inquiry(reference: Sample.reference, parts: ["pl-1"], recipient: Sample.dispatch().recipient),
            url: "https://api.plivo.com/v1/Account/MA01/Message/pl-1/",
            answer: #"{"message_uuid":"pl-1","message_state":"delivered","error_code":"000","units":1}"#,
            receipts: [Sample.receipt(.delivered, part: "pl-1", status: "delivered", code: "000")]),
        proving: { plivoProof($0, "tok") },
        proofs: [.query, .body, .field("X-Plivo-Signature-V3"), .field("X-Plivo-Signature-V3-Nonce")])

    private static func plivoSending(_ dispatch: Dispatch, _ body: String) -> Sending {
        Sending(
            dispatches: [dispatch], url: "https://api.plivo.com/v1/Account/MA01/Message/",
            fields: [
                "Authorization": "Basic TUEwMTp0b2s=", "Content-Type": "application/json", "Accept": "application/json",
            ], body: body)
    }

    private static func plivoReport(_ status: String, _ code: String) -> HTTPRequest {
        var pairs = [
            ("MessageUUID", "pl-1"), ("To", "447700900000"), ("From", "15550100"), ("Type", "sms"), ("Status", status),
            ("Units", "1"), ("Sequence", "3"), ("DeliveryReportTime", "2020-02-25 14:07:26.123456"),
            ("PartInfo", "1 of 1"),
        ]
        if !code.isEmpty { pairs.append(("ErrorCode", code)) }
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", query: "message=\(Sample.id)",
            fields: ["Content-Type": "application/x-www-form-urlencoded"], body: Form(pairs).serialized())
    }
}

/// Signed for the address https://r.example/receipts/p1, the right signature behind another.
func plivoProof(_ request: HTTPRequest, _ token: String, field: String = "X-Plivo-Signature-V3") -> HTTPRequest {
    func sorted(_ text: [UInt8]) -> [(String, String)] {
        (Form(parsing: text)?.pairs ?? []).map { ($0.name, $0.value) }.sorted {
            Array("\($0.0)\0\($0.1)".utf8).lexicographicallyPrecedes(Array("\($1.0)\0\($1.1)".utf8))
        }
    }
    let query = sorted(Array((request.query ?? "").utf8)).map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    let form = request.method == "POST" ? sorted(request.body).map { $0.0 + $0.1 }.joined() : ""
    var text = "https://r.example\(request.path)"
    if form.isEmpty {
        text += query.isEmpty ? "" : "?\(query)"
    } else {
        text += "?\(query)\(query.isEmpty ? "" : ".")\(form)"
    }
    let signature = Digest.sha256.authenticate(Array("\(text).nonce1".utf8), key: Secret(token))
    var request = request
    request.fields["X-Plivo-Signature-V3-Nonce"] = "nonce1"
    request.fields[field] = "AAAA,\(Base64.encode(signature))"
    return request
}
