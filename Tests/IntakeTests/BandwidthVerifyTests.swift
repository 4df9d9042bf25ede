import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

/// Guesses at codes.
@Suite struct BandwidthVerifyTests {
    private typealias Fixture = BandwidthFixture

    @Test func aCodeIsRightOnceAndSeveralLive() async throws {
        try await Fixture.run { fixture async throws in
            let codes = [try await fixture.code(), try await fixture.code(), try await fixture.code()]
            for code in codes.reversed() {
                let response = await fixture.verify(code)
                #expect(response.status == 200)
                #expect(response.text == #"{"valid":true}"#)
            }
            for code in codes { #expect(await fixture.verify(code).text == #"{"valid":false}"#) }
        }
    }

    @Test func scopesAndApplicationsAreApart() async throws {
        try await Fixture.run { fixture async throws in
            let code = try await fixture.code(["scope": "login"])
            #expect(await fixture.verify(code).json["valid"] == false)
            #expect(await fixture.verify(code, ["scope": "Login"]).json["valid"] == false)
            let login: [String: JSON?] = ["scope": "login"]
            #expect(await fixture.verify(code, login.merging(["applicationId": "x"]) { $1 }).json["valid"] == false)
            #expect(
                await fixture.verify(
                    code,
                    login.merging(["applicationId": .string(Fixture.application), "from": 5, "digits": "6"]) { $1 }
                ).json["valid"] == true)
        }
    }

    @Test func theVerifiersTimeIsInMinutesAndFractions() async throws {
        try await Fixture.run { fixture async throws in
            let codes = [try await fixture.code(), try await fixture.code(), try await fixture.code()]
            _ = try await fixture.base.system.pool.execute(
                "UPDATE scoped_codes SET made_at = now() - interval '100 seconds'")
            for (minutes, isValid) in [(1, false), (1.5, false), (2, true)] as [(JSON, Bool)] {
                #expect(
                    await fixture.verify(codes[0], ["expirationTimeInMinutes": minutes]).json["valid"] == .bool(isValid)
                )
            }
            #expect(await fixture.verify(codes[1], ["expirationTimeInMinutes": 15]).json["valid"] == true)
            #expect(await fixture.verify(codes[2], ["expirationTimeInMinutes": 3.0]).json["valid"] == true)
        }
    }

    /// As the vendor's own test of it: wrong ones until 429, a pause, and then 200 again.
    @Test func wrongCodesLockTheNumberForAWhile() async throws {
        try await Fixture.run { fixture async throws in
            let code = try await fixture.code()
            for _ in 0..<5 { #expect(await fixture.verify(Fixture.wrong(code)).text == #"{"valid":false}"#) }
            for typed in [code, Fixture.wrong(code)] {
                let locked = await fixture.verify(typed)
                #expect(locked.status == 429)
                #expect(locked.error == "This number has exceeded verification attempts, please wait 2 minutes")
                #expect((1...30).contains(Int(locked.fields["Retry-After"] ?? "") ?? 0))
            }
            #expect(await fixture.verify("0000", ["to": "+19195552501"]).text == #"{"valid":false}"#)
            // Sending is not what is limited.
            #expect(await fixture.send().status == 200)
            try await fixture.outliveLocks()
            #expect(await fixture.verify(code).text == #"{"valid":true}"#)
        }
    }

    /// The vendor's form of a number lets pass what no network has; nobody got a code there.
    @Test func aNumberThatNeverGotACodeIsWrongAndLocked() async throws {
        try await Fixture.run { fixture async throws in
            for number in ["+12", "+19195552599", "+999999999999999"] {
                for _ in 0..<5 {
                    #expect(await fixture.verify("1234", ["to": .string(number)]).text == #"{"valid":false}"#)
                }
                #expect(await fixture.verify("1234", ["to": .string(number)]).status == 429)
            }
        }
    }

    @Test func anUnlockedNumberIsLookedAtAgain() async throws {
        try await Fixture.run { fixture async throws in
            let code = try await fixture.code()
            _ = await fixture.verify(Fixture.wrong(code))
            _ = try await fixture.base.system.pool.execute("UPDATE recipient_failures SET failures = 100")
            for response in [await fixture.verify(code), await fixture.send(), await fixture.send(by: "voice")] {
                #expect(response.status == 429)
                #expect(response.fields["Retry-After"] == nil)
            }
            let response = await fixture.base.post(
                "/v1/recipients/unlock", ["to": .string(Fixture.number)], key: Fixture.key)
            #expect((200...204).contains(response.status))
            #expect(await fixture.verify(code).json["valid"] == true)
        }
    }

    @Test(arguments: [true, false])
    func ofManyGuessesAtOnceTheRightNumberIsEvaluated(isRight: Bool) async throws {
        try await Fixture.run { fixture async throws in
            let code = try await fixture.code()
            let typed = isRight ? code : Fixture.wrong(code)
            let responses = await withTaskGroup(of: HTTPResponse.self) { group in
                for _ in 0..<64 { group.addTask { await fixture.verify(typed) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(responses.count { $0.text == #"{"valid":true}"# } == (isRight ? 1 : 0))
            #expect(responses.count { $0.text == #"{"valid":false}"# } == 5)
            #expect(responses.count { $0.status == 429 } == (isRight ? 58 : 59))
        }
    }

    // MARK: - Tenants

    @Test func anothersCodesCannotBeVerified() async throws {
        try await Fixture.run { fixture async throws in
            let code = try await fixture.code()
            let theirs = await fixture.verify(
                code, user: Fixture.strangersUser, account: Fixture.strangersAccount)
            let unknown = await fixture.verify(
                Fixture.wrong(code), ["to": "+19195552599"], user: Fixture.strangersUser,
                account: Fixture.strangersAccount)
            #expect(theirs.whole == unknown.whole)
            #expect(theirs.text == #"{"valid":false}"#)
            // Nor is anybody locked by another.
            for _ in 0..<6 {
                _ = await fixture.verify("0000", user: Fixture.strangersUser, account: Fixture.strangersAccount)
            }
            // Both of the account's users are one customer.
            #expect(
                await fixture.verify(code, user: Fixture.secondUser, account: Fixture.secondAccount).json["valid"]
                    == true)
        }
    }

    @Test func anothersApplicationIsUnknown() async throws {
        try await Fixture.run { fixture async throws in
            _ = try await fixture.base.make("/v1/applications", ["name": "New"], key: "other-all-0123456789abcdef")
            let user = (Fixture.strangersUser, Fixture.strangersAccount)
            let theirs = await fixture.send(user: user.0, account: user.1)
            let unknown = await fixture.send(["applicationId": "x"], user: user.0, account: user.1)
            #expect(theirs.error == "applicationId is unknown")
            #expect(theirs.error == unknown.error)
        }
    }
}
