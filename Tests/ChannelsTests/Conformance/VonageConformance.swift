import Channels
import Crypto
import HTTP
import JSON
import Messaging
import TestKeys
import Timestamps

extension ConformanceCase {
    private static let credentials = [
        "application_id": "app-1", "private_key": TestKey.pem, "signature_secret": "sigsecret", "api_key": "abcd1234",
    ]
    private static let machine = Verdict(.undelivered, .transientRecipient, .failoverChannel, .machineAnswered)
    private static let noAnswer = Verdict(.undelivered, .transientRecipient, .retrySame, .noAnswer)

    // MARK: - Calls

    static let vonageVoice = ConformanceCase(
        account: Sample.account(.vonageVoice, Self.credentials, sender: "+442079460000"),
        sendings: [
            Sending(
                dispatches: [Self.speech], url: "https://api.nexmo.com/v1/calls", fields: Self.fields,
                body:
                    #"{"to":[{"type":"phone","number":"447700900000"}],"from":{"type":"phone","number":"442079460000"},"#
                    + #""ncco":[{"action":"talk","text":"Your code is 4, 9. <&>","language":"de-DE","loop":3}],"#
                    + #""event_url":["https://r.example/receipts/p1?\#(Sample.provedQuery(TestKey.pem))"],"event_method":"POST","#
                    + #""ringing_timer":30,"length_timer":60,"machine_detection":"hangup"}"#)
        ],
        answers: [
            Answer(
                201, #"{"uuid":"63f6-1","status":"started","direction":"outbound","conversation_uuid":"CON-1"}"#,
                .accepted(parts: ["63f6-1"])),
            Answer(
                429, #"{"type":"https://x/#rate","title":"Too many"}"#,
                .refused(.throttled, "https://x/#rate", after: .seconds(2)), fields: ["Retry-After": "2"]),
            Answer(401, #"{"title":"Unauthorized"}"#, .refused(.unauthorized, "Unauthorized")),
        ],
        callbacks: [
            Callback(
                request: Self.callEvent("human", ""),
                receipts: [
                    Sample.receipt(.delivered, part: "63f6-1", status: "human", at: "2020-02-25T14:07:26.000Z")
                ])
        ],
        report: Self.callEvent,
        meanings: [
            Meaning("started", .submitted), Meaning("ringing", .sent), Meaning("answered", .sent),
            Meaning("human", .delivered), Meaning("completed", .sent), Meaning("machine", Self.machine),
            Meaning("busy", Verdict(.undelivered, .transientRecipient, .retrySame, .busy)),
            Meaning("cancelled", .canceled), Meaning("timeout", Self.noAnswer),
            Meaning("unanswered", ["", "timeout"], Self.noAnswer),
            Meaning(
                "unanswered", ["unavailable"],
                Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning(
                "rejected", ["invalid_number"], Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)),
            Meaning("rejected", ["restricted", ""], Verdict(.rejected, .transientRecipient, .failover, .callBarred)),
            Meaning("rejected", ["declined"], Verdict(.rejected, .transientRecipient, .failoverChannel, .callBarred)),
            Meaning("failed", ["cannot_route"], Verdict(.failed, .transientProvider, .failover, .noRoute)),
            Meaning(
                "failed", ["number_out_of_service"],
                Verdict(.failed, .permanentRecipient, .stop, .deactivatedNumber)),
            Meaning("failed", ["internal_error"], .broken),
            Meaning("failed", Verdict(.failed, .transientProvider, .failover, .providerError)),
        ],
        asking: nil, proving: vonageTokenProof, proofs: [.body, .field("Authorization")], mintsTokens: true)

    private static func callEvent(_ status: String, _ detail: String) -> HTTPRequest {
        var event: [JSON.Member] = [
            .init("from", "442079460000"), .init("to", "447700900000"),
            // Who answered comes under another name.
            .init(["human", "machine"].contains(status) ? "call_uuid" : "uuid", "63f6-1"),
            .init("conversation_uuid", "CON-1"), .init("status", .string(status)), .init("direction", "outbound"),
            .init("timestamp", "2020-02-25T14:07:26.000Z"),
        ]
        if status == "completed" { event.append(.init("duration", "7")) }
        if !detail.isEmpty { event.append(.init("detail", .string(detail))) }
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", query: Sample.provedQuery(TestKey.pem),
            fields: ["Content-Type": "application/json"], body: JSON.object(event).serialized())
    }

    // MARK: - Messages

    static let vonageMessages = ConformanceCase(
        account: Sample.account(.vonageMessages, Self.credentials),
        sendings: [
            Sending(
                dispatches: [Sample.dispatch()], url: "https://api.nexmo.com/v1/messages", fields: Self.fields,
                body: #"{"channel":"sms","message_type":"text","to":"447700900000","from":"ACME","#
                    + #""text":"Your code is 123456","ttl":180,"client_ref":"\#(Sample.id)","#
                    + #""webhook_url":"https://r.example/receipts/p1","webhook_version":"v1","#
                    + #""sms":{"encoding_type":"auto"}}"#)
        ],
        answers: [
            Answer(202, #"{"message_uuid":"aaaaaaaa-bbbb"}"#, .accepted(parts: ["aaaaaaaa-bbbb"])),
            Answer(
                422, #"{"type":"https://x/errors#1120","title":"Invalid sender"}"#,
                .refused(Verdict(.failed, .config, .failover, .senderInvalid), "1120")),
            Answer(429, #"{"type":"https://x/errors#1000","title":"Throttled"}"#, .refused(.throttled, "1000")),
            Answer(
                402, #"{"title":"Low balance"}"#,
                .refused(Verdict(.failed, .config, .haltProvider, .insufficientCredit), "Low balance")),
        ],
        callbacks: [
            Callback(
                request: Self.messageEvent("delivered", ""),
                receipts: [
                    Sample.receipt(.delivered, part: "aaaaaaaa-bbbb", status: "delivered", at: "2020-02-25T14:07:26Z")
                ]),
            Callback(
                request: Self.oldMessageEvent,
                receipts: [
                    Sample.receipt(
                        Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut), part: "aaaaaaaa-bbbb",
                        status: "rejected", code: "1240", at: "2020-02-25T14:07:26Z")
                ]),
        ],
        report: Self.messageEvent,
        meanings: [
            Meaning("submitted", .sent), Meaning("delivered", .delivered), Meaning("read", .delivered),
            Meaning("undeliverable", Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("rejected", Verdict(.rejected, .transientProvider, .failover, .unknown)),
            Meaning("rejected", [1360, 1340], .expired),
            Meaning(
                "rejected", [1180], Verdict(.rejected, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning("rejected", [1190], Verdict(.rejected, .permanentRecipient, .stop, .deactivatedNumber)),
            Meaning("rejected", [1200, 1250, 1300], Verdict(.rejected, .transientProvider, .failover, .noRoute)),
            Meaning("rejected", [1210], Verdict(.rejected, .permanentMessage, .failoverOnce, .spamFiltered)),
            Meaning("rejected", [1220], Verdict(.rejected, .transientRecipient, .retrySame, .handsetBusy)),
            Meaning("rejected", [1230], Verdict(.rejected, .transientProvider, .retrySame, .carrierError)),
            Meaning("rejected", [1240], Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
            Meaning("rejected", [1241], Verdict(.rejected, .transientRecipient, .throttle, .throttledRecipient)),
            Meaning(
                "rejected", [1260, 1040, 1170], Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)),
            Meaning("rejected", [1270], Verdict(.rejected, .permanentMessage, .stop, .contentRejected)),
            Meaning("rejected", [1280], Verdict(.rejected, .transientProvider, .failover, .blockedByCarrier)),
            Meaning("rejected", [1290], Verdict(.rejected, .transientRecipient, .stop, .callBarred)),
            Meaning("rejected", [1310], Verdict(.rejected, .permanentRecipient, .failoverChannel, .landline)),
            Meaning("rejected", [1060, 1080], Verdict(.rejected, .config, .haltProvider, .accountSuspended)),
            Meaning("rejected", [1070], Verdict(.rejected, .config, .haltProvider, .insufficientCredit)),
            Meaning("rejected", [1090], Verdict(.rejected, .permanentMessage, .stop, .tooLong)),
            Meaning("rejected", [9999], Verdict(.rejected, .transientProvider, .failover, .unknown)),
        ],
        asking: nil, proving: vonageTokenProof, proofs: [.body, .field("Authorization")], mintsTokens: true)

    private static func messageEvent(_ status: String, _ code: String) -> HTTPRequest {
        var event: [JSON.Member] = [
            .init("message_uuid", "aaaaaaaa-bbbb"), .init("to", "447700900000"), .init("from", "ACME"),
            .init("timestamp", "2020-02-25T14:07:26Z"), .init("status", .string(status)), .init("channel", "sms"),
            .init("client_ref", .string(Sample.id)), .init("destination", ["network_code": "23410"]),
            .init("sms", ["count_total": "1"]),
        ]
        if !code.isEmpty {
            event.append(
                .init("error", ["type": "https://x/errors#\(code)", "title": .string(code), "detail": "d"]))
        }
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
            body: JSON.object(event).serialized())
    }

    /// As version 0.1 has it.
    private static let oldMessageEvent = HTTPRequest(
        method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
        body: Array(
            (#"{"message_uuid":"aaaaaaaa-bbbb","to":{"type":"sms","number":"447700900000"},"from":{"type":"sms"},"#
                + #""timestamp":"2020-02-25T14:07:26Z","status":"rejected","client_ref":"\#(Sample.id)","#
                + #""error":{"code":1240,"reason":"Illegal number"}}"#).utf8))

    // MARK: - Both

    /// The token's own claims are new each time, so a double of the driver's would not do; see ``VonageVoiceTests``.
    private static let fields: HTTPFields = [
        "Authorization": "Bearer", "Content-Type": "application/json", "Accept": "application/json",
    ]
}

/// A token over the body's hash.
@Sendable func vonageTokenProof(_ request: HTTPRequest) -> HTTPRequest {
    var request = request
    let claims: JSON = [
        "iat": .integer(Sample.now.seconds), "jti": "j1", "iss": "Vonage",
        "payload_hash": .string(Hex.encode(Digest.sha256.hash(request.body))), "api_key": "abcd1234",
    ]
    request.fields["Authorization"] = "Bearer \(hmacToken(claims, "sigsecret"))"
    return request
}

func hmacToken(_ claims: JSON, _ secret: String, header: JSON = ["alg": "HS256", "typ": "JWT"]) -> String {
    let signed = "\(Base64.encode(header.serialized(), .url)).\(Base64.encode(claims.serialized(), .url))"
    return "\(signed).\(Base64.encode(Digest.sha256.authenticate(Array(signed.utf8), key: Secret(secret)), .url))"
}
