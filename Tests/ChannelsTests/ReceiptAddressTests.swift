import Channels
import HTTP
import Messaging
import Testing

/// Where receipts come from, and what their address may say.
@Suite struct ReceiptAddressTests {
    /// Telnyx and Vonage sign bodies and no addresses, so whoever has one callback could put another message's reference into
    /// its query.
    @Test(arguments: [ConformanceCase.telnyxSMS, .vonageVoice])
    func aReferenceInAnUnsignedQueryNeedsItsProof(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        var request = item.proving(item.callbacks[0].request)
        let query = try #require(request.query)
        #expect(try driver.receipts(in: request, now: item.now).map(\.message) == [Sample.reference])
        let other = "0192d1e4-7000-7000-8000-000000000002"
        for forged in [
            query.replacing(Sample.id, with: other), "message=\(Sample.id)", "message=\(Sample.id)&proof=",
            String(query.dropLast()), query.replacing("message=\(Sample.id)", with: "message=\(Sample.id).2"),
        ] {
            request.query = forged
            let receipts = try driver.receipts(in: request, now: item.now)
            #expect(receipts.map(\.message) == [nil], "\(forged)")
            #expect(receipts.map(\.part) == item.callbacks[0].receipts.map(\.part))
        }
    }

    // MARK: - Networks

    @Test(
        arguments: [
            ("192.0.2.7", true), ("192.0.2.255", true), ("198.51.100.4", true), ("2001:db8::9", true),
            ("::ffff:192.0.2.7", true), ("192.0.3.1", false), ("198.51.100.5", false), ("2001:db9::1", false),
            ("", false), ("192.0.2.7:80", false), (nil, false),
        ] as [(String?, Bool)])
    func aSecretIsTakenFromItsNetworksOnly(_ peer: String?, _ isTaken: Bool) throws {
        let networks = "192.0.2.0/24, 198.51.100.4 2001:db8::/32"
        for (account, path, authorization) in [
            (
                Sample.account(
                    .telnyxSMS, ["api_key": "KEY01", "receipt_token": Sample.token],
                    settings: ["receipt_networks": networks]), "/receipts/p1/\(Sample.token)", nil as String?
            ),
            (
                Sample.account(
                    .infobipSMS, ["api_key": "k", "receipt_username": "user", "receipt_password": "pass"],
                    settings: ["receipt_networks": networks], url: "https://x.example"), "/receipts/p1",
                "Basic dXNlcjpwYXNz"
            ),
        ] {
            let driver = try Sample.httpDriver(account)
            var request = HTTPRequest(method: "POST", path: path, body: Array(#"{"data":{},"results":[]}"#.utf8))
            request.fields["Authorization"] = authorization
            request.peer = peer
            let receipts = try? driver.receipts(in: request, now: Sample.now)
            #expect((receipts != nil) == isTaken)
            // In addition to the secret, never instead.
            request.path = "/receipts/p1"
            request.fields["Authorization"] = nil
            #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: Sample.now) }
        }
    }

    @Test(arguments: ["", "192.0.2.1/24", "192.0.2.0/33", "example.com", "192.0.2.0/24;10.0.0.0/8"])
    func whatIsNoNetworkIsAProblem(_ text: String) {
        let account = Sample.account(
            .telnyxSMS, ["api_key": "k", "receipt_token": Sample.token], settings: ["receipt_networks": text])
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
        #expect(error?.problems == ["setting receipt_networks is not 1 to 256 networks as in 192.0.2.0/24"])
    }

    @Test func networksWithoutASecretThatTheyGoWithAreAProblem() {
        var account = ConformanceCase.telnyxSMS.account
        account.settings["receipt_networks"] = "192.0.2.0/24"
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
        #expect(error?.problems == ["setting receipt_networks goes with credential receipt_token"])
    }

    // MARK: - Base URLs

    @Test(
        arguments: [
            ("http://gateway.example/send", nil, false), ("http://127.0.0.1.example/", nil, false),
            ("http://[::2]:80/", nil, false), ("http://gateway.example/send", "true", true),
            ("http://gateway.example/send", "false", false), ("http://127.0.0.9:8080/x", nil, true),
            ("http://localhost:1", nil, true), ("http://[::1]:80/", nil, true), ("https://gateway.example", nil, true),
        ] as [(String, String?, Bool)])
    func secretsGoInTheClearOnlyWhereSomebodySaysSo(_ url: String, _ insecure: String?, _ isFine: Bool) {
        let account = Sample.account(
            .webhook, ["secret": ConformanceCase.webhookSecret], settings: insecure.map { ["insecure": $0] } ?? [:],
            url: url)
        let driver = try? Drivers.make(account)
        #expect((driver != nil) == isFine)
    }
}
