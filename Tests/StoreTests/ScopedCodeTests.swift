import Crypto
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps
import Verification

@Suite(.bothWays) struct ScopedCodeTests {
    private typealias Fixture = VerificationFixture

    @Test func aCodeIsRightOnce() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            try await fixture.sendScoped(scope)
            #expect(try await fixture.checkScoped(scope, "0000") == .wrong)
            #expect(try await fixture.checkScoped(scope) == .right)
            #expect(try await fixture.base.count("SELECT count(*) FROM recipient_failures") == 0)
            #expect(try await fixture.checkScoped(scope) == .wrong)
            #expect(try await fixture.base.count("SELECT count(*) FROM scoped_codes WHERE used_at IS NOT NULL") == 1)
        }
    }

    @Test func severalCodesOfAScopeLiveSideBySide() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            for code in ["1111", "2222", "3333"] { try await fixture.sendScoped(scope, code: code) }
            for code in ["2222", "1111", "3333"] { #expect(try await fixture.checkScoped(scope, code) == .right) }
            for code in ["2222", "1111", "3333"] { #expect(try await fixture.checkScoped(scope, code) == .wrong) }
        }
    }

    /// By chance, or in a hurry: what was typed is used up, however many messages carried it.
    @Test func codesThatAreEqualAreUsedUpTogether() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            for _ in 0..<3 { try await fixture.sendScoped(scope) }
            #expect(try await fixture.checkScoped(scope) == .right)
            #expect(try await fixture.checkScoped(scope) == .wrong)
        }
    }

    @Test func theVerifierSaysHowOldACodeMayBe() async throws {
        try await Fixture.run { fixture async throws in
            let now = Timestamp.now
            let scope = fixture.scope()
            for code in ["1111", "2222"] { try await fixture.sendScoped(scope, code: code, now: now) }
            let later = now + .seconds(120)
            #expect(try await fixture.checkScoped(scope, "1111", age: .seconds(120), now: later) == .wrong)
            #expect(try await fixture.checkScoped(scope, "1111", age: .seconds(60), now: later) == .wrong)
            #expect(try await fixture.checkScoped(scope, "1111", age: .milliseconds(120_001), now: later) == .right)
            let last = now + CodeScope.codeLifetime + .microseconds(-1000)
            #expect(try await fixture.checkScoped(scope, "2222", age: CodeScope.codeLifetime, now: last) == .right)
        }
    }

    @Test func aCodeIsOfItsAccountRecipientScopeAndApplication() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            try await fixture.sendScoped(scope, application: "app")
            let others = [
                fixture.scope("2fa"), fixture.scope(""), fixture.scope(to: "+41790000002"),
                fixture.scope(account: AccountID(rawValue: fixture.account.rawValue + 1)),
            ]
            for other in others { #expect(try await fixture.checkScoped(other) == .wrong) }
            #expect(try await fixture.checkScoped(scope, application: "other") == .wrong)
            #expect(try await fixture.checkScoped(scope, application: "app") == .right)
        }
    }

    @Test func aMACMovedToAnotherRowMatchesNothing() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            let used = try await fixture.sendScoped(scope, code: "1111")
            let other = try await fixture.sendScoped(scope, code: "2222")
            _ = try await fixture.base.pool.execute(
                "UPDATE scoped_codes SET mac = (SELECT mac FROM scoped_codes WHERE id = \(used)) WHERE id = \(other)")
            #expect(try await fixture.checkScoped(scope, "1111") == .right)
            #expect(try await fixture.checkScoped(scope, "1111") == .wrong)
        }
    }

    @Test func theMessageIsStoredWithTheCodeAndLivesAsLong() async throws {
        try await Fixture.run { fixture async throws in
            var sending = try fixture.scopedSending(fixture.scope())
            sending.message.price = Price(amount: try #require(Money("0.05")), network: "22801")
            sending.message.callback = Callback(endpoint: EndpointID(rawValue: 7), url: "https://shop.example/a")
            #expect(try await fixture.store.send([sending]) == [.sent])
            let id = sending.message.id
            #expect(try await fixture.base.state(of: id) == .queued)
            #expect(
                try await fixture.base.count(
                    """
                    SELECT count(*) FROM messages m JOIN outbox o USING (lane, id) JOIN scoped_codes c USING (lane, id)
                    WHERE m.id = \(id) AND m.expires_at = c.made_at + interval '15 minutes' AND m.price = 5000000
                      AND m.network = '22801' AND m.endpoint_id = 7 AND m.callback_url = 'https://shop.example/a'
                      AND c.recipient = m.recipient AND c.account_id = m.account_id
                    """) == 1)
        }
    }

    // MARK: - Keys

    private static func ring(_ ids: [Int]) throws -> MasterKeys {
        let keys = ids.map { "\($0):\(Base64.encode([UInt8](repeating: UInt8($0), count: 32)))" }
        return try MasterKeys(parsing: keys.joined(separator: ","))
    }

    @Test func everyKeyOfTheRingIsTriedAndAMissingOneCostsNothing() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            let (old, both, new) = (try Self.ring([1]), try Self.ring([2, 1]), try Self.ring([2]))
            for (code, keys) in [("1111", old), ("2222", both)] {
                #expect(try await fixture.store.send([fixture.scopedSending(scope, code: code, keys: keys)]) == [.sent])
            }
            func check(_ typed: String, _ keys: MasterKeys) async throws -> ScopedCheckResult {
                try await fixture.store.check([fixture.scopedGuess(scope, typed, keys: keys)])[0]
            }
            // Who has the new key only knows that there is one more code, and not that this is none.
            #expect(try await check("1111", new) == .keyless)
            #expect(try await check("9999", new) == .keyless)
            #expect(try await fixture.base.count("SELECT count(*) FROM recipient_failures") == 0)
            #expect(try await check("2222", new) == .right)
            #expect(try await check("9999", both) == .wrong)
            #expect(try await check("1111", both) == .right)
            #expect(try await check("9999", new) == .wrong)
        }
    }

    @Test func theKeysOfLiveCodesAreStillInUse() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            try await fixture.sendScoped(scope, code: "1111")
            try await fixture.sendScoped(scope, code: "2222", now: .now + .seconds(-901))
            func used() async throws -> [Int16: Int] {
                try await fixture.store.verificationsByKey(lanes: [fixture.base.lane], timeout: .seconds(10))
            }
            #expect(try await used() == [1: 1])
            #expect(try await fixture.checkScoped(scope, "1111") == .right)
            #expect(try await used() == [:])
        }
    }

    // MARK: - Batches

    @Test func oneGuessOfARecipientIsEvaluatedInABatch() async throws {
        try await Fixture.run { fixture async throws in
            let (scope, other) = (fixture.scope(), fixture.scope(to: "+41790000002"))
            try await fixture.sendScoped(scope)
            try await fixture.sendScoped(other)
            let guesses = try [(scope, "1234"), (other, "0000"), (scope, "0000"), (other, "1234")].map {
                try fixture.scopedGuess($0, $1)
            }
            #expect(try await fixture.store.check(guesses) == [.right, .wrong, .again, .again])
            #expect(try await fixture.failures == 1)
        }
    }

    @Test func theRestOfABatchSharesARefusal() async throws {
        try await Fixture.run { fixture async throws in
            let now = Timestamp.now
            let scope = fixture.scope()
            for _ in 0..<5 { #expect(try await fixture.checkScoped(scope, now: now) == .wrong) }
            let guesses = try ["1234", "0000"].map { try fixture.scopedGuess(scope, $0) }
            #expect(
                try await fixture.store.check(guesses, now: now + .seconds(10))
                    == [.locked(wait: .seconds(20)), .locked(wait: .seconds(20))])
        }
    }

    // MARK: - Housekeeping

    @Test func codesThatNobodyCanUseAreDroppedInLimitedBatches() async throws {
        try await Fixture.run { fixture async throws in
            for number in 0..<5 {
                try await fixture.sendScoped(fixture.scope(to: "+4179000001\(number)"), now: .now + .seconds(-901))
            }
            try await fixture.sendScoped(fixture.scope(), now: .now + .seconds(-890))
            for count in [3, 2, 0] {
                #expect(try await fixture.store.dropScopedCodes(lane: fixture.base.lane, limit: 3) == count)
            }
            #expect(try await fixture.store.dropScopedCodes(lane: Lane(rawValue: 1), limit: 3) == 0)
            #expect(try await fixture.base.count("SELECT count(*) FROM scoped_codes") == 1)
        }
    }
}
