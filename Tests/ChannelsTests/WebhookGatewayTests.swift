import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Testing
import Timestamps

@Suite struct WebhookGatewayTests {
    private static let secret = ConformanceCase.webhookSecret
    private static let old = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"

    private static func account(
        _ credentials: [String: String] = ["secret": secret], _ settings: [String: String] = [:]
    ) -> ProviderAccount {
        Sample.account(.webhook, credentials, settings: settings, url: "https://gateway.example/send")
    }

    private static func report(_ signatures: String, at time: Timestamp = Sample.now) -> HTTPRequest {
        HTTPRequest(
            method: "POST", path: "/receipts/p1",
            fields: ["webhook-id": "e1", "webhook-timestamp": "\(time.seconds)", "webhook-signature": signatures],
            body: Self.body)
    }

    private static let body = Array(#"{"receipts":[{"id":"\#(Sample.id)","status":"delivered"}]}"#.utf8)

    private static func sign(_ secret: String, at time: Timestamp = Sample.now) -> String {
        webhookCode("e1", "\(time.seconds)", Self.body, secret)
    }

    @Test func aSecretIsChangedWithoutAGap() throws {
        let driver = try Sample.httpDriver(Self.account(["secret": Self.secret, "old_secret": Self.old]))
        for signature in [Self.sign(Self.secret), Self.sign(Self.old), "v1,AAAA v2,x \(Self.sign(Self.old)) junk"] {
            #expect(try driver.receipts(in: Self.report(signature), now: Sample.now).map(\.verdict) == [.delivered])
        }
        let request = driver.request(for: [Sample.dispatch()], now: Sample.now)
        #expect(request.fields["webhook-signature"]?.split(separator: " ").count == 2)
        let after = try Sample.httpDriver(Self.account())
        #expect(throws: ReceiptRefusal.unauthenticated) {
            try after.receipts(in: Self.report(Self.sign(Self.old)), now: Sample.now)
        }
    }

    @Test(arguments: [(300, true), (301, false), (-300, true), (-301, false)])
    func aReceiptIsOfItsTime(_ age: Int, _ isTaken: Bool) throws {
        let driver = try Sample.httpDriver(Self.account())
        let request = Self.report(Self.sign(Self.secret))
        let receipts = try? driver.receipts(in: request, now: Sample.now + .seconds(age))
        #expect((receipts != nil) == isTaken)
    }

    /// A gateway tells a repetition by the id, which hangs on nothing but the references.
    @Test func aRepetitionHasTheSameID() throws {
        let driver = try Sample.httpDriver(Self.account())
        let ids = [Sample.dispatch(validity: .seconds(9)), Sample.dispatch()].map {
            driver.request(for: [$0], now: Sample.now + .seconds(5)).fields["webhook-id"]
        }
        #expect(ids[0] == ids[1])
        let other = Sample.dispatch(MessageReference(id: Sample.reference.id, series: 2))
        #expect(driver.request(for: [other], now: Sample.now).fields["webhook-id"] != ids[0])
    }

    /// One that names a part speaks of that part only.
    @Test func aReceiptOfAPartCoversNoMore() throws {
        let driver = try Sample.httpDriver(Self.account())
        var request = Self.report("")
        request.body = Array(
            #"{"receipts":[{"id":"\#(Sample.id)","part":"p-2","status":"delivered"},{"id":"x"}]}"#.utf8)
        request.fields["webhook-signature"] = webhookCode("e1", "\(Sample.now.seconds)", request.body, Self.secret)
        let receipts = try driver.receipts(in: request, now: Sample.now)
        #expect(receipts.map(\.coversMessage) == [false, true])
        #expect(receipts.map(\.part) == ["p-2", ""])
    }

    @Test func aGatewayForCallsReadsTextsAloud() throws {
        let driver = try Sample.httpDriver(Self.account(["secret": Self.secret], ["channels": "voice"]))
        #expect(driver.channels == [.voice])
        let body = String(decoding: driver.request(for: [Sample.dispatch()], now: Sample.now).body, as: UTF8.self)
        #expect(body.contains(#""channel":"voice""#) && body.contains("1, 2, 3, 4, 5, 6"))
    }

    @Test(
        arguments: [
            (["secret": "whsec_AAAA"], [:], "credential secret is not whsec_ and base64 of 24 to 64 bytes"),
            (
                ["secret": secret, "old_secret": "x"], [:],
                "credential old_secret is not whsec_ and base64 of 24 to 64 bytes"
            ),
            (["secret": secret], ["channels": "sms,fax"], "setting channels is not of sms, voice and email"),
            (["secret": secret], ["channels": ""], "setting channels is not of sms, voice and email"),
            (["secret": secret], ["batch_limit": "0"], "setting batch_limit is not 1 to 1000"),
            (["secret": secret], ["tolerance_seconds": "1"], "setting tolerance_seconds is not 30 to 86400"),
        ] as [([String: String], [String: String], String)])
    func aWrongAccountIsTold(_ credentials: [String: String], _ settings: [String: String], _ problem: String) {
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(Self.account(credentials, settings)) }
        #expect(error?.problems == [problem])
    }
}
