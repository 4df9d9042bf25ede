import HTTP
import JSON
import Postgres
import TestSystem
import Testing

@testable import Intake

@Suite(.timeLimit(.minutes(3))) struct VerificationLimitTests {
    /// Many at once; how many were sent and what the others were told.
    private static func send(
        _ count: Int, _ send: @escaping @Sendable (Int) async -> HTTPResponse
    ) async -> (sent: Int, refusals: Set<String?>) {
        await withTaskGroup(of: HTTPResponse.self) { group in
            for index in 0..<count { group.addTask { await send(index) } }
            var (sent, refusals) = (0, Set<String?>())
            for await response in group {
                if response.status == 202 { sent += 1 } else { refusals.insert(response.code) }
                if response.status == 429 { #expect(response.fields["Retry-After"].flatMap { Int($0) } ?? 0 > 80_000) }
            }
            return (sent, refusals)
        }
    }

    @Test func fiftyCodesAtOnceForOneNumberAndALimitOfFive() async throws {
        try await IntakeFixture.run { one async throws in
            try await IntakeFixture.run(on: one.system) { other async throws in
                let codes = try await Codes(one, ["recipient_send_limit": "5/1d"])
                let request = codes.request()
                let result = await Self.send(50) {
                    await ($0 % 2 == 0 ? one : other).post("/v1/verifications", request)
                }
                #expect(result.sent == 5)
                #expect(result.refusals == ["recipient_limit"])
                #expect(try await one.stored == 5)
            }
        }
    }

    @Test func fiftyCodesAtOnceOfAnApplicationWithALimitOfFive() async throws {
        try await IntakeFixture.run { one async throws in
            try await IntakeFixture.run(on: one.system) { other async throws in
                let codes = try await Codes(one, ["application_send_limit": "5/1d"])
                let result = await Self.send(50) {
                    let request = codes.request(["to": .string("+417900001\($0 + 10)")])
                    return await ($0 % 2 == 0 ? one : other).post("/v1/verifications", request)
                }
                #expect(result.sent == 5)
                #expect(result.refusals == ["application_limit"])
                #expect(try await one.stored == 5)
            }
        }
    }

    @Test func resendsCountTowardsTheLimits() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture, ["recipient_send_limit": "5/1d", "send_limit": 100])
            let id = try await codes.start()
            let result = await Self.send(50) { _ in await codes.resend(id) }
            #expect(result.sent == 4)
            #expect(result.refusals == ["recipient_limit"])
            #expect(await codes.show(id)["sends"] == 5)
        }
    }

    @Test func aCodeIsNotSentAgainTooSoonNorTooOften() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture, ["resend_cooldown": "30s", "send_limit": 2])
            let id = try await codes.start()
            let early = await codes.resend(id)
            #expect(early.status == 429)
            #expect(early.code == "resend_too_early")
            #expect((1...30).contains(early.fields["Retry-After"].flatMap { Int($0) } ?? 0))
            try await fixture.system.pool.execute("UPDATE verifications SET sent_at = sent_at - interval '30 s'")
            #expect(await codes.resend(id).status == 202)
            let spent = await codes.resend(id)
            #expect(spent.status == 429)
            #expect(spent.code == "sends_spent")
            #expect(spent.fields["Retry-After"] == nil)
        }
    }

    @Test func guessesComeOneInThreeSeconds() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture, ["check_limit": "1/3s"])
            let id = try await codes.start()
            let (code, wrong) = (try await codes.code(of: id), try await codes.wrong(id))
            #expect(await codes.check(id, wrong).json["attempts_left"] == 9)
            let limited = await codes.check(id, code)
            #expect(limited.status == 429)
            #expect(limited.code == "too_many_checks")
            #expect((1...3).contains(limited.fields["Retry-After"].flatMap { Int($0) } ?? 0))
            #expect(await codes.show(id)["attempts"] == 1)
            try await fixture.system.pool.execute(
                "UPDATE recipient_limits SET checks_since = checks_since - interval '3 s'")
            #expect(await codes.check(id, code).json["valid"] == true)
        }
    }

    @Test func aRecipientThatFailedOftenWaits() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let id = try await codes.start()
            _ = await codes.check(id, try await codes.wrong(id))
            try await fixture.system.pool.execute("UPDATE recipient_failures SET failures = 29")
            _ = await codes.check(id, try await codes.wrong(id))
            let locked = await codes.check(id, try await codes.code(of: id))
            #expect(locked.code == "recipient_locked")
            #expect((1...30).contains(locked.fields["Retry-After"].flatMap { Int($0) } ?? 0))
            // A new code may be sent, and its guesses wait as well.
            let next = try await codes.start()
            #expect(await codes.check(next, try await codes.code(of: next)).code == "recipient_locked")
        }
    }

    @Test func sixtyFourGuessesAtOnce() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture, ["attempt_limit": 10, "allow_reuse": false])
            let id = try await codes.start()
            let (code, wrong) = (try await codes.code(of: id), try await codes.wrong(id))
            let answers = await withTaskGroup(of: HTTPResponse.self) { group in
                for index in 0..<64 { group.addTask { await codes.check(id, index % 8 == 7 ? code : wrong) } }
                return await group.reduce(into: [HTTPResponse]()) { $0.append($1) }
            }
            let evaluated = answers.filter { $0.status == 200 }
            #expect(evaluated.count <= 10)
            #expect(evaluated.count { $0.json["valid"] == true } <= 1)
            #expect(answers.allSatisfy { $0.status == 200 || $0.code == "verification_ended" })
            #expect(await codes.show(id)["attempts"]?.integer == Int64(evaluated.count))
        }
    }

    @Test func aLimitThatWasRaisedCountsAtOnce() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture, ["application_send_limit": "1/1d"])
            _ = try await codes.start()
            #expect(await codes.send().code == "application_limit")
            let path = "/v1/applications/\(codes.application)"
            #expect(await fixture.patch(path, ["application_send_limit": "2/1d"]).status == 200)
            #expect(await codes.send().status == 202)
            #expect(await fixture.patch(path, ["enabled": false, "application_send_limit": "9/1d"]).status == 200)
            #expect(await codes.send().paths == ["/application"])
        }
    }

    /// Whoever comes back when it says is not too early.
    @Test(arguments: [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (29_999, 30), (86_400_000, 86_400)])
    func aWaitIsToldInWholeSeconds(milliseconds: Int, seconds: Int) {
        let wait = Duration.milliseconds(milliseconds)
        let refusals: [VerifierRefusal] = [
            .applicationLimited(wait: wait), .recipientLimited(wait: wait), .tooEarly(wait: wait),
        ]
        let problems = refusals.map { Problem($0) } + [.checksLimited(wait: wait), .locked(wait: wait)]
        for problem in problems {
            #expect(problem.status == 429)
            #expect(problem.response.fields["Retry-After"] == String(seconds))
        }
    }
}
