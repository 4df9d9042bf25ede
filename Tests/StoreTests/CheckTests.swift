import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps
import Verification

@Suite(.bothWays) struct CheckTests {
    private typealias Fixture = VerificationFixture

    @Test func countsMissesDownAndRefusesTheRightCodeAfterwards() async throws {
        try await Fixture.run({ $0.attemptLimit = 3 }) { fixture async throws in
            let id = try await fixture.start()
            for left: Int16 in [2, 1, 0] {
                #expect(
                    try await fixture.check(id, "0000") == .wrong(recipient: Fixture.number, attemptsLeft: left))
            }
            #expect(
                try await fixture.check(id, "1234") == .ended(.init(cause: .exhausted, recipient: Fixture.number)))
            let stored = try #require(try await fixture.store.verification(id, of: fixture.account))
            #expect(stored.state == .exhausted)
            #expect(stored.code == nil)
            #expect(stored.attempts == 3)
        }
    }

    @Test func isUsedOnceWhereOnceIsAllowed() async throws {
        try await Fixture.run({ $0.allowsReuse = false }) { fixture async throws in
            let id = try await fixture.start()
            #expect(try await fixture.check(id, "1234") == .right(recipient: Fixture.number))
            #expect(try await fixture.check(id, "1234") == .ended(.init(cause: .used, recipient: Fixture.number)))
            let stored = try #require(try await fixture.store.verification(id, of: fixture.account))
            #expect(stored.state == .verified)
            #expect(stored.code == nil)
            #expect(stored.verifiedAt != nil)
        }
    }

    /// Being right again costs nothing, but wrong guesses at a code that was right are bounded as any.
    @Test func isUsedAgainWhereThatIsAllowed() async throws {
        try await Fixture.run({ $0.attemptLimit = 3 }) { fixture async throws in
            let id = try await fixture.start()
            for isFirst in [true, false, false, false, false] {
                #expect(
                    try await fixture.check(id, "1234") == .right(recipient: Fixture.number, isFirst: isFirst))
            }
            #expect(try await fixture.check(id, "9999") == .wrong(recipient: Fixture.number, attemptsLeft: 1))
            #expect(try await fixture.check(id, "9999") == .wrong(recipient: Fixture.number, attemptsLeft: 0))
            #expect(
                try await fixture.check(id, "1234") == .ended(.init(cause: .exhausted, recipient: Fixture.number)))
            #expect(try await fixture.store.verification(id, of: fixture.account)?.state == .verified)
        }
    }

    /// It may live for a year, and so be older than conversions are.
    @Test func isRightWithoutAPartitionForItsConversion() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            _ = try await fixture.base.pool.execute(
                "DO $$ BEGIN EXECUTE 'DROP TABLE conversions_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'); END $$"
            )
            #expect(try await fixture.check(id, "1234") == .right(recipient: Fixture.number))
            #expect(try await fixture.base.count("SELECT count(*) FROM tallies") == 0)
        }
    }

    @Test func endsWithItsTimeByTheDatabasesClock() async throws {
        try await Fixture.run { fixture async throws in
            let now = Timestamp.now
            let id = try await fixture.start(now: now)
            let end = now + .seconds(900)
            #expect(
                try await fixture.check(id, "0000", now: end + .microseconds(-1000))
                    == .wrong(recipient: Fixture.number, attemptsLeft: 9))
            #expect(
                try await fixture.check(id, "1234", now: end)
                    == .ended(.init(cause: .expired, recipient: Fixture.number)))
        }
    }

    @Test func anothersAndUnknownOnesAreUnknownAndCostNothing() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            let other = AccountID(rawValue: fixture.account.rawValue + 1)
            let guesses = [try fixture.guess(id, "1234", account: other), try fixture.guess(fixture.id(), "1234")]
            #expect(try await fixture.store.check(guesses) == [.unknown, .unknown])
            #expect(try await fixture.store.verification(id, of: fixture.account)?.attempts == 0)
        }
    }

    /// Sixty-four at once, in batches and alone, the right one among them.
    @Test func neverEvaluatesMoreThanTheLimitNorSucceedsTwice() async throws {
        try await Fixture.run({
            $0.attemptLimit = 5
            $0.allowsReuse = false
        }) { fixture async throws in
            for round in 0..<10 {
                let id = try await fixture.start(to: "+4179000010\(round)")
                let results = try await withThrowingTaskGroup(of: [CheckResult].self) { group in
                    for n in 0..<32 {
                        group.addTask {
                            try await fixture.checkInRounds(id, [n % 8 == 0 ? "1234" : "0000", "999\(n % 10)"])
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(results.count == 64)
                let right = results.count { $0 == .right(recipient: "+4179000010\(round)") }
                let wrong = results.count { if case .wrong = $0 { true } else { false } }
                #expect(right <= 1)
                #expect(right + wrong <= 5)
                // Every guess that counted was evaluated: none was charged and then not judged.
                #expect(
                    try await fixture.store.verification(id, of: fixture.account)?.attempts == Int16(right + wrong))
                #expect(right == 1 || wrong == 5)
            }
        }
    }

    @Test func thePaceOfARecipientsGuessesIsLimited() async throws {
        try await Fixture.run({ $0.checkLimit = RateLimit("2/4s")! }) { fixture async throws in  // By the grammar.
            let now = Timestamp.now
            let id = try await fixture.start(now: now)
            let other = try await fixture.start(now: now)
            _ = try await fixture.check(id, "0000", now: now)
            _ = try await fixture.check(other, "0000", now: now + .seconds(1))
            #expect(try await fixture.check(id, "1234", now: now + .seconds(3)) == .limited(wait: .seconds(1)))
            #expect(try await fixture.store.verification(id, of: fixture.account)?.attempts == 1)
            #expect(
                try await fixture.check(id, "1234", now: now + .seconds(4)) == .right(recipient: Fixture.number))
        }
    }

    /// Neither another code nor a resend begins the count of failures anew; a right guess does.
    @Test func failuresInARowAreTheRecipients() async throws {
        try await Fixture.run({ $0.attemptLimit = 10 }) { fixture async throws in
            let now = Timestamp.now
            for _ in 0..<3 {
                let id = try await fixture.start(now: now)
                for _ in 0..<5 { _ = try await fixture.check(id, "0000", now: now) }
                _ = try await fixture.store.send([fixture.resending(id)], now: now)
                for _ in 0..<5 { _ = try await fixture.check(id, "0000", now: now) }
            }
            let id = try await fixture.start(now: now)
            #expect(try await fixture.check(id, "1234", now: now) == .locked(wait: .seconds(30)))
            #expect(
                try await fixture.check(id, "0000", now: now + .seconds(30))
                    == .wrong(recipient: Fixture.number, attemptsLeft: 9))
            #expect(try await fixture.check(id, "1234", now: now + .seconds(31)) == .locked(wait: .seconds(59)))
            #expect(
                try await fixture.check(id, "1234", now: now + .seconds(90)) == .right(recipient: Fixture.number))
            #expect(try await fixture.base.count("SELECT count(*) FROM recipient_failures") == 0)
        }
    }

    @Test func afterAHundredFailuresNothingIsEvaluated() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            _ = try await fixture.check(id, "0000")
            _ = try await fixture.base.pool.execute("UPDATE recipient_failures SET failures = 99, locked_until = NULL")
            guard case .wrong = try await fixture.check(id, "0000") else {
                Issue.record("not evaluated")
                return
            }
            #expect(
                try await fixture.check(id, "1234", now: .now + .seconds(800)) == .locked(wait: nil))
            _ = try await fixture.store.unlock(
                recipient: Fixture.number, lane: fixture.base.lane, account: fixture.account)
            #expect(try await fixture.check(id, "1234") == .right(recipient: Fixture.number))
        }
    }

    @Test func failuresOfOneRecipientDoNotLockAnother() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            _ = try await fixture.check(id, "0000")
            _ = try await fixture.base.pool.execute("UPDATE recipient_failures SET failures = 100")
            let other = try await fixture.start(to: "+41790000002")
            #expect(try await fixture.check(other, "1234") == .right(recipient: "+41790000002"))
        }
    }

    @Test func aMACMovedToAnotherRowMatchesNothing() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            let other = try await fixture.start(to: "+41790000002")
            _ = try await fixture.base.pool.execute(
                """
                UPDATE verifications SET mac = (SELECT mac FROM verifications WHERE id = \(id.rawValue))
                WHERE id = \(other.rawValue)
                """)
            guard case .wrong = try await fixture.check(other, "1234") else {
                Issue.record("a code matched in another row")
                return
            }
        }
    }

    /// While keys are rotated process by process, one may not have what another made a code with.
    @Test func aCodeWhoseKeyIsMissingIsNotJudged() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            var guess = try fixture.guess(id, "1234")
            guess.macs = guess.macs.map {
                var mac = $0
                mac.keyID = 9
                return mac
            }
            #expect(try await fixture.store.check([guess]) == [.keyless])
            #expect(try await fixture.store.verification(id, of: fixture.account)?.attempts == 0)
            #expect(try await fixture.base.count("SELECT count(*) FROM recipient_failures") == 0)
        }
    }

    @Test func listsARecipientsVerificationsNewestFirst() async throws {
        try await Fixture.run { fixture async throws in
            let first = try await fixture.start()
            let second = try await fixture.start()
            _ = try await fixture.start(to: "+41790000002")
            _ = try await fixture.check(first, "1234")
            func list(_ isVerified: Bool?) async throws -> [VerificationID] {
                try await fixture.store.verifications(
                    lane: fixture.base.lane, account: fixture.account,
                    filter: .init(recipient: Fixture.number, application: "app", isVerified: isVerified), limit: 10
                ).map(\.id)
            }
            #expect(try await list(nil) == [second, first])
            #expect(try await list(true) == [first])
            #expect(try await list(false) == [second])
        }
    }

    @Test func codesWhoseTimeIsOverAreWiped() async throws {
        try await Fixture.run { fixture async throws in
            let over = try await fixture.start(now: .now + .seconds(-1000))
            let alive = try await fixture.start()
            #expect(try await fixture.store.wipeExpiredCodes(lane: fixture.base.lane, limit: 10) == 1)
            #expect(try await fixture.store.verification(over, of: fixture.account)?.code == nil)
            #expect(try await fixture.store.verification(alive, of: fixture.account)?.code != nil)
        }
    }

    @Test func limitsAreForgottenWhenTheirPeriodsAreOver() async throws {
        try await Fixture.run { fixture async throws in
            _ = try await fixture.start(now: .now + .seconds(-5 * 86_400))
            _ = try await fixture.start(to: "+41790000002")
            #expect(try await fixture.store.forgetLimits(lane: fixture.base.lane, limit: 10) == 1)
            #expect(try await fixture.base.count("SELECT count(*) FROM recipient_limits") == 1)
        }
    }
}

@Suite struct AllowanceTests {
    @Test func slicesAddUpToTheLimitExactlyHoweverManyTakeThem() async throws {
        try await VerificationFixture.run { fixture async throws in
            let limit = try #require(RateLimit("1000/1d"))
            let taken = try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var sum: Int32 = 0
                        while true {
                            let allowance = try await fixture.store.takeAllowance(
                                of: fixture.application.id, limit: limit, waiting: 1, ahead: 500)
                            guard allowance.count > 0 else { return sum }
                            sum += allowance.count
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(taken == 1000)
        }
    }

    @Test func takesNothingAheadTowardsTheEnd() async throws {
        try await VerificationFixture.run { fixture async throws in
            let limit = try #require(RateLimit("5/1d"))
            let id = fixture.application.id
            for _ in 0..<3 {
                #expect(try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 1, ahead: 50).count == 1)
            }
            #expect(try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 9, ahead: 50).count == 2)
            let refused = try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 1, ahead: 50)
            #expect(refused.count == 0)
            #expect(refused.remaining > .seconds(86_000) && refused.remaining <= .seconds(86_400))
        }
    }

    @Test func beginsAnewWithThePeriodAndTakesBack() async throws {
        try await VerificationFixture.run { fixture async throws in
            let limit = try #require(RateLimit("2/1d"))
            let id = fixture.application.id
            let first = try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 1)
            _ = try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 1)
            try await fixture.store.giveBack(1, of: first, to: id)
            #expect(try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 1).count == 1)
            #expect(try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 1).count == 0)
            _ = try await fixture.base.pool.execute("UPDATE application_sends SET since = since - interval '1 day'")
            #expect(try await fixture.store.takeAllowance(of: id, limit: limit, waiting: 1).count == 1)
            // What is left of a period that is over is worth nothing.
            try await fixture.store.giveBack(1, of: first, to: id)
            #expect(try await fixture.base.count("SELECT taken::bigint FROM application_sends") == 1)
        }
    }
}

extension VerificationFixture {
    /// Makes guesses in one batch and comes again with those that have to.
    fileprivate func checkInRounds(_ id: VerificationID, _ typed: [String]) async throws -> [CheckResult] {
        var waiting = try typed.map { try self.guess(id, $0) }
        var done: [CheckResult] = []
        while !waiting.isEmpty {
            let results = try await self.store.check(waiting)
            done += results.filter { $0 != .again }
            waiting = zip(waiting, results).filter { $0.1 == .again }.map(\.0)
        }
        return done
    }
}
