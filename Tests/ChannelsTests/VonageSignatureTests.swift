import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@testable import Channels
@testable import Crypto

/// The vectors of providers.md section 2.2.2, and every way of spoiling them.
@Suite struct VonageSignatureTests {
    static let pairs = [
        ("msisdn", "447700900000"), ("to", "AcmeInc"), ("messageId", "0A0000001234567B"), ("status", "delivered"),
        ("err-code", "0"), ("timestamp", "1582650446"), ("text", "a&b=c"),
    ]
    static let signatures: [(method: String, sig: String)] = [
        ("md5hash", "85ede0296309964353e1fa4d11ffe713"),
        ("md5", "1ee660e53f4b3037f508e3c53701def6"),
        ("sha1", "dcae8b0fb1282d3d2ffd6defc2975f0ae6cb334d"),
        ("sha256", "e7f28841fe2cc41fc534f95afef5bf1072c4e103f7a0305c1a841ca48788027c"),
        (
            "sha512",
            "f74f263bacd01e5f1825fb760dcc3827d18dd093d80abb31d1d764b95678cdb2"
                + "ee130ff5509783e07009dbc5df83234e5b1ea245c508ba1eacad26e525c65fa7"
        ),
    ]

    static func driver(_ method: String = "md5hash", secret: String = "secret") throws -> VonageSMS {
        try VonageSMS(Sample.vonage(["signature_secret": secret, "signature_method": method]))
    }

    static func request(_ pairs: [(String, String)]) -> HTTPRequest {
        HTTPRequest(method: "POST", path: "/receipts/v1", body: Form(pairs).serialized())
    }

    private func refuses(_ pairs: [(String, String)], secret: String = "secret", now: Timestamp = Sample.now) throws {
        let driver = try Self.driver(secret: secret)
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: Self.request(pairs), now: now) }
    }

    @Test(arguments: signatures) func eachMethodSignsAsPublished(_ method: String, _ sig: String) throws {
        let signature = VonageSignature(secret: Secret("secret"), method: try #require(.init(rawValue: method)))
        #expect(signature.sign(Form(Self.pairs)) == sig)
    }

    @Test(arguments: signatures) func aSignedReceiptIsTakenInAnyMethodAndCase(_ method: String, _ sig: String) throws {
        let driver = try Self.driver(method)
        for sig in [sig, sig.uppercased()] {
            let pairs = Self.pairs + [("sig", sig)]
            let json = JSON.object(pairs.map { JSON.Member($0.0, .string($0.1)) })
            let form = Form(pairs).serialized()
            for request in [
                HTTPRequest(method: "GET", query: String(decoding: form, as: UTF8.self)),
                HTTPRequest(method: "POST", body: form),
                HTTPRequest(method: "POST", body: json.serialized()),
                HTTPRequest(method: "POST", body: Form(pairs.reversed()).serialized()),
            ] {
                #expect(try driver.receipts(in: request, now: Sample.now).first?.part == "0A0000001234567B")
            }
        }
    }

    @Test func everyChangedFieldIsNoticed() throws {
        let signed = Self.pairs + [("sig", Self.signatures[0].sig)]
        for index in signed.indices {
            var changed = signed
            changed[index].1 += "0"
            try self.refuses(changed)
            changed[index] = (signed[index].0 + "x", signed[index].1)
            try self.refuses(changed)
            changed.remove(at: index)
            try self.refuses(changed)
        }
        try self.refuses(signed + [("client-ref", Sample.id)])
        try self.refuses(signed + [("sig", Self.signatures[0].sig)])
        try self.refuses(signed, secret: "Secret")
    }

    @Test(arguments: ["", "zz", "85ede0296309964353e1fa4d11ffe71", "85ede0296309964353e1fa4d11ffe712"])
    func aWrongSignatureIsRefused(_ sig: String) throws {
        try self.refuses(Self.pairs + [("sig", sig)])
    }

    @Test func aNameCannotSwallowItsNeighbour() throws {
        // The same text is signed, but without the error and with the message's id hidden in a name.
        let swallowed = [
            ("err-code=0&messageId", "0A0000001234567B"), ("msisdn", "447700900000"), ("status", "delivered"),
            ("text", "a&b=c"), ("timestamp", "1582650446"), ("to", "AcmeInc"), ("sig", Self.signatures[0].sig),
        ]
        try self.refuses(swallowed)
    }

    @Test func aNameThatStandsTwiceIsRefusedEvenSigned() throws {
        let pairs = Self.pairs + [("status", "failed")]
        let signature = VonageSignature(secret: Secret("secret"), method: .md5hash)
        try self.refuses(pairs + [("sig", signature.sign(Form(pairs)))])
    }

    @Test func anOldOrFutureReceiptIsRefused() throws {
        let signed = Self.pairs + [("sig", Self.signatures[0].sig)]
        let window = Duration.seconds(259_500)
        #expect(try Self.driver().receipts(in: Self.request(signed), now: Sample.now + window).count == 1)
        try self.refuses(signed, now: Sample.now + window + .seconds(1))
        #expect(try Self.driver().receipts(in: Self.request(signed), now: Sample.now - .seconds(300)).count == 1)
        try self.refuses(signed, now: Sample.now - .seconds(301))
    }

    @Test func theWindowIsASetting() throws {
        let account = Sample.vonage(["signature_secret": "secret"], settings: ["receipt_window_seconds": "600"])
        let request = Self.request(Self.pairs + [("sig", Self.signatures[0].sig)])
        let driver = try VonageSMS(account)
        #expect(try driver.receipts(in: request, now: Sample.now + .seconds(600)).count == 1)
        #expect(throws: ReceiptRefusal.unauthenticated) {
            try driver.receipts(in: request, now: Sample.now + .seconds(601))
        }
    }

    @Test(arguments: ["", "now", "1582650446.5", "-1", "99999999999999999999"])
    func aTimeThatIsNoneIsRefusedEvenSigned(_ timestamp: String) throws {
        let pairs = Self.pairs.map { $0.0 == "timestamp" ? ($0.0, timestamp) : $0 }
        let signature = VonageSignature(secret: Secret("secret"), method: .md5hash)
        try self.refuses(pairs + [("sig", signature.sign(Form(pairs)))])
    }

    @Test func withATokenTooBothMustBeRight() throws {
        let driver = try VonageSMS(Sample.vonage(["signature_secret": "secret", "receipt_token": Sample.token]))
        var request = Self.request(Self.pairs + [("sig", Self.signatures[0].sig)])
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: Sample.now) }
        request.path = "/receipts/v1/\(Sample.token)"
        #expect(try driver.receipts(in: request, now: Sample.now).count == 1)
        request.body = Form(Self.pairs).serialized()
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: Sample.now) }
    }
}
