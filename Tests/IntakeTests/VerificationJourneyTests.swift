import HTTP
import JSON
import Messaging
import Postgres
import TestSystem
import Testing

@Suite(.timeLimit(.minutes(3))) struct VerificationJourneyTests {
    @Test func aCodeIsSentShownAndVerified() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let sent = await codes.send(["reference": "login-8841", "metadata": ["user": 5]])
            #expect(sent.status == 202)
            let id = try #require(sent.json["id"]?.string)
            #expect(sent.text == #"{"id":"\#(id)","status":"pending"}"#)
            #expect(sent.fields["Location"] == "/v1/verifications/\(id)")
            #expect(fixture.accepted.now == 1)

            let pending = await codes.show(id)
            #expect(pending["status"] == "pending")
            #expect(pending["to"]?.string == IntakeFixture.number)
            #expect(pending["attempts"] == 0)
            #expect(pending["checked_at"] == .some(.null))
            let message = try #require(pending["message"]?.string)
            let shown = await fixture.get("/v1/messages/\(message)").json
            #expect(shown["priority"] == "otp")
            #expect(shown["reference"] == "login-8841")
            #expect(shown["metadata"] == ["user": 5])

            let code = try await codes.code(of: id)
            #expect(code.count == 6)
            let wrong = await codes.check(id, try await codes.wrong(id))
            #expect(wrong.status == 200)
            #expect(wrong.text == #"{"id":"\#(id)","valid":false,"status":"pending","attempts_left":9}"#)
            let right = await codes.check(id, code)
            #expect(right.text == #"{"id":"\#(id)","valid":true,"status":"verified"}"#)
            let verified = await codes.show(id)
            #expect(verified["status"] == "verified")
            #expect(verified["attempts"] == 2)
            #expect(verified["verified_at"]?.string != nil)
            #expect(!verified.text.contains(code))
        }
    }

    @Test func aCodeGoesOutOnEveryChannel() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let called = try await codes.start(["channel": "voice"])
            let code = try await codes.code(of: called)
            #expect(try await codes.content(of: called).body == "Code \(SpokenText.apart(code))")
            let mailed = try await codes.start([
                "channel": "email", "to": .string(IntakeFixture.address), "template": .string(codes.email),
                "placeholders": ["name": "Anna"], "from": "Shop <shop@example.com>",
            ])
            guard case .mail(let mail) = try await codes.content(of: mailed) else {
                Issue.record("is no mail")
                return
            }
            #expect(mail.subject == "For Anna")
            #expect(await codes.check(mailed, try await codes.code(of: mailed)).json["valid"] == true)
            #expect(await codes.show(mailed)["to"]?.string == IntakeFixture.address)
        }
    }

    @Test func aResendCarriesTheSameCodeByAnotherChannel() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let id = try await codes.start()
            let (code, first) = (try await codes.code(of: id), await codes.show(id)["message"])
            let again = await codes.resend(id)
            #expect(again.status == 202)
            #expect(again.text == #"{"id":"\#(id)","status":"pending","channel":"sms"}"#)
            let called = await codes.resend(id, ["channel": "voice"])
            #expect(called.json["channel"] == "voice")
            #expect(try await codes.code(of: id) == code)
            let shown = await codes.show(id)
            #expect(shown["sends"] == 3)
            #expect(shown["message"] != first)
            #expect(shown["channel"] == "voice")
            #expect(await codes.check(id, code).json["valid"] == true)
            // It may be used again, and so be sent again.
            #expect(await codes.resend(id).json["status"] == "verified")
        }
    }

    @Test func aRecipientsVerificationsAreFound() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let other = try await Codes(fixture)
            let first = try await codes.start()
            let second = try await codes.start()
            let elsewhere = try await other.start()
            _ = try await codes.start(["to": "+41790000078"])
            _ = await codes.check(first, try await codes.code(of: first))
            let to = JSON.string(IntakeFixture.number)
            let searches: [(JSON, [String])] = [
                (["to": to], [elsewhere, second, first]),
                (["to": to, "application": .string(codes.application)], [second, first]),
                (["to": to, "verified": true], [first]), (["to": to, "verified": false], [elsewhere, second]),
                (["to": to, "application": "nonsense"], []), (["to": "nobody@example.com"], []),
            ]
            for (search, ids) in searches {
                let found = await fixture.post("/v1/verifications/search", search)
                #expect(found.status == 200)
                #expect(found.json["verifications"]?.array?.compactMap { $0["id"]?.string } == ids, "\(search.text)")
            }
        }
    }

    @Test func aLockedRecipientIsUnlocked() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let id = try await codes.start()
            _ = await codes.check(id, try await codes.wrong(id))
            try await fixture.system.pool.execute("UPDATE recipient_failures SET failures = 100")
            let locked = await codes.check(id, try await codes.code(of: id))
            #expect(locked.status == 429)
            #expect(locked.code == "recipient_locked")
            #expect(locked.fields["Retry-After"] == nil)
            #expect(await codes.send().code == "recipient_locked")
            let body: JSON = ["to": .string(IntakeFixture.number)]
            for unlocked in [true, false] {
                let answer = await fixture.post("/v1/recipients/unlock", body)
                #expect(answer.status == 200)
                #expect(answer.json == ["unlocked": .bool(unlocked)])
            }
            #expect(await codes.check(id, try await codes.code(of: id)).json["valid"] == true)
        }
    }
}
