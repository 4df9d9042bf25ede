import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Timestamps

extension ConformanceCase {
    static let speech = Sample.dispatch(
        .speech(Speech("Your code is 4, 9. <&>", language: "de-AT")), validity: .seconds(180))
    private static let wordy = Sample.dispatch(
        .speech(Speech(String(repeating: "One two three. ", count: 40), language: "en")), sender: "+15550199")
    private static let machine = Verdict(.undelivered, .transientRecipient, .failoverChannel, .machineAnswered)
    private static let busy = Verdict(.undelivered, .transientRecipient, .retrySame, .busy)
    private static let noAnswer = Verdict(.undelivered, .transientRecipient, .retrySame, .noAnswer)

    // MARK: - Infobip

    static let infobipVoice = ConformanceCase(
        account: Sample.account(
            .infobipVoice, ["api_key": "key-1", "receipt_username": "user", "receipt_password": "pass"],
            url: "https://x.api.infobip.com", sender: "+4179000"),
        sendings: [
            Sending(
                dispatches: [Self.speech, Sample.dispatch(MessageReference(id: Sample.reference.id, series: 2))],
                url: "https://x.api.infobip.com/tts/3/advanced",
                fields: [
                    "Authorization": "App key-1", "Content-Type": "application/json", "Accept": "application/json",
                ],
                body:
                    #"{"messages":[{"from":"4179000","destinations":[{"to":"447700900000","messageId":"\#(Sample.id)"}],"#
                    + #""text":"Your code is 4, 9. <&>. Your code is 4, 9. <&>. Your code is 4, 9. <&>","language":"de","#
                    + #""notifyUrl":"https://r.example/receipts/p1","notifyContentType":"application/json","#
                    + #""notifyContentVersion":2,"callbackData":"\#(Sample.id)","ringTimeout":30,"callTimeout":60,"#
                    + #""machineDetection":"hangup","validityPeriod":3},"#
                    // A short message is read aloud.
                    + #"{"from":"4179000","destinations":[{"to":"447700900000","messageId":"\#(Sample.id).2"}],"#
                    + #""text":"Your code is 1, 2, 3, 4, 5, 6. Your code is 1, 2, 3, 4, 5, 6. "#
                    + #"Your code is 1, 2, 3, 4, 5, 6","language":"en","#
                    + #""notifyUrl":"https://r.example/receipts/p1","notifyContentType":"application/json","#
                    + #""notifyContentVersion":2,"callbackData":"\#(Sample.id).2","ringTimeout":30,"callTimeout":60,"#
                    + #""machineDetection":"hangup","validityPeriod":3}]}"#)
        ],
        answers: [
            Answer(
                200,
                #"{"bulkId":"b","messages":[{"messageId":"\#(Sample.id)","status":{"groupId":1,"id":26,"name":"P"}},"#
                    + #"{"messageId":"\#(Sample.id).2","status":{"groupId":5,"id":51,"name":"REJECTED"}}]}"#,
                .accepted(parts: []),
                .refused(Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination), "51")),
            Answer(
                200, #"{"messages":[{"messageId":"\#(Sample.id)","status":{"groupId":1,"id":23,"name":"X"}}]}"#,
                .accepted(parts: []), .unanswered(.providerError)),
        ],
        callbacks: [
            Callback(
                request: Self.infobipCall("5", "10000"),
                receipts: [
                    Sample.receipt(.delivered, part: "", status: "NAME", code: "10000", at: "2019-11-09T15:00:00.080Z")
                ])
        ],
        report: Self.infobipCall,
        meanings: [
            Meaning("26", [0], .submitted), Meaning("5", [0, 10000, 10003, 5000], .delivered),
            Meaning("5", [10002, 5001], Self.machine), Meaning("9", [10002], Self.machine),
            Meaning("9", [10200, 5003], Self.noAnswer), Meaning("9", [10201, 5002], Self.busy),
            Meaning("9", [10203, 5004], Verdict(.undelivered, .transientRecipient, .failoverChannel, .callBarred)),
            Meaning("9", [10204], Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning("9", [10303], Verdict(.undelivered, .permanentRecipient, .stop, .unknownSubscriber)),
            Meaning("9", [10305], Verdict(.undelivered, .permanentRecipient, .stop, .invalidDestination)),
            Meaning("9", [10304], Verdict(.undelivered, .transientRecipient, .failover, .unreachableTemporary)),
            Meaning("9", [10307], Verdict(.undelivered, .transientRecipient, .failover, .noAnswer)),
            Meaning("9", [10308], Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
            Meaning("9", [10309], Verdict(.undelivered, .transientProvider, .retrySame, .providerError)),
            Meaning("9", [10312], Verdict(.undelivered, .transientProvider, .retrySame, .throttledCarrier)),
            Meaning("9", [10300], Verdict(.undelivered, .config, .failover, .geoNotPermitted)),
            Meaning("9", [10301], Verdict(.undelivered, .config, .haltProvider, .insufficientCredit)),
            Meaning("9", [10202], Verdict(.undelivered, .none, .none, .canceled)),
            Meaning("15", [0], .expired), Meaning("98", [0], .canceled),
        ],
        asking: nil, proving: basicProof, proofs: [.field("Authorization")], unknownStatus: "7777")

    private static func infobipCall(_ status: String, _ code: String) -> HTTPRequest {
        let error = Int64(code) ?? 0
        // The flag is right for these.
        let isPermanent = [10303, 10305].contains(error)
        let result: JSON = [
            "messageId": .string(Sample.id), "doneAt": "2019-11-09T16:00:00.080+0100",
            "voiceCall": ["duration": 7],
            "status": ["groupId": 77, "id": .integer(Int64(status) ?? 0), "name": "NAME"],
            "error": ["id": .integer(error), "permanent": .bool(isPermanent)],
        ]
        // Calls' reports have come as plain text.
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "text/plain"],
            body: (["results": [result]] as JSON).serialized())
    }

    // MARK: - Twilio

    static let twilioVoice = ConformanceCase(
        account: Sample.account(
            .twilioVoice, ["account_sid": "AC01", "auth_token": "12345"], settings: ["repetitions": "2"],
            sender: "+15550100"),
        sendings: [
            Self.twilioCall(
                Self.speech,
                [
                    ("To", "+447700900000"), ("From", "+15550100"),
                    (
                        "Twiml",
                        "<Response><Pause length=\"1\"/><Say language=\"de-DE\" loop=\"2\">"
                            + "Your code is 4, 9. &lt;&amp;&gt;</Say></Response>"
                    ), ("Timeout", "30"), ("TimeLimit", "60"), ("MachineDetection", "Enable"),
                ]),
            // Said once, because twice would last over a minute.
            Self.twilioCall(
                Self.wordy,
                [
                    ("To", "+447700900000"), ("From", "+15550199"),
                    (
                        "Twiml",
                        "<Response><Pause length=\"1\"/><Say language=\"en-US\" loop=\"1\">"
                            + String(repeating: "One two three. ", count: 40) + "</Say></Response>"
                    ), ("Timeout", "30"), ("TimeLimit", "85"), ("MachineDetection", "Enable"),
                ]),
        ],
        answers: [
            Answer(201, #"{"sid":"CA9f","status":"queued","queue_time":"0"}"#, .accepted(parts: ["CA9f"])),
            Answer(
                400, #"{"code":21215,"status":400}"#,
                .refused(Verdict(.failed, .config, .failover, .geoNotPermitted), "21215")),
            Answer(
                400, #"{"code":13224,"status":400}"#,
                .refused(Verdict(.rejected, .permanentRecipient, .stop, .landline), "13224")),
            Answer(
                400, #"{"code":32018,"status":400}"#,
                .refused(Verdict(.failed, .config, .failoverOnce, .configError), "32018")),
            Answer(429, #"{"code":20429}"#, .refused(.throttled, "20429")),
        ],
        callbacks: [
            Callback(
                request: Self.twilioEvent("completed", "human"),
                receipts: [Sample.receipt(.delivered, part: "CA9f", status: "completed", code: "human")])
        ],
        report: Self.twilioEvent,
        meanings: [
            Meaning("queued", .submitted), Meaning("initiated", .submitted), Meaning("ringing", .sent),
            Meaning("in-progress", .sent), Meaning("completed", ["", "human", "unknown"], .delivered),
            Meaning(
                "completed", ["machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other"],
                Self.machine),
            Meaning(
                "completed", ["fax"], Verdict(.undelivered, .permanentRecipient, .failoverChannel, .machineAnswered)),
            Meaning("busy", ["", "486"], Self.busy), Meaning("no-answer", Self.noAnswer),
            Meaning("canceled", .canceled),
            Meaning("failed", Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("failed", [404, 484, 604], Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)),
            Meaning("failed", [403], Verdict(.rejected, .transientRecipient, .failover, .callBarred)),
            Meaning("failed", [603], Verdict(.rejected, .transientRecipient, .failoverChannel, .callBarred)),
            Meaning("failed", [408], Self.noAnswer), Meaning("failed", [486], Self.busy),
            Meaning("failed", [480], Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
            Meaning("failed", [500, 503, 599], Verdict(.failed, .transientProvider, .failover, .carrierError)),
        ],
        asking: nil, proving: { twilioProof($0, "12345") }, proofs: [.query, .body, .field("X-Twilio-Signature")])

    private static func twilioCall(_ dispatch: Dispatch, _ pairs: [(String, String)]) -> Sending {
        let callback = [
            ("StatusCallback", "https://r.example/receipts/p1?message=\(Sample.id)#rc=3&rp=all"),
            ("StatusCallbackMethod", "POST"),
        ]
        return Sending(
            dispatches: [dispatch], url: "https://api.twilio.com/2010-04-01/Accounts/AC01/Calls.json",
            fields: [
                "Authorization": "Basic QUMwMToxMjM0NQ==", "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            ], body: String(decoding: Form(pairs + callback).serialized(), as: UTF8.self))
    }

    /// The code is who answered, or the SIP response of a call that nobody did.
    private static func twilioEvent(_ status: String, _ code: String) -> HTTPRequest {
        var pairs = [
            ("CallSid", "CA9f"), ("AccountSid", "AC01"), ("From", "+15550100"), ("To", "+447700900000"),
            ("CallStatus", status), ("Direction", "outbound-api"), ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", "3"), ("NewField", "of tomorrow"),
        ]
        if status == "completed" { pairs += [("CallDuration", "12"), ("AnsweredBy", code)] }
        if status != "completed", !code.isEmpty { pairs.append(("SipResponseCode", code)) }
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", query: "message=\(Sample.id)",
            fields: ["Content-Type": "application/x-www-form-urlencoded"], body: Form(pairs).serialized())
    }

    // MARK: - Bandwidth

    static let bandwidthVoice = ConformanceCase(
        account: Sample.account(
            .bandwidthVoice,
            ["username": "api", "password": "s3cret", "receipt_username": "user", "receipt_password": "pass"],
            settings: ["account_id": "500", "application_id": "app-1"], sender: "+15550100"),
        sendings: [
            Sending(
                dispatches: [Self.speech], url: "https://voice.bandwidth.com/api/v2/accounts/500/calls",
                fields: [
                    "Authorization": "Basic YXBpOnMzY3JldA==", "Content-Type": "application/json",
                    "Accept": "application/json",
                ],
                body: #"{"to":"+447700900000","from":"+15550100","applicationId":"app-1","#
                    + #""answerUrl":"https://r.example/receipts/p1","answerMethod":"POST","#
                    + #""disconnectUrl":"https://r.example/receipts/p1","disconnectMethod":"POST","#
                    + #""username":"user","password":"pass","callTimeout":30,"callbackTimeout":15,"#
                    + #""tag":"\#(Sample.id)","machineDetection":{"mode":"sync"},"priority":1}"#)
        ],
        answers: [
            Answer(201, #"{"callId":"c-15ac29a2","to":"+447700900000"}"#, .accepted(parts: ["c-15ac29a2"])),
            Answer(
                429, #"{"type":"error","description":"Account call creation rate limit exceeded"}"#,
                .refused(.throttled, "error", after: .seconds(1)), fields: ["Retry-After": "1"]),
            Answer(503, #"{"type":"system-overloaded"}"#, .refused(.throttled, "system-overloaded")),
            Answer(400, #"{"type":"validation","description":"x"}"#, .refused(.configuration, "validation")),
        ],
        callbacks: [
            Callback(
                request: Self.bandwidthDisconnect("hangup", "answered"),
                receipts: [
                    Sample.receipt(.delivered, part: "c-15ac29a2", status: "hangup", at: "2019-11-09T15:00:00.080Z")
                ])
        ],
        report: Self.bandwidthDisconnect,
        meanings: [
            Meaning("hangup", ["answered"], .delivered), Meaning("hangup", Self.noAnswer),
            // Whatever else the call ended with, the machine's mark tells who heard it.
            Meaning("hangup", ["machine"], Self.machine), Meaning("error", ["machine"], Self.machine),
            Meaning("busy", Self.busy), Meaning("timeout", Self.noAnswer), Meaning("cancel", .canceled),
            Meaning("rejected", Verdict(.rejected, .transientRecipient, .failoverChannel, .callBarred)),
            Meaning("callback-error", Verdict(.failed, .config, .failover, .configError)),
            Meaning("invalid-bxml", Verdict(.failed, .config, .failover, .configError)),
            Meaning("application-error", Verdict(.failed, .config, .failover, .configError)),
            Meaning("account-limit", .throttled), Meaning("node-capacity-exceeded", .throttled),
            Meaning("error", Verdict(.failed, .transientProvider, .failover, .providerError)),
            Meaning("unknown", Verdict(.failed, .transientProvider, .failover, .providerError)),
        ],
        asking: nil, proving: basicProof, proofs: [.field("Authorization")])

    private static func bandwidthDisconnect(_ cause: String, _ code: String) -> HTTPRequest {
        var event: [JSON.Member] = [
            .init("eventType", "disconnect"), .init("callId", "c-15ac29a2"), .init("cause", .string(cause)),
            .init("tag", .string(code == "machine" ? "\(Sample.id)/machine" : Sample.id)),
            .init("endTime", "2019-11-09T15:00:00.080Z"),
        ]
        if !code.isEmpty { event.append(.init("answerTime", "2019-11-09T14:59:50.000Z")) }
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
            body: JSON.object(event).serialized())
    }
}
