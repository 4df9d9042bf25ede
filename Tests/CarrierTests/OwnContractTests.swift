import Carrier
import HTTP
import JSON
import Testing
import WebClient

/// Calls and mails, by the carrier's own contract.
@Suite(.timeLimit(.minutes(1))) struct OwnContractTests {
    static let call: JSON = [
        "reference": "r-1", "to": "+41791234567", "from": "Acme", "text": "Your code is 4, 9", "language": "de",
        "voice": "Vicki", "rate": 0.75, "repeat": "1#", "seconds": 60, "receipt_url": "http://receiver/own/t",
    ]
    static let mail: JSON = [
        "reference": "r-2", "to": "anna@example.com", "from": "Acme <codes@acme.example>", "subject": "Your code",
        "text": "It is 49\n", "receipt_url": "http://receiver/own/t",
    ]

    static func with(_ message: JSON, _ name: String, _ value: JSON?) -> JSON {
        .object((message.members ?? []).filter { $0.name != name } + (value.map { [.init(name, $0)] } ?? []))
    }

    @Test func aCallIsHeardAndReported() async throws {
        try await withCarrier { carrier, office in
            let answer = await carrier.sendOwn("/calls", Self.call)
            #expect(answer.status == 202)
            let id = try #require(answer.json["id"]?.string)
            #expect(
                await carrier.get("/inbox?to=+41791234567").text
                    == #"{"to":"+41791234567","from":"Acme","text":"Your code is 4, 9","channel":"voice","#
                    + #""at":"2026-11-21T09:15:00.250Z","language":"de","voice":"Vicki","rate":0.75,"repeat":"1#"}"#
                    + "\n")
            let receipt = await office.next()
            #expect(receipt.method == "POST")
            #expect(receipt.url == "http://receiver/own/t")
            #expect(
                receipt.text
                    == #"{"reference":"r-1","id":"\#(id)","status":"delivered","code":"","#
                    + #""at":"2026-11-21T09:15:00.250Z"}"#)
        }
    }

    @Test func aMailLiesInItsMailboxAndIsReported() async throws {
        try await withCarrier { carrier, office in
            #expect(await carrier.sendOwn("/mails", Self.mail).status == 202)
            for query in ["anna@example.com", "anna%40EXAMPLE.com"] {
                #expect(
                    await carrier.get("/inbox?to=\(query)").text
                        == #"{"to":"anna@example.com","from":"Acme <codes@acme.example>","text":"It is 49\n","#
                        + #""channel":"email","at":"2026-11-21T09:15:00.250Z","subject":"Your code"}"# + "\n")
            }
            #expect(await office.next().json["status"] == "delivered")
            #expect(await carrier.get("/arrivals?reference=r-2").json["count"] == 1)
        }
    }

    @Test func whatComesTwiceUnderOneReferenceIsTakenOnce() async throws {
        try await withCarrier { carrier, _ in
            _ = await carrier.sendOwn("/mails", Self.mail)
            let again = await carrier.sendOwn("/mails", Self.mail)
            #expect(again.status == 409)
            #expect(again.json["code"] == "duplicate")
            #expect(await carrier.get("/inbox").text.split(separator: "\n").count == 1)
        }
    }

    static let problems: [(String, JSON, String, JSON?, String)] = [
        ("/calls", call, "reference", nil, "invalid_request"), ("/calls", call, "to", nil, "invalid_destination"),
        ("/calls", call, "to", "anna@example.com", "invalid_destination"),
        ("/calls", call, "from", nil, "invalid_sender"), ("/calls", call, "text", "", "invalid_request"),
        ("/calls", call, "text", .string(String(repeating: "a", count: 1401)), "invalid_request"),
        ("/calls", call, "language", nil, "invalid_request"), ("/calls", call, "rate", 3, "invalid_request"),
        ("/calls", call, "rate", "1", "invalid_request"), ("/calls", call, "seconds", 0, "invalid_request"),
        ("/calls", call, "receipt_url", "receiver", "invalid_request"),
        ("/mails", mail, "to", "+41791234567", "invalid_destination"),
        ("/mails", mail, "from", "Acme", "invalid_sender"), ("/mails", mail, "subject", nil, "invalid_request"),
        ("/mails", mail, "subject", "a\nb", "invalid_request"), ("/mails", mail, "text", nil, "invalid_request"),
    ]

    @Test(arguments: problems)
    func whatIsWrongIsRefused(path: String, message: JSON, name: String, value: JSON?, code: String) async throws {
        try await withCarrier { carrier, office in
            let answer = await carrier.sendOwn(path, Self.with(message, name, value))
            #expect(answer.status == 422)
            #expect(answer.json["code"] == .string(code))
            #expect(await carrier.get("/inbox").text == "")
        }
    }

    @Test func aStrangerIsRefused() async throws {
        try await withCarrier { carrier, _ in
            #expect(await carrier.sendOwn("/calls", Self.call, key: "other").status == 401)
            #expect(await carrier.respond(to: .json("/mails", Self.mail)).status == 401)
            #expect(await carrier.sendOwn("/calls", []).status == 422)
            #expect(await carrier.get("/calls").status == 405)
        }
    }

    /// By number, by local part, and by rule.
    @Test func faultsBefallCallsAndMails() async throws {
        try await withCarrier { carrier, office in
            let dropped = await carrier.sendOwn("/mails", Self.with(Self.mail, "to", "+9990000004@example.com"))
            #expect(dropped == .dropConnection)
            #expect(await carrier.get("/inbox?to=+9990000004@example.com").json["subject"] == "Your code")
            #expect(await carrier.sendOwn("/calls", Self.with(Self.call, "to", "+9990000006")).status == 500)
            let throttled = await carrier.sendOwn("/calls", Self.with(Self.call, "to", "+9990000002"))
            #expect(throttled.status == 429)
            #expect(throttled.fields["Retry-After"] == "1")
            #expect(await carrier.addFault(["fault": "refuse", "to": "anna@", "code": "content_rejected"]) == 201)
            let refused = await carrier.sendOwn("/mails", Self.mail)
            #expect(refused.status == 422)
            #expect(refused.json["code"] == "content_rejected")
        }
    }

    @Test(arguments: [("/calls", call, "no_answer"), ("/mails", mail, "hard_bounce")])
    func aFailureHasTheCodeOfItsChannel(path: String, message: JSON, code: String) async throws {
        try await withCarrier { carrier, office in
            #expect(await carrier.addFault(["fault": "receipt_failed", "provider": "carrier", "times": 1]) == 201)
            _ = await carrier.sendOwn(path, message)
            let receipt = await office.next().json
            #expect(receipt["status"] == "failed")
            #expect(receipt["code"] == .string(code))
        }
    }

    @Test func aReceiptThatIsNotTakenIsPostedAgain() async throws {
        try await withCarrier { carrier, office in
            office.answer(500, nil)
            _ = await carrier.sendOwn("/calls", Self.call)
            let posts = [await office.next(), await office.next(), await office.next()]
            #expect(Set(posts.map(\.text)).count == 1)
        }
    }
}
