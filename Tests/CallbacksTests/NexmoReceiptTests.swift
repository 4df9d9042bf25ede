import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@testable import Callbacks

@Suite struct NexmoReceiptTests {
    /// The signed vector of dialects.md section 4.3.
    private static let vector = [
        ("msisdn", "16365553226"), ("to", "12345"), ("network-code", "310260"), ("messageId", "0A0000001234567B"),
        ("price", "0.05000000"), ("status", "delivered"), ("scts", "2001011400"), ("err-code", "0"),
        ("message-timestamp", "2020-01-01 12:00:00"), ("api-key", "nxkey000"), ("timestamp", "1577880000"),
        ("nonce", "ec11dd3e-1e7f-4db5-9467-82b02cd223b9"),
        ("sig", "56edb613184cce3c10b39c268a04e5548f7ebb9c1eb2d0c0bc610e93653fbbd9"),
    ]

    private static func message() throws -> CallbackEvent.Message {
        var message = Sample.message()
        message.id = try #require(MessageID(compactText: "0A0000001234567B"))
        message.sender = "12345"
        message.price = Money("0.05")
        message.network = "310260"
        return message
    }

    private static func receipt(_ message: CallbackEvent.Message) throws -> NexmoReceipt {
        let moment = try #require(Timestamp("2020-01-01T14:00:00Z"))
        return try #require(NexmoReceipt(message, of: Sample.event(.messageDelivered, message, at: moment)))
    }

    private static func request(_ method: String?, url: String = "https://example.com/dlr") throws -> CallbackRequest {
        var settings = ["api_key": "nxkey000", "signature_method": "sha256"]
        settings["method"] = method
        let endpoint = Sample.endpoint(
            .nexmo, url: url, settings, CallbackSecrets(fields: ["signature_secret": "sigsecret"]))
        return try Self.receipt(Self.message()).request(
            to: endpoint, now: Timestamp(seconds: 1_577_880_000), nonce: "ec11dd3e-1e7f-4db5-9467-82b02cd223b9")
    }

    @Test(arguments: [nil, "GET", "POST-FORM", "POST-JSON"]) func thePublishedVectorIsTold(method: String?) throws {
        let request = try Self.request(method)
        switch method {
        case "POST-FORM":
            #expect(request.method == "POST")
            #expect(request.fields["Content-Type"] == "application/x-www-form-urlencoded")
            #expect(Form(parsing: request.body) == Form(Self.vector))
        case "POST-JSON":
            #expect(request.method == "POST")
            #expect(request.fields["Content-Type"] == "application/json")
            let members = Self.vector.map { JSON.Member($0.0, .string($0.1)) }
            #expect(try JSON(parsing: request.body) == .object(members))
        default:
            #expect(request.method == "GET")
            #expect(request.body.isEmpty)
            let pieces = request.url.split(separator: "?")
            #expect(pieces[0] == "https://example.com/dlr")
            #expect(Form(parsing: String(pieces[1])) == Form(Self.vector))
        }
    }

    @Test func theQueryOfTheCustomerStaysAndIsSigned() throws {
        let plain = try Self.request("GET")
        for (url, kept) in [
            ("https://example.com/dlr?a=%20b&c", "a=%20b&c&"), ("https://example.com/dlr?", ""),
            ("https://example.com/dlr#part", ""),
        ] {
            let request = try Self.request("GET", url: url)
            #expect(request.url.hasPrefix("https://example.com/dlr?\(kept)msisdn=16365553226&"))
            #expect(request.url.hasSuffix(String(plain.url.suffix(64))) == kept.isEmpty)
            #expect(request.url.filter { $0 == "?" }.count == 1)
        }
        let posted = try Self.request("POST-FORM", url: "https://example.com/dlr?a=1")
        #expect(posted.url == "https://example.com/dlr?a=1")
        #expect(Form(parsing: posted.body) == Form(Self.vector))
    }

    @Test func anUnsignedReceiptHasTheFieldsThatThePHPLibraryNeeds() throws {
        var message = Sample.message()
        let long = MessageID(high: message.id.high, low: message.id.low | 1 << 61)
        message.id = long
        let event = Sample.event(.messageAccepted, message)
        let endpoint = Sample.endpoint(.nexmo, url: "https://example.com", ["method": "POST-FORM"])
        let request = try #require(Callbacks.request(for: event, to: endpoint, now: Sample.now))
        #expect(
            Form(parsing: request.body)
                == Form([
                    ("msisdn", "16365553226"), ("to", ""), ("network-code", ""), ("messageId", "\(long)"),
                    ("price", "0.00000000"), ("status", "accepted"), ("scts", "2102251502"), ("err-code", "0"),
                    ("message-timestamp", "2021-02-25 15:02:10"),
                ]))
    }

    @Test func theReferenceIsGivenBackAndTheNonceIsNewForEachTry() throws {
        var message = try Self.message()
        message.reference = "a&b=c"
        let endpoint = Sample.endpoint(
            .nexmo, ["method": "POST-FORM"], CallbackSecrets(fields: ["signature_secret": "s"]))
        let forms = try [0, 0, 1].map { later in
            let request = try Self.receipt(message).request(to: endpoint, now: Sample.now + .seconds(later))
            return try #require(Form(parsing: request.body))
        }
        #expect(forms[0]["client-ref"] == "a&b=c")
        #expect(forms[0]["nonce"]?.utf8.count == 36)
        #expect(forms[0]["nonce"] == forms[1]["nonce"])
        #expect(forms[0]["nonce"] != forms[2]["nonce"])
        // MD5 by default.
        #expect(forms[0]["sig"]?.utf8.count == 32)
    }

    @Test func everyStateAndReasonHasItsWords() throws {
        let rows: [(MessageState, Verdict.Reason?, String, Int)] = [
            (.accepted, .accepted, "accepted", 0), (.unknown, .noReceipt, "unknown", 1),
            (.delivered, .ok, "delivered", 0), (.delivered, nil, "delivered", 0), (.expired, .expired, "expired", 1),
            (.cancelled, nil, "rejected", 1), (.failed, .attemptsSpent, "rejected", 1),
            (.failed, .noRoute, "rejected", 11), (.failed, .insufficientCredit, "rejected", 99),
            (.failed, .optedOut, "rejected", 9), (.failed, .senderUnregistered, "rejected", 50),
            (.failed, .senderInvalid, "rejected", 51), (.undelivered, nil, "failed", 1),
            (.undelivered, .unreachableTemporary, "failed", 2), (.undelivered, .deactivatedNumber, "failed", 3),
            (.undelivered, .callBarred, "failed", 4), (.undelivered, .spamFiltered, "failed", 6),
            (.undelivered, .handsetBusy, "failed", 7), (.undelivered, .carrierError, "failed", 8),
            (.undelivered, .contentRejected, "failed", 10), (.undelivered, .invalidDestination, "failed", 12),
            (.undelivered, .blockedByCarrier, "failed", 14),
        ]
        let told = Set(Callbacks.types(of: .nexmo).compactMap(\.messageState))
        #expect(Set(rows.map(\.0)) == told)
        for (state, reason, status, code) in rows {
            let event = Sample.event(try #require(Sample.type(of: state)), reason: reason?.rawValue)
            let words = try #require(NexmoReceipt(Sample.message(), of: event)).words
            #expect(words.status == status, "\(state)")
            #expect(words.code == code, "\(state) \(String(describing: reason))")
        }
    }
}
