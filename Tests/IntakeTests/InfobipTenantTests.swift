import HTTP
import JSON
import Testing

/// Nobody learns what is another account's, or that it is.
@Suite struct InfobipTenantTests {
    @Test func anothersIDsAreAnsweredAsUnknownOnes() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(application)
            let mail = try await fixture.makeEmailMessage(application)
            let pin = try await fixture.start(application, message)
            let code = try await fixture.code(of: pin)
            let own = try await fixture.makeApplication(key: InfobipFixture.strangersKey)
            let ids = Ids(application: application, message: message, mail: mail, pin: pin, own: own)
            let nobody = InfobipFixture.nobody
            let unknown = Ids(application: nobody, message: nobody, mail: nobody, pin: nobody, own: own)
            for (theirs, none) in zip(Self.requests(ids, code: code), Self.requests(unknown, code: code)) {
                let key = InfobipFixture.strangersKey
                let response = await fixture.ask(theirs.method, theirs.target, theirs.body, key: key)
                #expect(response.status == 404, "\(theirs.method) \(theirs.target)")
                let other = await fixture.ask(none.method, none.target, none.body, key: key)
                #expect(response.whole == other.whole, "\(theirs.method) \(theirs.target)")
            }
            // Nothing of all that did anything.
            #expect(try await fixture.base.stored == 1)
            #expect(await fixture.verify(pin, code).json["verified"] == true)
            #expect(await fixture.ask("GET", "/2fa/2/applications").json.array?.count == 1)
        }
    }

    private struct Ids {
        var application: String
        var message: String
        var mail: String
        var pin: String
        /// An application of the asker's.
        var own: String
    }

    private struct Request {
        var method: String
        var target: String
        var body: JSON?
    }

    private static func requests(_ ids: Ids, code: String) -> [Request] {
        let app = "/2fa/2/applications/\(ids.application)"
        let template: JSON = ["pinType": "NUMERIC", "messageText": "{{pin}}"]
        let number = InfobipFixture.number
        return [
            Request(method: "GET", target: app), Request(method: "PUT", target: app, body: ["name": "b"]),
            Request(method: "GET", target: "\(app)/messages"),
            Request(method: "POST", target: "\(app)/messages", body: template),
            Request(method: "GET", target: "\(app)/messages/\(ids.message)"),
            Request(method: "GET", target: "/2fa/2/applications/\(ids.own)/messages/\(ids.message)"),
            Request(method: "PUT", target: "\(app)/messages/\(ids.message)", body: ["pinLength": 5]),
            Request(method: "POST", target: "\(app)/email/messages", body: ["emailTemplateId": 1]),
            Request(method: "PUT", target: "\(app)/email/messages/\(ids.mail)", body: ["pinLength": 5]),
            Request(method: "GET", target: "\(app)/verifications?msisdn=\(number)"),
            Self.send(ids.application, ids.message, by: "pin?ncNeeded=false"),
            Self.send(ids.application, ids.message, by: "pin"),
            Self.send(ids.application, ids.message, by: "pin/voice"),
            Self.send(ids.application, ids.mail, by: "pin/email", to: InfobipFixture.address),
            Self.send(ids.own, ids.message, by: "pin"),
            Request(method: "POST", target: "/2fa/2/pin/\(ids.pin)/resend"),
            Request(method: "POST", target: "/2fa/2/pin/\(ids.pin)/resend/voice", body: [:]),
            Request(method: "POST", target: "/2fa/2/pin/\(ids.pin)/resend/email", body: [:]),
            Request(method: "POST", target: "/2fa/2/pin/\(ids.pin)/verify", body: ["pin": .string(code)]),
            Request(method: "GET", target: "/2fa/1/pin/\(ids.pin)/status"),
        ]
    }

    private static func send(
        _ application: String, _ message: String, by path: String, to: String = InfobipFixture.number
    ) -> Request {
        Request(
            method: "POST", target: "/2fa/2/\(path)",
            body: [
                "applicationId": .string(application), "messageId": .string(message), "to": .string(to),
            ])
    }
}
