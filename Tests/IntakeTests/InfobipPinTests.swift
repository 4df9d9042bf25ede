import HTTP
import Intake
import JSON
import Messaging
import Postgres
import TestSystem
import Testing

@Suite(.timeLimit(.minutes(3))) struct InfobipPinTests {
    @Test func guessesAreCountedDownAndTheLastIsTheLast() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication(["pinAttempts": 3])
            let pin = try await fixture.start(application, try await fixture.makeMessage(application))
            let code = try await fixture.code(of: pin)
            for left in [2, 1, 0] {
                let wrong = await fixture.verify(pin, InfobipFixture.wrong(code)).json
                #expect(wrong["attemptsRemaining"] == JSON(left))
                #expect(wrong["pinError"] == "WRONG_PIN")
            }
            for typed in [code, InfobipFixture.wrong(code)] {
                let late = await fixture.verify(pin, typed)
                #expect(late.status == 200)
                #expect(late.json == fixture.verdict(pin, error: "NO_MORE_PIN_ATTEMPTS"))
            }
            #expect(await fixture.ask("POST", "/2fa/2/pin/\(pin)/resend").status == 404)
        }
    }

    @Test func aVerifiedPINIsVerifiedAgainOnlyWhereItMay() async throws {
        try await InfobipFixture.run { fixture async throws in
            for allowed in [true, false] {
                let application = try await fixture.makeApplication(["allowMultiplePinVerifications": .bool(allowed)])
                let pin = try await fixture.start(application, try await fixture.makeMessage(application))
                let code = try await fixture.code(of: pin)
                #expect(await fixture.verify(pin, code).json["verified"] == true)
                let second = await fixture.verify(pin, code).json
                #expect(
                    second
                        == (allowed
                            ? fixture.verdict(pin, isVerified: true)
                            : fixture.verdict(pin, error: "NO_MORE_PIN_ATTEMPTS")))
            }
        }
    }

    @Test func aPINWhoseTimeIsOverHasExpired() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let pin = try await fixture.start(application, try await fixture.makeMessage(application))
            let code = try await fixture.code(of: pin)
            try await fixture.base.system.pool.execute("UPDATE verifications SET expires_at = now()")
            #expect(await fixture.verify(pin, code).json == fixture.verdict(pin, error: "TTL_EXPIRED"))
            #expect(await fixture.ask("POST", "/2fa/2/pin/\(pin)/resend").status == 404)
        }
    }

    @Test func whatIsTypedIsReadWithPatience() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(application, ["pinLength": 8, "messageText": "{{pin}}"])
            let pin = try await fixture.start(application, message)
            let code = try await fixture.code(of: pin)
            let path = "/2fa/2/pin/\(pin)/verify"
            #expect(await fixture.ask("POST", path, ["pin": .string(" \(code) ")]).json["verified"] == true)
            // A JSON number has no leading zeros.
            if let number = Int64(code), !code.hasPrefix("0") {
                #expect(await fixture.ask("POST", path, ["pin": .integer(number)]).json["verified"] == true)
            }
            let long = JSON.string(String(repeating: "1", count: 65))
            #expect(await fixture.ask("POST", path, ["pin": long]).invalid == ["pin"])
        }
    }

    @Test func guessesThatComeTooFastAreNotProcessed() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication(["verifyPinLimit": "1/1h", "pinAttempts": 3])
            let pin = try await fixture.start(application, try await fixture.makeMessage(application))
            let code = try await fixture.code(of: pin)
            #expect(await fixture.verify(pin, InfobipFixture.wrong(code)).json["attemptsRemaining"] == 2)
            for typed in [code, InfobipFixture.wrong(code)] {
                let response = await fixture.verify(pin, typed)
                #expect(response.status == 429)
                #expect(response.messageID == "TOO_MANY_REQUESTS")
                #expect(response.fields["Retry-After"].flatMap { Int($0) }.map { (3000...3600).contains($0) } == true)
            }
            try await fixture.base.system.pool.execute("UPDATE recipient_limits SET checks = 0")
            #expect(await fixture.verify(pin, InfobipFixture.wrong(code)).json["attemptsRemaining"] == 1)
        }
    }

    // MARK: - Sending

    @Test func aNumberThatCannotExistGetsNothing() async throws {
        try await InfobipFixture.run(lookUp: OfflineLookUp()) { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(application)
            let impossible = "9991234567"
            for path in ["pin", "pin?ncNeeded=true", "pin?ncNeeded=True", "pin?ncNeeded=1"] {
                let refused = await fixture.send(application, message, to: impossible, by: path)
                let pin = try #require(refused.json["pinId"]?.string)
                #expect(
                    refused.json == [
                        "pinId": .string(pin), "to": .string(impossible),
                        "ncStatus": "NC_DESTINATION_NOT_REACHABLE", "smsStatus": "MESSAGE_NOT_SENT",
                    ])
                #expect(await fixture.verify(pin, "1234").status == 404)
            }
            #expect(try await fixture.base.stored == 0)
            // What the application and the message say comes first.
            #expect(await fixture.send(application, "M", to: impossible, by: "pin").status == 404)
            let possible = await fixture.send(application, message, by: "pin").json
            #expect(possible["ncStatus"] == "NC_DESTINATION_UNKNOWN")
            #expect(possible["smsStatus"] == "MESSAGE_SENT")
            for path in ["pin?ncNeeded=false", "pin?ncNeeded=False", "pin?ncNeeded=0"] {
                let unasked = await fixture.send(application, message, to: impossible, by: path).json
                #expect(unasked["ncStatus"] == nil)
                #expect(unasked["smsStatus"] == "MESSAGE_SENT")
            }
        }
    }

    @Test func whatCannotBeSentIsRefused() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(
                application, ["messageText": "{{greeting}} {{name}}: {{pin}}"])
            let mail = try await fixture.makeEmailMessage(application)
            let address = InfobipFixture.address
            let whole: [String: JSON?] = ["placeholders": ["greeting": "Hi", "name": "Ann"]]

            let notFound = await fixture.send(application, "M", by: "pin")
            #expect(notFound.status == 404)
            #expect(notFound.messageID == "NOT_FOUND")
            #expect(notFound.exception?["text"] == "Application or message with given ID cannot be found.")
            #expect(await fixture.send("A", message, by: "pin").whole == notFound.whole)

            let missing = await fixture.send(application, message, by: "pin", ["placeholders": ["name": "Ann"]])
            #expect(missing.invalid == ["placeholders.greeting"])
            let named = await fixture.send(application, message, ["placeholders": ["pin": "1234"]])
            #expect(named.invalid == ["placeholders.pin"])
            let long = String(repeating: "a", count: 500)
            let longer = try await fixture.makeMessage(
                application, ["messageText": "{{a}}{{b}}{{c}}{{d}} {{pin}}"])
            let tooLong = await fixture.send(
                application, longer,
                ["placeholders": .object("abcd".map { .init(String($0), .string(long)) })])
            #expect(tooLong.invalid == ["placeholders"])
            #expect(tooLong.text.contains("14 segments"))

            #expect(await fixture.send(application, mail, whole).status == 400)
            #expect(await fixture.send(application, message, to: address, by: "pin/email", whole).status == 400)
            let noRoute = await fixture.send(application, message, to: "4915123456789", whole)
            #expect(noRoute.invalid == ["to"])
            #expect(await fixture.send(application, message, whole.merging(["from": "Ä"]) { $1 }).invalid == ["from"])

            #expect(await fixture.send(application, message, whole).status == 200)
            let pin = try #require(await fixture.send(application, message, whole).json["pinId"]?.string)
            #expect(await fixture.ask("POST", "/2fa/2/pin/\(pin)/resend/email").status == 400)
            #expect(try await fixture.base.stored == 2)
        }
    }

    /// What is kept of an application here must not outlive a change of it.
    @Test func whatIsMendedIsSent() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(application)
            let path = "/2fa/2/applications/\(application)"
            #expect(await fixture.send(application, message).status == 200)
            _ = await fixture.ask("PUT", path, ["enabled": false])
            let disabled = await fixture.send(application, message, by: "pin")
            #expect(disabled.status == 400)
            #expect(disabled.exception?["text"] == "The application is disabled.")
            _ = await fixture.ask("PUT", path, ["enabled": true])
            #expect(await fixture.send(application, message, by: "pin").status == 200)

            _ = await fixture.ask("PUT", "\(path)/messages/\(message)", ["messageText": "{{name}} {{pin}}"])
            #expect(await fixture.send(application, message).invalid == ["placeholders.name"])
            _ = await fixture.ask("PUT", "\(path)/messages/\(message)", ["messageText": "{{pin}}"])
            #expect(await fixture.send(application, message).status == 200)
        }
    }

    @Test func templatesOfTheOtherKindAreNotFound() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let path = "/2fa/2/applications/\(application)"
            let message = try await fixture.makeMessage(application)
            let mail = try await fixture.makeEmailMessage(application)
            #expect(await fixture.ask("PUT", "\(path)/messages/\(mail)", ["pinLength": 5]).status == 404)
            #expect(await fixture.ask("PUT", "\(path)/email/messages/\(message)", ["pinLength": 5]).status == 404)
        }
    }

    @Test func thePlaceholdersOfALandingPageComeSecond() async throws {
        try await InfobipFixture.run { fixture async throws in
            let application = try await fixture.makeApplication()
            let mail = try await fixture.makeEmailMessage(application)
            let sent = await fixture.send(
                application, mail, to: InfobipFixture.address, by: "pin/email",
                [
                    "landingPagePlaceholders": ["a": "x"], "placeholders": ["b": "y"],
                    "from": "Acme <codes@acme.example>",
                ])
            #expect(sent.status == 200)
            let bad = await fixture.send(
                application, mail, to: InfobipFixture.address, by: "pin/email",
                ["landingPagePlaceholders": ["pin": "x"], "from": "Acme"])
            #expect(bad.invalid == ["from", "landingPagePlaceholders.pin"])
        }
    }

    // MARK: - At the same time

    @Test(arguments: ["sendPinPerPhoneNumberLimit", "sendPinPerApplicationLimit"])
    func fiveOfFiftyAreSentAtALimitOfFive(limit: String) async throws {
        try await InfobipFixture.run(limit: 8) { fixture async throws in
            let application = try await fixture.makeApplication([limit: "5/1d"])
            let message = try await fixture.makeMessage(application)
            let isPerNumber = limit == "sendPinPerPhoneNumberLimit"
            let responses = await withTaskGroup(of: HTTPResponse.self) { group in
                for index in 0..<50 {
                    let to = isPerNumber ? InfobipFixture.number : "417930267\(10 + index)"
                    group.addTask { await fixture.send(application, message, to: to, by: "pin") }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(responses.count { $0.status == 200 } == 5)
            #expect(responses.count { $0.status == 429 && $0.messageID == "TOO_MANY_REQUESTS" } == 45)
            #expect(try await fixture.base.stored == 5)
        }
    }

    @Test func oneOfManyRightGuessesIsRight() async throws {
        try await InfobipFixture.run(limit: 8) { fixture async throws in
            let application = try await fixture.makeApplication(["allowMultiplePinVerifications": false])
            let pin = try await fixture.start(application, try await fixture.makeMessage(application))
            let code = try await fixture.code(of: pin)
            let responses = await withTaskGroup(of: HTTPResponse.self) { group in
                for _ in 0..<64 { group.addTask { await fixture.verify(pin, code) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(responses.count { $0.json["verified"] == true } == 1)
            #expect(responses.count { $0.json["pinError"] == "NO_MORE_PIN_ATTEMPTS" } == 63)
        }
    }

    @Test func changesAtTheSameTimeAreAllMade() async throws {
        try await InfobipFixture.run(limit: 8) { fixture async throws in
            let application = try await fixture.makeApplication()
            let path = "/2fa/2/applications/\(application)"
            let message = try await fixture.makeMessage(application)
            let changes: [(String, JSON)] = [
                (path, ["name": "b"]), (path, ["enabled": false]), (path, ["configuration": ["pinAttempts": 7]]),
                (path, ["configuration": ["pinTimeToLive": "1h"]]), ("\(path)/messages/\(message)", ["pinLength": 7]),
                ("\(path)/messages/\(message)", ["senderId": "Acme"]),
            ]
            await withDiscardingTaskGroup { group in
                for (target, change) in changes {
                    group.addTask { #expect(await fixture.ask("PUT", target, change).status == 200) }
                }
            }
            let changed = await fixture.ask("GET", path).json
            #expect(changed["name"] == "b")
            #expect(changed["enabled"] == false)
            #expect(changed["configuration"]?["pinAttempts"] == 7)
            #expect(changed["configuration"]?["pinTimeToLive"] == "1h")
            let template = await fixture.ask("GET", "\(path)/messages/\(message)").json
            #expect(template["pinLength"] == 7)
            #expect(template["senderId"] == "Acme")
        }
    }
}

extension InfobipFixture {
    /// What a guess comes to that leaves none.
    fileprivate func verdict(_ pin: String, isVerified: Bool = false, error: String? = nil) -> JSON {
        let verdict: JSON = [
            "pinId": .string(pin), "msisdn": .string(Self.number), "verified": .bool(isVerified),
            "attemptsRemaining": 0,
        ]
        return verdict.with(error.map { ["pinError": .string($0)] } ?? [:])
    }
}
