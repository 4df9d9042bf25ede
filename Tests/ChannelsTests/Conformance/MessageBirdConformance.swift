import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

extension ConformanceCase {
    static let messageBirdSMS = ConformanceCase(
        account: Sample.account(.messageBirdSMS, ["access_key": "key-1", "signing_key": "sign"]),
        sendings: [
            Self.messageBirdSending(
                Sample.dispatch(),
                #"{"originator":"ACME","recipients":["447700900000"],"body":"Your code is 123456","#
                    + #""reference":"0192d1e4-7000-7000-8000-000000000001","type":"sms","datacoding":"plain","validity":180,"#
                    + #""reportUrl":"https://r.example/receipts/p1"}"#),
            Self.messageBirdSending(
                Sample.dispatch(sender: "+15550100", text: "Код"),
                #"{"originator":"15550100","recipients":["447700900000"],"body":"Код","#
                    + #""reference":"0192d1e4-7000-7000-8000-000000000001","type":"sms","datacoding":"unicode","validity":180,"#
                    + #""reportUrl":"https://r.example/receipts/p1"}"#),
        ],
        answers: [
            Answer(
                201, #"{"id":"mb-1","recipients":{"items":[{"recipient":447700900000,"status":"sent"}]}}"#,
                .accepted(parts: ["mb-1"])),
            Answer(
                401, #"{"errors":[{"code":2,"description":"incorrect access_key","parameter":"access_key"}]}"#,
                .refused(.unauthorized, "2")),
            Answer(422, #"{"errors":[{"code":21,"description":"x"}]}"#, .refused(.configuration, "21")),
            Answer(
                200, #"{"errors":[{"code":25,"description":"an error inside a success"}]}"#,
                .refused(Verdict(.failed, .config, .haltProvider, .insufficientCredit), "25")),
        ],
        callbacks: [
            Callback(
                request: Self.messageBirdReport("delivered", ""),
                receipts: [
                    Sample.receipt(.delivered, part: "mb-1", status: "delivered", at: "2020-02-25T14:07:26Z")
                ])
        ],
        report: Self.messageBirdReport,
        meanings: [
            Meaning("scheduled", .submitted), Meaning("sent", .sent), Meaning("buffered", .sent),
            Meaning("delivered", .delivered), Meaning("expired", .expired),
            Meaning("delivery_failed", ["", "1"], Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("delivery_failed", [103], Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
        ],
        asking: Asking(
            inquiry: Inquiry(reference: Sample.reference, parts: ["mb-1"], recipient: Sample.dispatch().recipient),
            url: "https://rest.messagebird.com/messages/mb-1",
            answer: #"{"id":"mb-1","recipients":{"items":[{"recipient":447700900000,"status":"delivery_failed","#
                + #""statusErrorCode":103,"statusDatetime":"2020-02-25T14:07:26+00:00"}]}}"#,
            receipts: [
                Sample.receipt(
                    Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut), part: "mb-1",
                    status: "delivery_failed", code: "103", at: "2020-02-25T14:07:26Z")
            ]),
        proving: { messageBirdProof($0) },
        proofs: [.query, .body, .field("MessageBird-Signature-JWT")])

    private static func messageBirdSending(_ dispatch: Dispatch, _ body: String) -> Sending {
        Sending(
            dispatches: [dispatch], url: "https://rest.messagebird.com/messages",
            fields: [
                "Authorization": "AccessKey key-1", "Content-Type": "application/json", "Accept": "application/json",
            ],
            body: body)
    }

    /// The plus sign of the offset comes as it is, which in a query is a blank.
    private static func messageBirdReport(_ status: String, _ code: String) -> HTTPRequest {
        HTTPRequest(
            path: "/receipts/p1",
            query: "id=mb-1&reference=\(Sample.id)&recipient=447700900000&status=\(status)"
                + "&statusDatetime=2020-02-25T14:07:26+00:00&mccmnc=23410"
                + (code.isEmpty ? "" : "&statusErrorCode=\(code)"))
    }
}

/// Signed for the address https://r.example/receipts/p1 at ``Sample/now``, with the claims changed as a test wants.
func messageBirdProof(
    _ request: HTTPRequest, key: String = "sign", algorithm: String = "HS256", digest: Digest = .sha256,
    change: (inout [JSON.Member]) -> Void = { _ in }
) -> HTTPRequest {
    let url = Hex.encode(Digest.sha256.hash("https://r.example\(request.target)".utf8))
    var claims: [JSON.Member] = [
        .init("iss", "MessageBird"), .init("nbf", .integer(Sample.now.seconds)),
        .init("exp", .integer(Sample.now.seconds + 60)), .init("jti", "j-1"), .init("url_hash", .string(url)),
    ]
    if !request.body.isEmpty {
        claims.append(.init("payload_hash", .string(Hex.encode(Digest.sha256.hash(request.body)))))
    }
    change(&claims)
    let pieces = [["alg": .string(algorithm), "typ": "JWT"], JSON.object(claims)].map {
        Base64.encode($0.serialized(), .url)
    }
    let signed = pieces.joined(separator: ".")
    let code = digest.authenticate(Array(signed.utf8), key: Secret(key))
    var request = request
    request.fields["MessageBird-Signature-JWT"] = "\(signed).\(Base64.encode(code, .url))"
    return request
}
