import HTTP
import JSON
import Postgres
import TestSystem
import Testing

/// Codes that can no longer be checked: nobody learns why.
@Suite(.timeLimit(.minutes(3))) struct VerificationEndTests {
    /// Ids of codes that ended in every way, and of some that never were.
    private static func ended(_ fixture: IntakeFixture) async throws -> [(name: String, id: String, codes: Codes)] {
        let once = try await Codes(fixture, ["allow_reuse": false, "attempt_limit": 1])
        let foreign = try await Codes(fixture, key: IntakeFixture.strangersKey)
        let used = try await once.start()
        #expect(await once.check(used, try await once.code(of: used)).json["valid"] == true)
        let exhausted = try await once.start()
        let spent = await once.check(exhausted, try await once.wrong(exhausted))
        #expect(spent.text == #"{"id":"\#(exhausted)","valid":false,"status":"exhausted","attempts_left":0}"#)
        let expired = try await once.start()
        try await fixture.system.pool.execute(
            "UPDATE verifications SET expires_at = now() WHERE state = 'pending' AND code IS NOT NULL")
        return [
            ("unknown", "0192d1e4-7000-7000-8000-000000000001", once),
            ("made up", "ffffffff-ffff-ffff-ffff-ffffffffffff", once),
            ("malformed", "nonsense", once), ("empty", "", once), ("encoded", "%00", once),
            ("another's", try await foreign.start(), once), ("used", used, once), ("exhausted", exhausted, once),
            ("expired", expired, once),
        ]
    }

    @Test func oneAnswerForAll() async throws {
        try await IntakeFixture.run { fixture async throws in
            let ended = try await Self.ended(fixture)
            var answers: Set<String> = []
            for (name, id, codes) in ended {
                for code in ["123456", "0", "abc"] {
                    let answer = await codes.check(id, code)
                    #expect(answer.status == 404, "\(name)")
                    #expect(answer.code == "verification_ended", "\(name)")
                    answers.insert(answer.whole)
                }
                for body in [nil, ["channel": "voice"], ["placeholders": ["name": "x"]]] as [JSON?] {
                    let answer = await codes.resend(id, body)
                    answers.insert(answer.whole)
                }
            }
            #expect(answers.count == 1, "\(answers)")
        }
    }

    /// The right code of a dead verification is as dead as a wrong one.
    @Test func theRightCodeChangesNothing() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture, ["allow_reuse": false])
            let id = try await codes.start()
            let code = try await codes.code(of: id)
            #expect(await codes.check(id, code, key: IntakeFixture.strangersKey).code == "verification_ended")
            #expect(await codes.check(id, code).json["valid"] == true)
            let again = await codes.check(id, code)
            #expect(again.whole == (await codes.check("nonsense", code)).whole)
        }
    }

    /// What was wrong with a body is told alike too, before anybody looks for the verification.
    @Test func aBadBodyIsToldAlike() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let ids = [try await codes.start(), "0192d1e4-7000-7000-8000-000000000001", "nonsense"]
            for (action, body, path) in [
                ("check", ["code": 5], "/code"), ("check", [:], "/code"), ("check", ["code": "1", "pin": "1"], "/pin"),
                ("check", ["code": ""], "/code"),
                ("check", ["code": .string(String(repeating: "1", count: 65))], "/code"),
                ("check", [], ""), ("resend", ["channel": "fax"], "/channel"),
                ("resend", ["to": "+41790000077"], "/to"),
                ("resend", ["placeholders": ["pin": "1"]], "/placeholders/pin"), ("resend", 5, ""),
            ] as [(String, JSON, String)] {
                var answers: Set<String> = []
                for id in ids {
                    let answer = await fixture.post("/v1/verifications/\(id)/\(action)", body)
                    #expect(answer.status == 422)
                    #expect(answer.paths == [path], "\(action) \(body.text)")
                    answers.insert(answer.whole)
                }
                #expect(answers.count == 1)
            }
        }
    }

    @Test func whatEndedIsShownToItsOwner() async throws {
        try await IntakeFixture.run { fixture async throws in
            for (name, id, codes) in try await Self.ended(fixture) {
                let shown = await fixture.get("/v1/verifications/\(id)", key: codes.key)
                switch name {
                case "used": #expect(shown.json["status"] == "verified")
                case "exhausted", "expired": #expect(shown.json["status"]?.string == name)
                default:
                    #expect(shown.status == 404, "\(name)")
                    #expect(shown.code == "not_found")
                }
            }
        }
    }
}
