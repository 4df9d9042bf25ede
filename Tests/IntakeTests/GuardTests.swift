import Crypto
import Guard
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@testable import Intake

/// The guard as those meet it who send, by every API.
@Suite(.timeLimit(.minutes(3))) struct GuardTests {
    typealias API = GuardFixture.API

    private static func isSent(_ api: API, _ response: HTTPResponse) -> Bool {
        switch api {
        case .own, .verifications: response.status == 202
        case .infobip: response.json["smsStatus"] == "MESSAGE_SENT"
        case .bandwidth: response.status == 200
        case .bind: response.json["status"]?.string == "ACCEPTED"
        case .nexmo: response.nexmo == 0
        }
    }

    // MARK: - Words

    @Test func everyAPIRefusesACountryThatIsOffInItsOwnWords() async throws {
        try await GuardFixture.run { fixture async throws in
            for (place, api) in API.allCases.enumerated() {
                #expect(Self.isSent(api, await fixture.send(api, to: "+44740\(place)123456")), "\(api)")
            }
            let number = "+393123456789"
            for api in [API.own, .verifications] {
                let refused = await fixture.send(api, to: number)
                #expect(refused.status == 403 && refused.code == "country_off", "\(refused.text)")
                #expect(refused.paths == ["/to"])
            }
            let infobip = await fixture.send(.infobip, to: number)
            #expect(infobip.status == 403 && infobip.messageID == "FORBIDDEN", "\(infobip.text)")
            #expect(await fixture.send(.bind, to: number).isRejected("ROUTING_PREFIX_FILTER_INVALID_NUMBER"))
            let bandwidth = await fixture.send(.bandwidth, to: number)
            #expect(bandwidth.status == 400 && bandwidth.json["error"]?.string?.contains("country_off") == true)
            #expect(await fixture.send(.nexmo, to: number).nexmo == 6)
            #expect(try await fixture.base.stored == API.allCases.count)
        }
    }

    @Test func whatNobodyCanHaveOrPaysForIsRefusedWhateverItsPriority() async throws {
        try await GuardFixture.run(GuardFixture.configuration(["*": "on"])) { fixture async throws in
            for (number, reason) in [("+41900123456", "number_type"), ("+1234567", "number_impossible")] {
                for priority in ["otp", "transactional", "bulk"] {
                    let message: JSON = ["to": .string(number), "body": "x", "priority": .string(priority)]
                    let refused = await fixture.post("/v1/messages", message)
                    #expect(refused.status == 422 && refused.code == reason, "\(refused.text)")
                }
                for api in API.allCases { #expect(!Self.isSent(api, await fixture.send(api, to: number)), "\(api)") }
            }
            #expect(try await fixture.base.stored == 0)
        }
    }

    /// Those who wait may come back, and are told when.
    @Test func everyAPISaysThatItIsTooMuchForOneNumber() async throws {
        for api in API.allCases {
            try await GuardFixture.run { fixture async throws in
                for _ in 0..<5 { #expect(Self.isSent(api, await fixture.send(api, to: "+447400123456")), "\(api)") }
                let refused = await fixture.send(api, to: "+447400123456")
                #expect(!Self.isSent(api, refused), "\(api)")
                if api == .nexmo {
                    // Its SDK would wait in place for as long as it is told.
                    #expect(refused.nexmo == 6)
                } else {
                    #expect(refused.status == 429, "\(api) \(refused.text)")
                    #expect(Int(refused.fields["Retry-After"] ?? "").map { (1...600).contains($0) } == true, "\(api)")
                }
                #expect(Self.isSent(api, await fixture.send(api, to: "+447500123456")), "\(api)")
            }
        }
    }

    // MARK: - Aliases

    /// However a number is written: it is refused at the edge, or it is the one number that all limits count.
    @Test func allWaysOfWritingANumberShareOneCount() async throws {
        let aliases = [
            "+447400123456", "+4407400123456", "447400123456", "4407400123456", "00447400123456", "+00447400123456",
            "+44 7400 123456", "+44 (0) 7400 123456", "+44-7400-123456", "07400123456", "+４４７４００１２３４５６",
            "+٤٤٧٤٠٠١٢٣٤٥٦", " +447400123456", "+447400123456 ", "tel:+447400123456", "+447400123456;ext=1",
        ]
        try await GuardFixture.run { fixture async throws in
            var sent = 0
            for alias in aliases + aliases {
                for api in API.allCases where Self.isSent(api, await fixture.send(api, to: alias)) { sent += 1 }
            }
            #expect(sent == 5)
            let recipients = try await fixture.base.system.pool.query("SELECT DISTINCT recipient FROM messages") {
                row throws(PostgresError) in try row.decode(0, as: String.self)
            }
            #expect(recipients == ["+447400123456"])
        }
    }

    @Test func whoeverLooksForANumberFindsItHoweverItIsWritten() async throws {
        try await GuardFixture.run { fixture async throws in
            #expect(await fixture.start("+4407400123456").status == 202)
            for number in ["+447400123456", "+4407400123456"] {
                let found = await fixture.post("/v1/verifications/search", ["to": .string(number)])
                #expect(found.json["verifications"]?.array?.count == 1)
                let listed = await fixture.get("/v1/messages?to=%2B\(number.dropFirst())")
                #expect(listed.json["messages"]?.array?.count == 1)
            }
            #expect(await fixture.post("/v1/opt-outs", ["to": "+4407400123456"]).json["added"] == true)
            #expect(await fixture.start("+447400123456").status == 422)
        }
    }

    // MARK: - Callers

    @Test func anAddressGetsSoManyCodesAndIPv6CountsByHousehold() async throws {
        try await GuardFixture.run { fixture async throws in
            for place in 0..<8 {
                let caller: JSON = ["address": .string("2001:db8:1:2::\(place)")]
                let answer = await fixture.start("+4474\(10 + place)123456", caller: caller)
                #expect(answer.status == (place < 5 ? 202 : 429))
                if place >= 5 { #expect(answer.code == "velocity_address") }
            }
            #expect(await fixture.start("+447420123456", caller: ["address": "2001:db8:1:3::1"]).status == 202)
            for place in 0..<7 {
                let message: JSON = [
                    "to": .string("+4475\(10 + place)123456"), "body": "1", "priority": "otp",
                    "caller": ["device": "d"],
                ]
                #expect(await fixture.post("/v1/messages", message).status == (place < 5 ? 202 : 429))
            }
            for bad: JSON in [["address": "home"], ["device": ""], ["name": "x"], "x"] {
                #expect(await fixture.start("+447430123456", caller: bad).status == 422)
            }
        }
    }

    @Test func wrongGuessesFromOneAddressEndWithNoMoreGuessesAndNoMoreCodes() async throws {
        try await GuardFixture.run { fixture async throws in
            let caller: JSON = ["address": "192.0.2.7"]
            for guess in 0..<10 {
                let id = try #require(await fixture.start("+4474\(10 + guess)123456").json["id"]?.string)
                let answer = await fixture.post("/v1/verifications/\(id)/check", ["code": "x", "caller": caller])
                #expect(answer.json["valid"] == false)
            }
            let id = try #require(await fixture.start("+447430123456").json["id"]?.string)
            let refused = await fixture.post("/v1/verifications/\(id)/check", ["code": "x", "caller": caller])
            #expect(refused.status == 429 && refused.code == "wrong_guesses")
            #expect(await fixture.start("+447431123456", caller: caller).code == "wrong_guesses")
            // Nothing was charged.
            #expect(await fixture.get("/v1/verifications/\(id)").json["attempts"] == 0)
        }
    }

    // MARK: - Requests as a whole

    @Test func anArrayIsRefusedWhollyAndCountsForNothing() async throws {
        try await GuardFixture.run { fixture async throws in
            let good: JSON = ["to": "+447400123456", "body": "1", "priority": "otp"]
            for _ in 0..<10 {
                let refused = await fixture.post("/v1/messages", [good, good.with(["to": "+393123456789"])])
                #expect(refused.code == "country_off" && refused.paths == ["/1/to"])
            }
            #expect(try await fixture.base.stored == 0)
            for _ in 0..<5 { #expect(await fixture.post("/v1/messages", good).status == 202) }
        }
    }

    @Test func whatIsRepeatedUnderItsKeyIsAnsweredAndCountsOnce() async throws {
        try await GuardFixture.run { fixture async throws in
            let message: JSON = ["to": "+447400123456", "body": "1", "priority": "otp"]
            let first = await fixture.post("/v1/messages", message, idempotencyKey: "a")
            for _ in 0..<10 {
                #expect(await fixture.post("/v1/messages", message, idempotencyKey: "a").text == first.text)
            }
            for _ in 0..<4 { #expect(await fixture.post("/v1/messages", message).status == 202) }
            #expect(await fixture.post("/v1/messages", message).code == "velocity_number")
            // What was sent stays sent.
            #expect(await fixture.post("/v1/messages", message, idempotencyKey: "a").text == first.text)
        }
    }

    @Test func aDayHasItsCapInMoney() async throws {
        let policy: JSON = ["spend": ["GB": ["hard": "0.20"]]]
        try await GuardFixture.run(GuardFixture.configuration(guard: policy)) { fixture async throws in
            let message: JSON = ["to": "+447400123456", "body": "1", "priority": "bulk"]
            for _ in 0..<4 { #expect(await fixture.post("/v1/messages", message).status == 202) }
            let refused = await fixture.post("/v1/messages", message)
            #expect(refused.status == 429 && refused.code == "spend_cap")
            #expect(await fixture.send(.nexmo, to: "+447400123456").nexmo == 9)
            #expect(await fixture.post("/v1/messages", message.with(["to": "+41791234567"])).status == 202)
        }
    }

    /// A resend is a send.
    @Test func sendingAgainCountsToo() async throws {
        let policy: JSON = ["number": ["per_10_minutes": 2]]
        try await GuardFixture.run(GuardFixture.configuration(guard: policy)) { fixture async throws in
            let path = "/v1/applications/\(GuardFixture.application)"
            #expect(
                await fixture.base.ask(
                    "PATCH", path, key: GuardFixture.key, body: Array(#"{"resend_cooldown":null}"#.utf8)
                ).status == 200)
            let id = try #require(await fixture.start("+447400123456").json["id"]?.string)
            let resend = "/v1/verifications/\(id)/resend"
            #expect(await fixture.post(resend, [:]).status == 202)
            #expect(await fixture.post(resend, [:]).code == "velocity_number")
        }
    }

    @Test func mailsPass() async throws {
        try await GuardFixture.run(GuardFixture.configuration([:])) { fixture async throws in
            #expect(await fixture.send(.own, to: "+447400123456").code == "country_off")
            let mail: JSON = [
                "channel": "email", "to": "a@example.com", "subject": "s", "body": "b", "priority": "otp",
            ]
            // There is no route for it here, which is all that is against it.
            #expect(await fixture.post("/v1/messages", mail).code == "invalid_request")
        }
    }

    // MARK: - Feedback

    @Test func codesThatAreUsedOrReportedMakeRoom() async throws {
        try await GuardFixture.run { fixture async throws in
            for number in 0..<12 {
                let id = try #require(
                    await fixture.start("+44740012\(1000 + number * 11)").json["id"]?.string, "\(number)")
                let code = try await Codes.code(of: id, fixture)
                #expect(
                    await fixture.post("/v1/verifications/\(id)/check", ["code": .string(code)]).json["valid"] == true)
            }
            for number in 0..<12 {
                let message: JSON = ["to": .string("+4179123\(1000 + number * 50)"), "body": "1", "priority": "otp"]
                let id = try #require(await fixture.post("/v1/messages", message).json["id"]?.string, "\(number)")
                #expect(await fixture.post("/v1/messages/\(id)/conversion", ["converted": true]).status == 200)
            }
        }
    }
}

extension Codes {
    /// The code of a verification of the guarded account.
    static func code(of id: String, _ fixture: GuardFixture) async throws -> String {
        let message = try #require(
            await fixture.get("/v1/verifications/\(id)").json["message"]?.string.flatMap { MessageID($0) })
        let stored = try await fixture.base.system.pool.query(
            "SELECT account_id, body FROM messages WHERE id = \(message)"
        ) { row throws(PostgresError) in
            (AccountID(rawValue: try row.decode(0)), try row.decode(1, as: Bytes.self).bytes)
        }
        let (account, sealed) = try #require(stored.first)
        let opened = try TestSystem.masterKeys.open(sealed, for: message.sealingContext(account: account))
        let text = Content(decoding: opened, channel: .sms)?.body ?? ""
        return String(text.filter { $0.isASCII && $0.isNumber })
    }
}
