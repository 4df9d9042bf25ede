import Crypto
import HTTP
import JSON
import Testing
import WebClient

@testable import Carrier

@Suite(.timeLimit(.minutes(1))) struct VonageReceiptTests {
    @Test(arguments: [
        (Carrier.Configuration.Vonage.SignatureMethod.md5hash, "85EDE0296309964353E1FA4D11FFE713"),
        (.sha256, "E7F28841FE2CC41FC534F95AFEF5BF1072C4E103F7A0305C1A841CA48788027C"),
    ])
    func signaturesAreThoseOfThePublishedVectors(
        method: Carrier.Configuration.Vonage.SignatureMethod, signature: String
    ) {
        let parameters = [
            (name: "msisdn", value: "447700900000"), ("to", "AcmeInc"), ("messageId", "0A0000001234567B"),
            ("status", "delivered"), ("err-code", "0"), ("timestamp", "1582650446"), ("text", "a&b=c"),
        ]
        let secret = Secret("secret")
        #expect(VonageSignature.sign(parameters, with: secret, by: method) == signature)
        #expect(VonageSignature.verify(parameters + [("sig", signature.lowercased())], with: secret, by: method))
        #expect(!VonageSignature.verify(parameters + [("sig", signature), ("x", "y")], with: secret, by: method))
        #expect(!VonageSignature.verify(parameters, with: secret, by: method))
    }

    @Test func aReceiptByGETNamesRecipientAndSenderSwapped() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.sendVonage(to: "41791234567")
            let post = await office.next()
            #expect(post.method == "GET")
            #expect(
                post.url
                    == "http://receiver/vonage?msisdn=41791234567&to=Acme&network-code=22801&messageId=63CBE1E459320DD7"
                    + "&price=0.03330000&status=delivered&scts=2611210915&err-code=0&api-key=abcd1234"
                    + "&message-timestamp=2026-11-21+09%3A15%3A00&client-ref=r-1"
            )
            #expect(post.body == [])
            #expect(post.connectTimeout == .seconds(3))
            #expect(post.timeout == .seconds(15))
        }
    }

    @Test func aReceiptMayBeAFormOrJSON() async throws {
        try await withCarrier({ $0.vonage.receiptForm = .form }) { carrier, office in
            _ = await carrier.sendVonage(to: "41791234567")
            let post = await office.next()
            #expect(post.method == "POST")
            #expect(post.url == "http://receiver/vonage")
            #expect(post.fields["Content-Type"] == "application/x-www-form-urlencoded")
            #expect(post.text.hasPrefix("msisdn=41791234567&to=Acme&"))
        }
        try await withCarrier({ $0.vonage.receiptForm = .json }) { carrier, office in
            _ = await carrier.sendVonage(to: "41791234567")
            let post = await office.next()
            #expect(post.fields["Content-Type"] == "application/json")
            #expect(post.json["msisdn"] == "41791234567")
            #expect(post.json["message-timestamp"] == "2026-11-21 09:15:00")
            #expect(post.json["err-code"] == "0")
        }
    }

    @Test(arguments: Carrier.Configuration.Vonage.SignatureMethod.allCases)
    func aSignedReceiptCanBeVerified(method: Carrier.Configuration.Vonage.SignatureMethod) async throws {
        func sign(_ configuration: inout Carrier.Configuration) {
            configuration.vonage.signsReceipts = true
            configuration.vonage.signatureMethod = method
        }
        try await withCarrier(sign) { carrier, office in
            _ = await carrier.sendVonage(
                ("from", "Acme"), ("to", "41791234567"), ("text", "x"), ("callback", "https://r/x?tenant=a%26b")
            )
            let post = await office.next()
            #expect(post.url.hasPrefix("https://r/x?tenant=a%26b&msisdn="))
            #expect(post.query["timestamp"] == "1795252500")
            #expect(post.query["nonce"]?.count == 16)
            #expect(VonageSignature.verify(post.query.pairs, with: Secret("signing"), by: method))
            #expect(!VonageSignature.verify(post.query.pairs, with: Secret("other"), by: method))
        }
        func signJSON(_ configuration: inout Carrier.Configuration) {
            sign(&configuration)
            configuration.vonage.receiptForm = .json
        }
        try await withCarrier(signJSON) { carrier, office in
            _ = await carrier.sendVonage(to: "41791234567")
            let members = await office.next().json.members ?? []
            let pairs = members.map { (name: $0.name, value: $0.value.string ?? "") }
            #expect(VonageSignature.verify(pairs, with: Secret("signing"), by: method))
        }
    }

    @Test func everyPartHasItsReceipt() async throws {
        try await withCarrier { carrier, office in
            let answer = await carrier.sendVonage(
                ("from", "Acme"), ("to", "41791234567"), ("text", String(repeating: "a", count: 400))
            )
            let ids = answer.json["messages"]?.array?.compactMap { $0["message-id"]?.string } ?? []
            var told: Set<String> = []
            for _ in 0..<3 { told.insert(await office.next().query["messageId"] ?? "") }
            #expect(ids.count == 3)
            #expect(told == Set(ids))
        }
    }

    @Test func noReceiptComesThatIsNotWantedOrHasNowhereToGo() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.sendVonage(
                ("from", "Acme"), ("to", "41790000001"), ("text", "x"), ("status-report-req", "false")
            )
            _ = await carrier.sendVonage(to: "41790000002")
            #expect(await office.next().query["msisdn"] == "41790000002")
        }
        try await withCarrier({ $0.vonage.receiptURL = nil }) { carrier, office in
            _ = await carrier.sendVonage(to: "41790000001")
            _ = await carrier.sendInfobip(to: "41790000002")
            #expect(await office.next().url == "http://receiver/infobip")
            #expect(office.count == 1)
        }
    }
}
