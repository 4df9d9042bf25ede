import Carrier
import Crypto
import HTTP
import JSON
import Testing

@Suite(.timeLimit(.minutes(1))) struct VonageSendTests {
    let message = [("from", "Acme"), ("to", "41791234567"), ("text", "Code 1")]

    private func answer(_ request: HTTPRequest, _ change: (inout Carrier.Configuration) -> Void = { _ in }) async
        -> HTTPResponse
    {
        await Carrier(configuration: .test(change), now: { .test }, post: { _ in 200 }).respond(to: request)
    }

    private func status(_ request: HTTPRequest) async -> String? {
        await self.answer(request).json["messages"]?[0]?["status"]?.string
    }

    @Test func aTakenMessageIsAnsweredWithOneEntryAPart() async {
        let request = HTTPRequest.form(
            "/sms/json",
            [("api_key", "abcd1234"), ("api_secret", "s3cret")] + self.message + [("client-ref", "r-1")]
        )
        let answer = await self.answer(request)
        #expect(answer.status == 200)
        #expect(answer.fields["Content-Type"] == "application/json")
        #expect(
            answer.text
                == #"{"message-count":"1","messages":[{"to":"41791234567","message-id":"63CBE1E459320DD7","#
                + #""status":"0","remaining-balance":"100.00000000","message-price":"0.03330000","network":"22801","#
                + #""client-ref":"r-1"}]}"#
        )
    }

    @Test(arguments: [
        (String(repeating: "a", count: 160), "text", 1), (String(repeating: "a", count: 161), "text", 2),
        (String(repeating: "ж", count: 71), "text", 2), (String(repeating: "a", count: 70), "unicode", 1),
        (String(repeating: "a", count: 71), "unicode", 2), (String(repeating: "a", count: 135), "unicode", 3),
    ])
    func aLongTextHasAsManyPartsAsItTakes(text: String, type: String, parts: Int) async throws {
        try await withCarrier { carrier, _ in
            let answer = await carrier.sendVonage(("from", "A"), ("to", "41791234567"), ("text", text), ("type", type))
            #expect(answer.json["message-count"] == "\(parts)")
            let ids = answer.json["messages"]?.array?.compactMap { $0["message-id"]?.string } ?? []
            #expect(Set(ids).count == parts)
        }
    }

    @Test func credentialsMayStandInABasicHeader() async {
        let right = "Basic " + Base64.encode(Array("abcd1234:s3cret".utf8))
        let wrong = "Basic " + Base64.encode(Array("abcd1234:secret".utf8))
        #expect(await self.status(.form("/sms/json", self.message, ["Authorization": right])) == "0")
        #expect(await self.status(.form("/sms/json", self.message, ["Authorization": wrong])) == "4")
        #expect(await self.status(.form("/sms/json", self.message, ["Authorization": "Basic ?"])) == "4")
    }

    @Test func credentialsMayBeASignature() async {
        // MD5 of "&api_key=abcd1234&from=Acme&text=a_b_c&timestamp=1582650446&to=41791234567signing".
        let pairs = [
            ("api_key", "abcd1234"), ("from", "Acme"), ("to", "41791234567"), ("text", "a&b=c"),
            ("timestamp", "1582650446"),
        ]
        let text = "&api_key=abcd1234&from=Acme&text=a_b_c&timestamp=1582650446&to=41791234567signing"
        let signature = Hex.encode(Digest.md5.hash(Array(text.utf8)))
        #expect(await self.status(.form("/sms/json", pairs + [("sig", signature)])) == "0")
        #expect(await self.status(.form("/sms/json", pairs + [("sig", signature.uppercased())])) == "0")
        #expect(await self.status(.form("/sms/json", pairs + [("ttl", "60000"), ("sig", signature)])) == "14")
        #expect(await self.status(.form("/sms/json", pairs + [("sig", signature), ("api_secret", "s3cret")])) == "32")
    }

    @Test func aBodyMayBeJSON() async {
        let body: JSON = [
            "api_key": "abcd1234", "api_secret": "s3cret", "from": "Acme", "to": 41_791_234_567, "text": "Code 1",
            "status-report-req": false,
        ]
        #expect(await self.status(.json("/sms/json", body)) == "0")
        #expect(await self.status(.json("/sms/json", ["to": ["x"]])) == "3")
        #expect(await self.status(HTTPRequest(method: "POST", path: "/sms/json", body: Array("a=%zz".utf8))) == "3")
    }

    @Test func aCarrierThatAcceptsAnyCredentialAsksForNone() async {
        let answer = await self.answer(.form("/sms/json", self.message)) { $0.acceptsAnyCredential = true }
        #expect(answer.json["messages"]?[0]?["status"] == "0")
        let nobody = await self.answer(.form("/sms/json", self.message + [("api_key", ""), ("api_secret", "")])) {
            $0.vonage.apiKey = ""
            $0.vonage.apiSecret = Secret("")
        }
        #expect(nobody.json["messages"]?[0]?["status"] == "4")
    }

    @Test(arguments: [
        ("api_key", nil, "2", "Missing api_key"), ("api_secret", nil, "2", "Missing api_secret"),
        ("api_secret", "wrong", "4", "Bad Credentials"), ("api_key", "wrong", "4", "Bad Credentials"),
        ("from", nil, "2", "Missing from"), ("to", nil, "2", "Missing to"), ("text", nil, "2", "Missing text"),
        ("text", "", "2", "Missing text"), ("to", "+41791234567", "3", "Invalid value for parameter: to"),
        ("to", "123456", "3", "Invalid value for parameter: to"),
        ("from", "TwelveLetter", "15", "Invalid sender address"), ("from", "A!", "15", "Invalid sender address"),
        ("callback", "ftp://x", "23", "Invalid callback url"),
        ("ttl", "19999", "3", "Invalid value for parameter: ttl"),
        ("type", "wappush", "3", "Invalid value for parameter: type"),
        ("status-report-req", "maybe", "3", "Invalid value for parameter: status-report-req"),
        ("text", String(repeating: "a", count: 3201), "12", "The length of the message body is too long"),
    ])
    func whatIsWrongIsSaidInTheAnswer(name: String, value: String?, status: String, text: String) async {
        var pairs = [("api_key", "abcd1234"), ("api_secret", "s3cret")] + self.message
        pairs.removeAll { $0.0 == name }
        if let value { pairs.append((name, value)) }
        let answer = await self.answer(.form("/sms/json", pairs))
        #expect(answer.status == 200)
        #expect(answer.text == #"{"message-count":"1","messages":[{"status":"\#(status)","error-text":"\#(text)"}]}"#)
    }
}
