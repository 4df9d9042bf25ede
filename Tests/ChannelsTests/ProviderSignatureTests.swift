import Crypto
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@testable import Channels

/// The vectors of providers.md, and what each scheme allows beside them.
@Suite struct ProviderSignatureTests {
    // MARK: - Twilio (section 2.1.2)

    static let twilio = TwilioSignature(authToken: Secret("12345"))
    static let twilioForm =
        "CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"

    static func twilioRequest(
        _ body: String = twilioForm, signature: String = "NGAgWNhdnsLF8j385frvrQoi9sg=", query: String? = nil
    ) -> HTTPRequest {
        HTTPRequest(
            method: "POST", path: "/myapp", query: query,
            fields: [
                "X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded",
            ], body: Array(body.utf8))
    }

    static func twilioSignature(_ text: String) -> String {
        Base64.encode(Digest.sha1.authenticate(Array(text.utf8), key: Secret("12345")))
    }

    @Test func twiliosVectorIsRight() {
        #expect(Self.twilio.verifies(Self.twilioRequest(), at: "https://example.com/myapp"))
        #expect(
            !TwilioSignature(authToken: Secret("12346")).verifies(Self.twilioRequest(), at: "https://example.com/myapp")
        )
    }

    @Test(arguments: [
        "https://example.com/myapp/", "http://example.com/myapp", "https://example.com/myap",
        "https://example.org/myapp",
        "https://example.com/myapp?", "https://example.com/myapp?a=b", "",
    ])
    func twiliosSignatureIsOfOneAddress(_ address: String) {
        #expect(!Self.twilio.verifies(Self.twilioRequest(), at: address))
    }

    @Test(arguments: ["CallSid", "Caller", "Digits", "From", "To"])
    func eachFieldOfTwiliosFormIsSigned(_ name: String) {
        for form in [
            Self.twilioForm.replacing("\(name)=", with: "\(name)=0"), Self.twilioForm.replacing(name, with: "X\(name)"),
            Self.twilioForm + "&\(name)=more",
        ] {
            #expect(!Self.twilio.verifies(Self.twilioRequest(form), at: "https://example.com/myapp"))
        }
    }

    /// Order does not matter, nor does a pair that comes twice.
    @Test func twilioSignsASet() {
        let pairs = Self.twilioForm.split(separator: "&").reversed()
        let form = (Array(pairs) + ["Digits=1234"]).joined(separator: "&")
        #expect(Self.twilio.verifies(Self.twilioRequest(form), at: "https://example.com/myapp"))
    }

    @Test(arguments: [
        ("https://example.com/myapp", "https://example.com:443/myapp"),
        ("https://example.com:443/x", "https://example.com/x"),
        ("http://example.com/myapp?a=b", "http://example.com:80/myapp?a=b"), ("https://[::1]/x", "https://[::1]:443/x"),
        ("https://example.com:8443/x", "https://example.com:8443/x"),
        ("https://example.com:8443/x", "https://example.com/x"),
        ("https://example.com", "https://example.com:443"),
    ])
    func twilioSignsWithAndWithoutThePort(_ address: String, _ signed: String) {
        let request = Self.twilioRequest("a=b", signature: Self.twilioSignature(signed + "ab"))
        #expect(Self.twilio.verifies(request, at: address))
    }

    /// A stranger cannot have long forms sorted.
    @Test func aFormOfTooManyParametersIsNotLookedAt() {
        let form = (0...256).map { "a\($0)=1" }.joined(separator: "&")
        let request = HTTPRequest(method: "POST", path: "/receipts/p1", body: Array(form.utf8))
        let address = "https://r.example/receipts/p1"
        #expect(!Self.twilio.verifies(twilioProof(request, "12345"), at: address))
        #expect(!Self.plivo.verifies(plivoProof(request, "tok"), at: address))
    }

    @Test func twilioSignsABodyByItsHash() {
        let body = #"{"status":"delivered"}"#
        let query = "bodySHA256=\(Hex.encode(Digest.sha256.hash(body.utf8)))"
        let address = "https://example.com/myapp?\(query)"
        var request = Self.twilioRequest(body, signature: Self.twilioSignature(address), query: query)
        #expect(Self.twilio.verifies(request, at: address))
        request.body.append(UInt8(ascii: " "))
        #expect(!Self.twilio.verifies(request, at: address))
    }

    @Test func twilioSignsAGetByItsAddressAlone() {
        let address = "https://example.com/myapp?MessageSid=SM1"
        let signature = Self.twilioSignature(address)
        var request = HTTPRequest(path: "/myapp", query: "MessageSid=SM1", fields: ["X-Twilio-Signature": signature])
        #expect(Self.twilio.verifies(request, at: address))
        request.body = Array("MessageStatus=delivered".utf8)
        #expect(!Self.twilio.verifies(request, at: address))
    }

    // MARK: - Plivo (section 2.6)

    static let plivo = PlivoSignature(authToken: Secret("tok"))

    static func plivoRequest(_ signature: String, query: String? = nil, form: String = "To=123&From=456") -> HTTPRequest
    {
        HTTPRequest(
            method: "POST", path: "/plivo", query: query,
            fields: ["X-Plivo-Signature-V3": signature, "X-Plivo-Signature-V3-Nonce": "nonce1"], body: Array(form.utf8))
    }

    @Test func plivosVectorsAreRight() {
        let withQuery = Self.plivoRequest("JHJQ/LH1G3OEh6yOKyB9ZXvR9FsugNZAnLJBqA+ElqA=", query: "b=2&a=1")
        #expect(Self.plivo.verifies(withQuery, at: "https://example.com/plivo"))
        let without = Self.plivoRequest("+1BtGEvuas8IOnZh+Pky/0HycltWT8Jjd3y63zCwFvU=")
        #expect(Self.plivo.verifies(without, at: "https://example.com/plivo"))
        #expect(!Self.plivo.verifies(without, at: "https://example.com/plivo/"))
        #expect(!Self.plivo.verifies(without, at: "http://example.com/plivo"))
        #expect(!PlivoSignature(authToken: Secret("to")).verifies(without, at: "https://example.com/plivo"))
    }

    @Test(arguments: ["To=124&From=456", "To=123&From=457", "To=123", "To=123&From=456&X=1", ""])
    func eachFieldOfPlivosFormIsSigned(_ form: String) {
        let request = Self.plivoRequest("+1BtGEvuas8IOnZh+Pky/0HycltWT8Jjd3y63zCwFvU=", form: form)
        #expect(!Self.plivo.verifies(request, at: "https://example.com/plivo"))
    }

    @Test(arguments: [nil, "b=2", "b=2&a=2", "b=2&a=1&c=3"])
    func eachPieceOfPlivosQueryIsSigned(_ query: String?) {
        let request = Self.plivoRequest("JHJQ/LH1G3OEh6yOKyB9ZXvR9FsugNZAnLJBqA+ElqA=", query: query)
        #expect(!Self.plivo.verifies(request, at: "https://example.com/plivo"))
    }

    @Test func plivosListNeedsOneMatchAndOneNonce() {
        let right = "+1BtGEvuas8IOnZh+Pky/0HycltWT8Jjd3y63zCwFvU="
        #expect(Self.plivo.verifies(Self.plivoRequest("AAAA, \(right),BBBB"), at: "https://example.com/plivo"))
        var request = Self.plivoRequest(right)
        request.fields["X-Plivo-Signature-V3-Nonce"] = "nonce2"
        #expect(!Self.plivo.verifies(request, at: "https://example.com/plivo"))
        request.fields["X-Plivo-Signature-V3-Nonce"] = nil
        #expect(!Self.plivo.verifies(request, at: "https://example.com/plivo"))
    }

    @Test func plivosMainAccountSignsForASubaccount() {
        let request = plivoProof(
            HTTPRequest(method: "POST", path: "/receipts/p1", body: Array("a=b".utf8)), "main",
            field: "X-Plivo-Signature-Ma-V3")
        let address = "https://r.example/receipts/p1"
        let sub = PlivoSignature(authToken: Secret("sub"), mainAuthToken: Secret("main"))
        #expect(sub.verifies(request, at: address))
        #expect(!PlivoSignature(authToken: Secret("sub")).verifies(request, at: address))
        #expect(PlivoSignature(authToken: Secret("main")).verifies(request, at: address))
    }

    // MARK: - Telnyx (section 2.7)

    static func telnyx(_ credentials: [String: String] = [:]) -> ProviderAccount {
        Sample.account(
            .telnyxSMS,
            ["api_key": "k", "public_key": "2ZxdBwGXtf9bu4oZutRQo+6QUPCPKc98BJIinJIw4kg="].merging(credentials) { $1 })
    }

    static func telnyxRequest(body: String = #"{"data":{"event_type":"message.finalized"}}"#) -> HTTPRequest {
        HTTPRequest(
            method: "POST", path: "/receipts/p1",
            fields: [
                "telnyx-timestamp": "1700000000",
                "telnyx-signature-ed25519":
                    "FUpl6uvLiMo9STQHfwcHhGDndZ9F8osEkaHZTkmje/zhfgX/Rti2ddmj75yMRdfWeuHStc74+SHee7X4IlLiAg==",
            ], body: Array(body.utf8))
    }

    @Test func telnyxsVectorIsRight() throws {
        let signature = try #require(try TelnyxSMS(Self.telnyx()).signature)
        #expect(signature.verifies(Self.telnyxRequest(), now: Timestamp(seconds: 1_700_000_000)))
        #expect(!signature.verifies(Self.telnyxRequest(body: "{}"), now: Timestamp(seconds: 1_700_000_000)))
    }

    @Test(arguments: [(-301, false), (-300, true), (0, true), (300, true), (301, false)])
    func telnyxsTimeIsNearOurs(_ seconds: Int64, _ isRight: Bool) throws {
        let signature = try #require(try TelnyxSMS(Self.telnyx()).signature)
        #expect(signature.verifies(Self.telnyxRequest(), now: Timestamp(seconds: 1_700_000_000 + seconds)) == isRight)
    }

    @Test func telnyxsTokenIsNeededBesideTheKey() throws {
        let driver = try TelnyxSMS(Self.telnyx(["receipt_token": Sample.token]))
        var request = Self.telnyxRequest(body: #"{"data":{}}"#)
        request = telnyxProof(request)
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: Sample.now) }
        request = Self.telnyxRequest()
        request.path += "/\(Sample.token)"
        let receipts = try driver.receipts(in: request, now: Timestamp(seconds: 1_700_000_000))
        #expect(receipts.isEmpty)
    }

    // MARK: - MessageBird (section 2.9)

    static let messageBirdAddress = "https://r.example/receipts/p1?id=1"
    static let messageBirdRequest = HTTPRequest(path: "/receipts/p1", query: "id=1")

    private func verifies(_ request: HTTPRequest, at address: String = messageBirdAddress) -> Bool {
        MessageBirdSignature(signingKey: Secret("sign")).verifies(request, at: address, now: Sample.now)
    }

    @Test(arguments: [("HS256", Digest.sha256), ("HS384", .sha384), ("HS512", .sha512)])
    func messageBirdsThreeMethodsAreRight(_ name: String, _ digest: Digest) {
        let request = messageBirdProof(Self.messageBirdRequest, algorithm: name, digest: digest)
        #expect(self.verifies(request))
        #expect(!self.verifies(request, at: "\(Self.messageBirdAddress)&x=1"))
        #expect(
            !self.verifies(messageBirdProof(Self.messageBirdRequest, key: "other", algorithm: name, digest: digest)))
    }

    @Test func messageBirdSignsABodyByItsHash() {
        var request = Self.messageBirdRequest
        request.body = [1, 2, 3]
        request = messageBirdProof(request)
        #expect(self.verifies(request))
        request.body = [1, 2]
        #expect(!self.verifies(request))
        request.body = []
        #expect(!self.verifies(request))
    }

    static let claims: [(String, JSON?)] = [
        ("iss", nil), ("iss", "Messagebird"), ("nbf", nil), ("nbf", .integer(Sample.now.seconds + 2)), ("exp", nil),
        ("exp", .integer(Sample.now.seconds - 1)), ("exp", "soon"), ("url_hash", nil), ("url_hash", ""),
        ("url_hash", "00"), ("payload_hash", "00"),
    ]

    @Test(arguments: claims) func eachClaimOfMessageBirdsCounts(_ name: String, _ value: JSON?) {
        let request = messageBirdProof(Self.messageBirdRequest) { claims in
            claims.removeAll { $0.name == name }
            if let value { claims.append(.init(name, value)) }
        }
        #expect(!self.verifies(request))
    }

    @Test func messageBirdsClockMayBeASecondOff() {
        let request = messageBirdProof(Self.messageBirdRequest) { claims in
            claims.removeAll { $0.name == "nbf" }
            claims.append(.init("nbf", .integer(Sample.now.seconds + 1)))
        }
        #expect(self.verifies(request))
    }

    @Test func noneIsNoMethodOfMessageBirds() {
        #expect(!self.verifies(messageBirdProof(Self.messageBirdRequest, algorithm: "none")))
        #expect(!self.verifies(messageBirdProof(Self.messageBirdRequest, algorithm: "RS256")))
    }

    // MARK: - The address

    /// What a proxy in front of the receiver does to `Host` and to the port does not matter, what stands behind our own path
    /// does.
    @Test(arguments: ["/receipts/p1/x", "/receipts/p1/"]) func whatStandsBehindOurPathIsSigned(_ path: String) throws {
        for item in [ConformanceCase.twilioSMS, .plivoSMS, .messageBirdSMS] {
            var request = item.proving(item.callbacks[0].request)
            request.path = path
            let driver = try item.driver()
            #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: item.now) }
        }
    }

    /// Without an address in the settings nothing says what was signed.
    @Test func withoutAReceiptAddressNothingIsProved() throws {
        for item in [ConformanceCase.twilioSMS, .plivoSMS, .messageBirdSMS] {
            var account = item.account
            account.receiptURL = nil
            let driver = try Sample.httpDriver(account)
            let request = item.proving(item.callbacks[0].request)
            #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: item.now) }
        }
    }
}
