import HTTP
import JSON
import Messaging
import Testing

@testable import Intake

/// The requests of the vendor's own client, version 6.0.0, byte by byte as it writes them.
@Suite struct InfobipSDKTests {
    @Test func applicationsAreMadeShownAndRenamed() async throws {
        try await InfobipFixture.run { fixture async throws in
            let body = """
                {"configuration": {"allowMultiplePinVerifications": true, "pinAttempts": 5, "pinTimeToLive": "5m", \
                "sendPinPerApplicationLimit": "10000/1d", "sendPinPerPhoneNumberLimit": "50/1d", \
                "verifyPinLimit": "1/1s"}, "enabled": true, "name": "User registration"}
                """
            let made = await fixture.post("/2fa/2/applications", body)
            let id = try #require(made["applicationId"]?.string)
            #expect(id.wholeMatch(of: /[0-9A-F]{32}/) != nil)
            #expect(
                made == [
                    "applicationId": .string(id), "name": "User registration",
                    "configuration": [
                        "pinAttempts": 5, "allowMultiplePinVerifications": true, "pinTimeToLive": "5m",
                        "verifyPinLimit": "1/1s", "sendPinPerApplicationLimit": "10000/1d",
                        "sendPinPerPhoneNumberLimit": "50/1d",
                    ], "enabled": true,
                ])
            #expect(await fixture.ask("GET", "/2fa/2/applications/\(id)").json == made)
            #expect(await fixture.ask("GET", "/2fa/2/applications").json == [made])
            let renamed = await fixture.ask("PUT", "/2fa/2/applications/\(id)", ["name": "renamed"]).json
            #expect(renamed == made.replacing("name") { _ in "renamed" })
            #expect(await fixture.ask("GET", "/2fa/1/applications/\(id)").json == renamed)
        }
    }

    @Test func templatesAreMadeShownAndChanged() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let path = "/2fa/2/applications/\(application)"
            let body = """
                {"language": "en", "messageText": "Hello {{firstName}} your pin is {{pin}}", "pinLength": 4, \
                "pinType": "NUMERIC", "regional": {"indiaDlt": {"contentTemplateId": "ct-1", "principalEntityId": \
                "pe-1"}}, "repeatDTMF": "1#", "senderId": "Infobip 2FA", "speechRate": 1.0}
                """
            let made = await fixture.post("\(path)/messages", body)
            let id = try #require(made["messageId"]?.string)
            let expected: JSON = [
                "messageId": .string(id), "applicationId": .string(application), "pinPlaceholder": "{{pin}}",
                "pinType": "NUMERIC", "pinLength": 4, "messageText": "Hello {{firstName}} your pin is {{pin}}",
                "senderId": "Infobip 2FA", "language": "en", "repeatDTMF": "1#", "speechRate": 1.0,
                "regional": ["indiaDlt": ["principalEntityId": "pe-1", "contentTemplateId": "ct-1"]],
            ]
            #expect(made == expected)
            #expect(await fixture.ask("GET", "\(path)/messages/\(id)").json == made)
            let longer = await fixture.ask("PUT", "\(path)/messages/\(id)", ["pinLength": 6]).json
            #expect(longer == made.replacing("pinLength") { _ in 6 })

            let mail = await fixture.post("\(path)/email/messages", #"{"emailTemplateId": 1234, "pinLength": 4}"#)
            let mailID = try #require(mail["messageId"]?.string)
            #expect(
                mail == [
                    "messageId": .string(mailID), "applicationId": .string(application), "pinType": "NUMERIC",
                    "pinLength": 4, "emailTemplateId": 1234,
                ])
            let longerMail = await fixture.ask("PUT", "\(path)/email/messages/\(mailID)", ["pinLength": 5]).json
            #expect(longerMail == mail.replacing("pinLength") { _ in 5 })
            #expect(await fixture.ask("GET", "\(path)/messages").json == [longer, longerMail])
            #expect(await fixture.ask("GET", "\(path)/messages/\(mailID)").json == longerMail)
        }
    }

    @Test func aPINIsSentAgainAndVerified() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication(["pinAttempts": 5])
            let message = try await fixture.makeMessage(
                application, ["messageText": "Hello {{firstName}} your pin is {{pin}}"])
            let sent = await fixture.post(
                "/2fa/2/pin?ncNeeded=false",
                """
                {"applicationId": "\(application)", "messageId": "\(message)", "placeholders": {"firstName": "John"}, \
                "to": "41793026727", "trackDelivery": false}
                """)
            let pin = try #require(sent["pinId"]?.string)
            #expect(pin.wholeMatch(of: /[0-9A-F]{32}/) != nil)
            #expect(sent == ["pinId": .string(pin), "to": "41793026727", "smsStatus": "MESSAGE_SENT"])
            let code = try await fixture.code(of: pin)
            #expect(try await fixture.content(of: pin).body == "Hello John your pin is \(code)")

            let again = await fixture.post(
                "/2fa/2/pin/\(pin)/resend", #"{"placeholders": {"firstName": "Ann"}, "trackDelivery": false}"#)
            #expect(again == sent)
            #expect(try await fixture.content(of: pin).body == "Hello Ann your pin is \(code)")

            let wrong = await fixture.post("/2fa/2/pin/\(pin)/verify", #"{"pin": "129623"}"#)
            #expect(
                wrong == [
                    "pinId": .string(pin), "msisdn": "41793026727", "verified": false, "attemptsRemaining": 4,
                    "pinError": "WRONG_PIN",
                ])
            let right = await fixture.post("/2fa/2/pin/\(pin)/verify", #"{"pin": "\#(code)"}"#)
            #expect(
                right == [
                    "pinId": .string(pin), "msisdn": "41793026727", "verified": true, "attemptsRemaining": 0,
                ])
            let path = "/2fa/2/applications/\(application)/verifications?msisdn=41793026727"
            for query in ["", "&verified=true", "&verified=True&sent=1", "&sent=true"] {
                let listed = await fixture.ask("GET", path + query).json["verifications"]
                #expect(listed?.array?.count == 1)
                #expect(listed?[0]?["msisdn"] == "41793026727")
                #expect(listed?[0]?["verified"] == true)
                let sentAt = try #require(listed?[0]?["sentAt"]?.integer)
                let verifiedAt = try #require(listed?[0]?["verifiedAt"]?.integer)
                #expect(sentAt > 1_700_000_000_000)
                #expect(verifiedAt >= sentAt)
            }
            for query in ["&verified=false", "&sent=False"] {
                #expect(await fixture.ask("GET", path + query).json == ["verifications": []])
            }
            // A plus sign that nobody encoded is a space in a query.
            for number in ["%2B41793026727", "+41793026727"] {
                let listed = await fixture.ask("GET", path.replacing("=41793026727", with: "=\(number)"))
                #expect(listed.json["verifications"]?.array?.count == 1)
            }
        }
    }

    @Test func aTrackedMessageHasAnID() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(application)
            let tracked = await fixture.send(application, message, by: "pin?ncNeeded=true", ["trackDelivery": true])
            #expect(tracked.json["ncStatus"] == "NC_NOT_CONFIGURED")
            let id = try #require(tracked.json["externalMessageId"]?.string)
            #expect(await fixture.base.ask("GET", "/v1/messages/\(id)").status == 200)
            let pin = try #require(tracked.json["pinId"]?.string)
            let again = await fixture.ask("POST", "/2fa/2/pin/\(pin)/resend", ["trackDelivery": true]).json
            #expect(again["externalMessageId"]?.string != id)
            #expect(again["externalMessageId"]?.string.flatMap { MessageID($0) } != nil)
        }
    }

    @Test func aPINIsSpoken() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(application)
            let sent = await fixture.send(application, message, by: "pin/voice", ["trackDelivery": false]).json
            let pin = try #require(sent["pinId"]?.string)
            #expect(
                sent == ["pinId": .string(pin), "to": "41793026727", "callStatus": "PENDING_ACCEPTED"])
            let code = try await fixture.code(of: pin)
            #expect(await fixture.ask("POST", "/2fa/2/pin/\(pin)/resend/voice", [:]).json == sent)
            // What was spoken may be written the next time.
            let written = await fixture.ask("POST", "/2fa/2/pin/\(pin)/resend").json
            #expect(written["smsStatus"] == "MESSAGE_SENT")
            #expect(try await fixture.content(of: pin).body == "Your code is \(code)")
            #expect(await fixture.verify(pin, code).json["verified"] == true)
        }
    }

    @Test func aPINIsMailed() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeEmailMessage(application)
            let sent = await fixture.send(application, message, to: InfobipFixture.address, by: "pin/email").json
            let pin = try #require(sent["pinId"]?.string)
            #expect(
                sent == [
                    "pinId": .string(pin), "to": "john.smith@example.com",
                    "emailStatus": [
                        "name": "PENDING_ACCEPTED", "description": "Message accepted, pending for delivery.",
                    ],
                ])
            let again = await fixture.post(
                "/2fa/2/pin/\(pin)/resend/email", #"{"placeholders": {"firstName": "Ann"}}"#)
            #expect(again == sent)
            let verified = await fixture.verify(pin, try await fixture.code(of: pin)).json
            #expect(verified["msisdn"] == "john.smith@example.com")
            #expect(verified["verified"] == true)
            let path = "/2fa/2/applications/\(application)/verifications?msisdn=John.Smith%40Example.com"
            #expect(await fixture.ask("GET", path).json["verifications"]?.array?.count == 1)
        }
    }

    /// The vendor's community client sends a null for whatever it has no value for.
    @Test func nullsAreAbsentAndUnknownFieldsPass() async throws {
        try await InfobipFixture.run { fixture async throws in
            let made = await fixture.post(
                "/2fa/2/applications", #"{"name":"a","enabled":null,"configuration":null,"color":"red"}"#)
            #expect(made["configuration"]?["pinTimeToLive"] == "15m")
            let application = try #require(made["applicationId"]?.string)
            let template = await fixture.post(
                "/2fa/2/applications/\(application)/messages",
                """
                {"messageText":"{{pin}}","pinType":"ALPHANUMERIC","pinLength":null,"language":"pt-pt","senderId":null,\
                "regional":null,"speechRate":null,"repeatDTMF":null,"voiceName":null}
                """)
            #expect(template["language"] == "pt-pt")
            #expect(template["pinLength"] == 4)
            let message = try #require(template["messageId"]?.string)
            let sent = await fixture.send(
                application, message, by: "pin?ncNeeded=True",
                ["from": .null, "fromId": .null, "placeholders": .null, "trackDelivery": .null])
            #expect(sent.json["smsStatus"] == "MESSAGE_SENT")
        }
    }

    @Test func version1IsUnderstood() async throws {
        try await InfobipFixture.run { fixture async throws in
            let made = await fixture.post(
                "/2fa/1/applications", #"{"name":"a","configuration":{"pinTimeToLive":900000}}"#)
            #expect(made["configuration"]?["pinTimeToLive"] == "900000ms")
            let application = try #require(made["applicationId"]?.string)
            let template = await fixture.post(
                "/2fa/1/applications/\(application)/messages",
                #"{"pinPlaceholder":"<pin>","messageText":"<pin> is it: <pin>","pinType":"HEX","sender":"Acme"}"#)
            #expect(template["messageText"] == "{{pin}} is it: {{pin}}")
            #expect(template["pinPlaceholder"] == "{{pin}}")
            #expect(template["senderId"] == "Acme")
            let message = try #require(template["messageId"]?.string)
            let sent = await fixture.ask(
                "POST", "/2fa/1/pin",
                ["applicationId": .string(application), "messageId": .string(message), "to": "+41793026727"])
            #expect(sent.json["to"] == "+41793026727")
            let pin = try #require(sent.json["pinId"]?.string)
            let status = await fixture.ask("GET", "/2fa/1/pin/\(pin)/status").json
            #expect(status.array?.count == 1)
            #expect(status[0]?["status"] == "MESSAGE_ACCEPTED")
            #expect(status[0]?["finalStatus"] == false)
        }
    }
}

extension InfobipFixture {
    func post(_ target: String, _ text: String) async -> JSON {
        let response = await self.ask(
            "POST", target, bytes: Array(text.utf8), authorization: "App \(Self.key)")
        #expect(response.status == 200, "\(response.text)")
        return response.json
    }
}
