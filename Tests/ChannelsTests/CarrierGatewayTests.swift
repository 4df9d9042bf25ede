import Channels
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@Suite struct CarrierGatewayTests {
    static let speech = Content.speech(
        Speech("Your code is 4, 9", language: "de", voice: "Vicki", rate: 0.75, repeatDTMF: "1#"))
    static let mail = Content.mail(Mail(subject: "Your code", text: "It is 49\n"))

    private func request(_ dispatch: Dispatch, _ account: ProviderAccount = Sample.carrier()) throws -> OutgoingRequest
    {
        try Sample.httpDriver(account).request(for: [dispatch], now: Sample.now)
    }

    private func body(_ dispatch: Dispatch, _ account: ProviderAccount = Sample.carrier()) throws -> JSON {
        try JSON(parsing: self.request(dispatch, account).body)
    }

    @Test func aCallIsOneRequestUnderOurReference() throws {
        let request = try self.request(Sample.dispatch(Self.speech))
        #expect(request.method == "POST")
        #expect(request.url == "https://carrier.example/calls")
        #expect(request.fields["Authorization"] == "Bearer key-2")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"reference":"0192d1e4-7000-7000-8000-000000000001","to":"+447700900000","from":"ACME","#
                + #""seconds":180,"receipt_url":"https://r.example/c/receipts-0123456789","text":"Your code is 4, 9","#
                + #""language":"de","voice":"Vicki","rate":0.75,"repeat":"1#"}"#)
    }

    @Test func aMailHasASubjectAndASenderOfItsOwn() throws {
        let dispatch = Sample.dispatch(Self.mail, to: "Anna@Example.com")
        #expect(try self.request(dispatch).url == "https://carrier.example/mails")
        let body = try self.body(dispatch)
        #expect(body["to"] == "Anna@example.com")
        #expect(body["from"] == "Acme <codes@acme.example>")
        #expect(body["subject"] == "Your code")
        #expect(body["text"] == "It is 49\n")
        #expect(try self.body(Sample.dispatch(Self.mail, to: "a@b.co", sender: "c@d.co"))["from"] == "c@d.co")
    }

    @Test func whatIsNotGivenIsNotNamed() throws {
        let account = Sample.carrier(receiptURL: nil, sender: nil, settings: [:])
        let call = try self.body(Sample.dispatch(.speech(Speech("Hello")), validity: .zero), account)
        #expect(call.members?.map(\.name) == ["reference", "to", "seconds", "text", "language", "rate"])
        #expect(call["seconds"] == 1)
        let mail = try self.body(Sample.dispatch(Self.mail, to: "a@b.co"), account)
        #expect(mail.members?.map(\.name) == ["reference", "to", "seconds", "subject", "text"])
    }

    static let answers: [(HTTPResponse, Outcome)] = [
        (HTTPResponse(202, json: ["id": "F0AE"]), .accepted(parts: [])),
        (HTTPResponse(409, json: ["code": "duplicate"]), .accepted(parts: [])),
        (HTTPResponse(status: 200, body: Array("<html>".utf8)), .unanswered(.providerError)),
        (HTTPResponse(status: 202), .unanswered(.providerError)),
        (HTTPResponse(status: 504), .unanswered(.networkTimeout)),
        (
            HTTPResponse(422, json: ["code": "invalid_destination"]),
            .refused(
                Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination), code: "invalid_destination",
                retryAfter: nil)
        ),
        (
            HTTPResponse(422, json: ["code": "of_tomorrow"]),
            .refused(
                Verdict(.failed, .permanentMessage, .failoverOnce, .configError), code: "of_tomorrow", retryAfter: nil)
        ),
        (
            HTTPResponse(401, json: ["code": "unauthorized"]),
            .refused(Verdict(.failed, .config, .haltProvider, .authFailed), code: "unauthorized", retryAfter: nil)
        ),
        (
            HTTPResponse(429, json: ["code": "throttled"], fields: ["Retry-After": "2"]),
            .refused(
                Verdict(.failed, .transientProvider, .throttle, .throttledProvider), code: "throttled",
                retryAfter: .seconds(2))
        ),
    ]

    @Test(arguments: answers) func anAnswerIsAnOutcome(_ response: HTTPResponse, _ outcome: Outcome) throws {
        let driver = try Sample.httpDriver(Sample.carrier())
        #expect(driver.outcomes(for: [Sample.dispatch(Self.speech)], response: response) == [outcome])
    }

    private func receipt(
        _ json: JSON, path: String = "/receipts/c1/\(Sample.token)", method: String = "POST"
    ) throws -> [Receipt] {
        try Sample.httpDriver(Sample.carrier()).receipts(
            in: HTTPRequest(method: method, path: path, body: json.serialized()), now: Sample.now)
    }

    @Test(arguments: [
        ("delivered", "", Verdict(.delivered, .none, .none, .ok)),
        ("on_the_way", "", Verdict(.sent, .none, .wait, .accepted)),
        ("failed", "no_answer", Verdict(.undelivered, .transientRecipient, .retrySame, .noAnswer)),
        ("failed", "hard_bounce", Verdict(.undelivered, .permanentRecipient, .stopSuppress, .hardBounce)),
        ("failed", "of_tomorrow", Verdict(.undelivered, .transientProvider, .failover, .unknown)),
        ("of_tomorrow", "", Verdict(.unknown, .none, .wait, .unknown)),
    ])
    func aReceiptSpeaksOfTheWholeMessage(_ status: String, _ code: String, _ verdict: Verdict) throws {
        let receipt = try self.receipt([
            "reference": "\(Sample.reference)", "id": "F0AE", "status": .string(status), "code": .string(code),
            "at": "2026-11-21T09:15:00.250Z",
        ])
        #expect(
            receipt == [
                Receipt(
                    message: Sample.reference, part: "", coversMessage: true, verdict: verdict, status: status,
                    code: code, occurredAt: Timestamp("2026-11-21T09:15:00.250Z"))
            ])
    }

    @Test func whoDoesNotKnowTheAddressForgesNothing() {
        let json: JSON = ["reference": "\(Sample.reference)", "status": "delivered"]
        for path in ["/receipts/c1", "/receipts/c1/", "/receipts/c1/receipts-0123456788"] {
            #expect(throws: ReceiptRefusal.unauthenticated) { try self.receipt(json, path: path) }
        }
    }

    @Test(
        arguments: [
            [], ["status": "delivered"], ["reference": "x", "status": "delivered"],
            ["reference": "0192d1e4-7000-7000-8000-000000000001"],
            ["reference": "0192d1e4-7000-7000-8000-000000000001", "status": ""],
        ] as [JSON])
    func whatCannotBeReadIsRefused(_ json: JSON) {
        let error = #expect(throws: ReceiptRefusal.self) { try self.receipt(json) }
        #expect(error?.status == 400)
    }

    @Test func aReceiptIsPosted() {
        #expect(throws: ReceiptRefusal.malformed("not POST")) { try self.receipt([], method: "GET") }
    }
}
