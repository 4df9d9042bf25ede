import Crypto
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@testable import Channels

@Suite struct InfobipReceiptTests {
    static let basic = "Basic \(Base64.encode(Array("user:pass".utf8)))"

    static func request(_ results: [JSON], authorization: String? = basic) -> HTTPRequest {
        var request = HTTPRequest(method: "POST", path: "/receipts/i1")
        request.fields["Content-Type"] = "application/json"
        request.fields["Authorization"] = authorization
        request.body = (["results": .array(results)] as JSON).serialized()
        return request
    }

    static func result(
        _ messageID: String = Sample.id, status: Int64 = 5, group: Int64 = 3, error: Int64 = 0, permanent: Bool? = false
    ) -> JSON {
        [
            "bulkId": "b", "messageId": .string(messageID), "to": "447700900000", "sender": "ACME",
            "sentAt": "2019-11-09T16:00:00.000+0100", "doneAt": "2019-11-09T16:00:00.080+0100", "messageCount": 1,
            "mccMnc": "23410", "callbackData": .string(messageID),
            "price": ["pricePerMessage": 0.01, "currency": "EUR"],
            "status": ["groupId": .integer(group), "groupName": "G", "id": .integer(status), "name": "NAME"],
            "error": [
                "groupId": 0, "groupName": "OK", "id": .integer(error), "name": "E",
                "permanent": permanent.map { .bool($0) } ?? nil,
            ],
        ]
    }

    private func receipts(_ results: [JSON]) throws -> [Receipt] {
        try InfobipSMS(Sample.infobip()).receipts(in: Self.request(results), now: Sample.now)
    }

    @Test func aRecordedReceiptIsRead() throws {
        let expected = Receipt(
            message: Sample.reference, part: "", coversMessage: true, verdict: Verdict(.delivered, .none, .none, .ok),
            status: "NAME", code: "0", occurredAt: Timestamp("2019-11-09T15:00:00.080Z")
        )
        #expect(try self.receipts([Self.result()]) == [expected])
        #expect(try InfobipSMS(Sample.infobip()).receiptAnswer().status == 200)
    }

    @Test func twoThousandAtOnceAreReadInOrderAndNoMore() throws {
        let references = (1...2000).map { MessageReference(id: MessageID(high: 0x7000, low: UInt64($0)), series: 2) }
        let results = references.map { Self.result($0.description) }
        #expect(try self.receipts(results).map(\.message) == references)
        #expect(throws: ReceiptRefusal.malformed("more than 2000 results")) {
            try self.receipts(results + [Self.result()])
        }
    }

    @Test func oneBadResultDoesNotCostItsNeighbours() throws {
        let receipts = try self.receipts([
            7, [:], Self.result("not-ours"), ["messageId": 5, "status": "x"], Self.result(),
        ])
        #expect(receipts.count == 5)
        #expect(receipts.map(\.message) == [nil, nil, nil, nil, Sample.reference])
        #expect(receipts.map(\.part) == ["", "", "not-ours", "5", ""])
        #expect(receipts[0].verdict == Verdict(.unknown, .none, .wait, .unknown))
        #expect(receipts[2].verdict.state == .delivered)
    }

    @Test func theCallbackDataNamesAMessageWhoseIDInfobipChose() throws {
        let result: JSON = ["messageId": "123", "callbackData": .string(Sample.id), "status": ["id": 5]]
        let receipt = try #require(try self.receipts([result]).first)
        #expect(receipt.message == Sample.reference && receipt.part == "123" && receipt.status == "5")
    }

    /// providers.md section 10: what the status says, and what the error adds.
    static let verdicts: [(status: Int64, group: Int64, error: Int64, permanent: Bool?, verdict: Verdict)] = [
        (26, 1, 0, nil, Verdict(.submitted, .none, .wait, .accepted)),
        (7, 1, 0, nil, Verdict(.sent, .none, .wait, .accepted)),
        (2, 3, 0, false, Verdict(.sent, .none, .wait, .accepted)),
        (5, 3, 0, false, Verdict(.delivered, .none, .none, .ok)),
        (5, 3, 1, true, Verdict(.delivered, .none, .none, .ok)),
        (23, 5, 5492, true, Verdict(.submitted, .none, .wait, .duplicate)),
        (15, 4, 4101, true, Verdict(.expired, .transientRecipient, .failoverChannel, .expired)),
        (29, 4, 0, false, Verdict(.unknown, .none, .none, .noReceipt)),
        (9, 2, 0, false, Verdict(.undelivered, .transientRecipient, .failover, .carrierError)),
        (9, 2, 1, true, Verdict(.undelivered, .permanentRecipient, .stop, .unknownSubscriber)),
        (9, 2, 1, nil, Verdict(.undelivered, .permanentRecipient, .stop, .unknownSubscriber)),
        (9, 2, 1, false, Verdict(.undelivered, .transientRecipient, .failover, .unknownSubscriber)),
        (9, 2, 27, false, Verdict(.undelivered, .transientRecipient, .failover, .unreachableTemporary)),
        (9, 2, 27, true, Verdict(.undelivered, .permanentRecipient, .stop, .unreachableTemporary)),
        (9, 2, 34, false, Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
        (9, 2, 355, true, Verdict(.undelivered, .permanentMessage, .stop, .tooLong)),
        (9, 2, 581, true, Verdict(.undelivered, .config, .haltProvider, .insufficientCredit)),
        (9, 2, 603, true, Verdict(.undelivered, .permanentRecipient, .stopSuppress, .optedOut)),
        (9, 2, 628, true, Verdict(.undelivered, .transientRecipient, .failover, .unreachableTemporary)),
        (9, 2, 631, true, Verdict(.undelivered, .transientProvider, .failover, .carrierError)),
        (9, 2, 77777, true, Verdict(.undelivered, .permanentRecipient, .stop, .carrierError)),
        (9, 2, 77777, false, Verdict(.undelivered, .transientRecipient, .failover, .carrierError)),
        (4, 2, 0, false, Verdict(.undelivered, .transientProvider, .failover, .blockedByCarrier)),
        (7777, 2, 13, false, Verdict(.undelivered, .transientRecipient, .failover, .callBarred)),
        (7777, 3, 0, false, Verdict(.sent, .none, .wait, .accepted)),
        (7777, 77, 0, false, Verdict(.unknown, .none, .wait, .unknown)),
        (10, 5, 2050, false, Verdict(.rejected, .permanentRecipient, .stopSuppress, .optedOut)),
    ]

    @Test(arguments: verdicts)
    func statusAndErrorGiveTheVerdict(
        _ status: Int64, _ group: Int64, _ error: Int64, _ permanent: Bool?, _ verdict: Verdict
    ) throws {
        let result = Self.result(status: status, group: group, error: error, permanent: permanent)
        let receipt = try #require(try self.receipts([result]).first)
        #expect(receipt.verdict == verdict)
        #expect(receipt.code == String(error))
    }

    @Test(arguments: [
        nil, "", "Basic", "Basic !", "Basic dXNlcjpwYXNz=", basic.dropLast() + "A", "Bearer dXNlcjpwYXNz",
        "Basic \(Base64.encode(Array("user:Pass".utf8)))", "Basic \(Base64.encode(Array("user:pas".utf8)))",
    ])
    func wrongBasicCredentialsAreRefused(_ authorization: String?) throws {
        let driver = try InfobipSMS(Sample.infobip())
        let request = Self.request([Self.result()], authorization: authorization)
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: Sample.now) }
    }

    @Test func theSchemeHasNoCase() throws {
        let request = Self.request([], authorization: "bAsIc dXNlcjpwYXNz")
        #expect(try InfobipSMS(Sample.infobip()).receipts(in: request, now: Sample.now).isEmpty)
    }

    @Test func aHeaderOrATokenProvesToo() throws {
        let header = try InfobipSMS(Sample.infobip(["receipt_header_name": "X-Key", "receipt_header_value": "v"]))
        let token = try InfobipSMS(Sample.infobip(["receipt_token": Sample.token]))
        var request = Self.request([Self.result()])
        #expect(throws: ReceiptRefusal.unauthenticated) { try header.receipts(in: request, now: Sample.now) }
        #expect(throws: ReceiptRefusal.unauthenticated) { try token.receipts(in: request, now: Sample.now) }
        request.fields["x-key"] = "w"
        #expect(throws: ReceiptRefusal.unauthenticated) { try header.receipts(in: request, now: Sample.now) }
        request.fields["x-key"] = "v"
        #expect(try header.receipts(in: request, now: Sample.now).count == 1)
        request.path += "/\(Sample.token)"
        #expect(try token.receipts(in: request, now: Sample.now).count == 1)
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"results":{}}"#, "\u{FEFF}{}"])
    func aMalformedBodyIsRefused(_ body: String) throws {
        var request = Self.request([])
        request.body = Array(body.utf8)
        let driver = try InfobipSMS(Sample.infobip())
        #expect(throws: ReceiptRefusal.malformed("no results")) { try driver.receipts(in: request, now: Sample.now) }
        request.method = "GET"
        #expect(throws: ReceiptRefusal.malformed("not POST")) { try driver.receipts(in: request, now: Sample.now) }
    }
}
