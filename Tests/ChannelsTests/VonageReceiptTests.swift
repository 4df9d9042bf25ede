import Channels
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

/// Callbacks in the three methods that an account at Vonage can choose, under a token or a signature.
@Suite struct VonageReceiptTests {
    static let pairs = [
        ("msisdn", "447700900000"), ("to", "AcmeInc"), ("network-code", "23410"), ("messageId", "0A0000001234567B"),
        ("price", "0.03330000"), ("status", "delivered"), ("scts", "2002251407"), ("err-code", "0"),
        ("api-key", "abcd1234"), ("client-ref", Sample.id), ("message-timestamp", "2020-02-25 14:07:26"),
    ]
    static let form = String(decoding: Form(pairs).serialized(), as: UTF8.self)
    static let path = "/receipts/v1/\(Sample.token)"

    static let json = JSON.object(pairs.map { JSON.Member($0.0, .string($0.1)) }).serialized()
    static let requests = [
        HTTPRequest(method: "GET", path: path, query: form),
        HTTPRequest(method: "GET", path: "/receipts/v1", query: "\(form)&receipt_token=\(Sample.token)"),
        HTTPRequest(
            method: "POST", path: path, fields: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array(form.utf8)
        ),
        HTTPRequest(
            method: "POST", path: path, fields: ["content-type": "application/json; charset=utf-8"], body: json
        ),
        HTTPRequest(method: "POST", path: path, body: json),
    ]

    @Test(arguments: requests) func eachMethodIsRead(_ request: HTTPRequest) throws {
        let driver = try Sample.httpDriver(Sample.vonage())
        let expected = Receipt(
            message: Sample.reference, part: "0A0000001234567B", coversMessage: false,
            verdict: Verdict(.delivered, .none, .none, .ok), status: "delivered", code: "0",
            occurredAt: Timestamp("2020-02-25T14:07:26Z")
        )
        #expect(try driver.receipts(in: request, now: Sample.now) == [expected])
        #expect((200...205).contains(driver.receiptAnswer().status))
    }

    @Test(arguments: [
        "/receipts/v1", "/receipts/v1/", "/receipts/v1/\(Sample.token.dropLast())", "/receipts/v1/\(Sample.token)/",
        "/receipts/v1/\(Sample.token)x", "/\(Sample.token)/v1", "",
    ])
    func aWrongTokenIsRefused(_ path: String) throws {
        let driver = try Sample.httpDriver(Sample.vonage())
        let request = HTTPRequest(method: "GET", path: path, query: Self.form)
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: Sample.now) }
        #expect(ReceiptRefusal.unauthenticated.status == 403)
    }

    static func receipt(_ pairs: [(String, String)]) throws -> Receipt {
        let query = String(decoding: Form(pairs).serialized(), as: UTF8.self)
        let request = HTTPRequest(method: "GET", path: self.path, query: query)
        let receipts = try Sample.httpDriver(Sample.vonage()).receipts(in: request, now: Sample.now)
        try #require(receipts.count == 1)
        return receipts[0]
    }

    /// providers.md section 10.
    static let statuses: [(status: String, code: String, verdict: Verdict)] = [
        ("accepted", "0", Verdict(.sent, .none, .wait, .accepted)),
        ("buffered", "0", Verdict(.sent, .none, .wait, .accepted)),
        ("delivered", "0", Verdict(.delivered, .none, .none, .ok)),
        ("delivered", "99", Verdict(.delivered, .none, .none, .ok)),
        ("expired", "2", Verdict(.expired, .transientRecipient, .failoverChannel, .expired)),
        ("unknown", "1", Verdict(.unknown, .none, .none, .noReceipt)),
        ("failed", "1", Verdict(.undelivered, .transientProvider, .failover, .unknown)),
        ("failed", "2", Verdict(.undelivered, .transientRecipient, .retrySame, .unreachableTemporary)),
        ("failed", "3", Verdict(.undelivered, .permanentRecipient, .stop, .deactivatedNumber)),
        ("rejected", "4", Verdict(.rejected, .permanentRecipient, .stop, .callBarred)),
        ("failed", "5", Verdict(.undelivered, .transientProvider, .failover, .noRoute)),
        ("rejected", "6", Verdict(.rejected, .permanentMessage, .failoverOnce, .spamFiltered)),
        ("failed", "7", Verdict(.undelivered, .transientRecipient, .retrySame, .handsetBusy)),
        ("failed", "8", Verdict(.undelivered, .transientProvider, .retrySame, .carrierError)),
        ("rejected", "9", Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
        ("failed", "10", Verdict(.undelivered, .permanentMessage, .stop, .contentRejected)),
        ("failed", "11", Verdict(.undelivered, .transientProvider, .failover, .noRoute)),
        ("failed", "12", Verdict(.undelivered, .permanentRecipient, .stop, .invalidDestination)),
        ("rejected", "13", Verdict(.rejected, .permanentMessage, .stop, .contentRejected)),
        ("rejected", "14", Verdict(.rejected, .transientProvider, .failover, .blockedByCarrier)),
        ("failed", "15", Verdict(.undelivered, .transientRecipient, .stop, .callBarred)),
        ("rejected", "50", Verdict(.rejected, .config, .failover, .senderUnregistered)),
        ("rejected", "54", Verdict(.rejected, .config, .failover, .senderUnregistered)),
        ("failed", "95", Verdict(.undelivered, .transientProvider, .failover, .unknown)),
        ("failed", "99", Verdict(.undelivered, .transientProvider, .failover, .noRoute)),
        ("failed", "0", Verdict(.undelivered, .transientProvider, .failover, .unknown)),
        ("failed", "12345", Verdict(.undelivered, .transientProvider, .failover, .unknown)),
        ("teleported", "0", Verdict(.unknown, .none, .wait, .unknown)),
    ]

    @Test(arguments: statuses) func eachStatusAndErrorHasItsVerdict(
        _ status: String, _ code: String, _ verdict: Verdict
    ) throws {
        let receipt = try Self.receipt([("messageId", "1"), ("status", status), ("err-code", code)])
        #expect(receipt.verdict == verdict)
        #expect(receipt.status == status && receipt.code == code)
    }

    @Test func aForeignReferenceNamesNoMessage() throws {
        let receipt = try Self.receipt([("messageId", "1"), ("status", "delivered"), ("client-ref", "not-ours")])
        #expect(receipt.message == nil && receipt.part == "1" && receipt.code == "" && receipt.occurredAt == nil)
    }

    @Test func aLaterSeriesIsRead() throws {
        let receipt = try Self.receipt([("messageId", "1"), ("status", "failed"), ("client-ref", "\(Sample.id).2")])
        #expect(receipt.message == MessageReference(id: Sample.reference.id, series: 2))
    }

    @Test func whatIsStoredHasALengthAndNoNULs() throws {
        let receipt = try Self.receipt([
            ("messageId", "a\0b" + String(repeating: "x", count: 500)), ("status", "gone\0"), ("err-code", "\r\n1"),
        ])
        #expect(receipt.part.hasPrefix("abx") && receipt.part.utf8.count == 128)
        #expect(receipt.status == "gone" && receipt.code == "1")
    }

    static let malformed = [
        HTTPRequest(method: "GET", path: path),
        HTTPRequest(method: "GET", path: path, query: "status=delivered"),
        HTTPRequest(method: "GET", path: path, query: "messageId=1"),
        HTTPRequest(method: "GET", path: path, query: "messageId=1&status=%ZZ"),
        HTTPRequest(method: "PUT", path: path, query: form),
        // The body counts for POST, and only it.
        HTTPRequest(method: "POST", path: path, query: form),
        HTTPRequest(method: "POST", path: path, body: Array("{".utf8)),
        HTTPRequest(method: "POST", path: path, fields: ["Content-Type": "application/json"], body: Array("[]".utf8)),
    ]

    /// Where callbacks are signed, nobody has proved what cannot be read.
    @Test(
        arguments: malformed.map { request in
            var request = request
            request.path = "/receipts/v1"
            return request
        })
    func aMalformedCallbackThatShouldBeSignedProvesNothing(_ request: HTTPRequest) throws {
        let driver = try Sample.httpDriver(Sample.vonage(["signature_secret": "s3cret-of-callbacks"]))
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: Sample.now) }
    }

    @Test(arguments: malformed) func aMalformedCallbackIsRefused(_ request: HTTPRequest) throws {
        let driver = try Sample.httpDriver(Sample.vonage())
        let error = #expect(throws: ReceiptRefusal.self) { try driver.receipts(in: request, now: Sample.now) }
        #expect(error?.status == 400)
        #expect(error?.description.contains("delivered") == false)
    }
}
