import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps
import Verification

/// Guesses that fail, one by one and at the same time.
@Suite(.bothWays) struct ScopedLockTests {
    private typealias Fixture = VerificationFixture

    @Test func fiveWrongGuessesInARowLockTheNumberForHalfAMinute() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            var now = Timestamp.now
            try await fixture.sendScoped(scope, now: now)
            for round in 1...2 {
                for _ in 0..<5 { #expect(try await fixture.checkScoped(scope, "0000", now: now) == .wrong) }
                #expect(try await fixture.checkScoped(scope, now: now) == .locked(wait: .seconds(30)))
                #expect(
                    try await fixture.checkScoped(fixture.scope("other"), now: now + .seconds(29))
                        == .locked(wait: .seconds(1)))
                #expect(try await fixture.failures == 5 * round)
                now = now + .seconds(30)
            }
            #expect(try await fixture.checkScoped(scope, now: now) == .right)
            // And then it begins anew.
            for _ in 0..<5 { #expect(try await fixture.checkScoped(scope, "0000", now: now) == .wrong) }
            #expect(try await fixture.checkScoped(scope, now: now) == .locked(wait: .seconds(30)))
        }
    }

    @Test func aNumberThatNeverGotACodeIsLockedAsAnyOther() async throws {
        try await Fixture.run { fixture async throws in
            let now = Timestamp.now
            for _ in 0..<5 { #expect(try await fixture.checkScoped(fixture.scope(), now: now) == .wrong) }
            #expect(try await fixture.checkScoped(fixture.scope(), now: now) == .locked(wait: .seconds(30)))
            #expect(try await fixture.checkScoped(fixture.scope(to: "+41790000002"), now: now) == .wrong)
        }
    }

    /// A person is one, whichever API the guesses come by.
    @Test func failuresAndLocksAreSharedWithVerifications() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            let now = Timestamp.now
            let id = try await fixture.start(now: now)
            for _ in 0..<3 { _ = try await fixture.check(id, "0000", now: now) }
            for _ in 0..<2 { #expect(try await fixture.checkScoped(scope, now: now) == .wrong) }
            #expect(try await fixture.failures == 5)
            #expect(try await fixture.check(id, "1234", now: now) == .locked(wait: .seconds(30)))
            #expect(try await fixture.checkScoped(scope, now: now) == .locked(wait: .seconds(30)))
            let later = now + .seconds(30)
            #expect(try await fixture.check(id, "1234", now: later) == .right(recipient: Fixture.number))
            #expect(try await fixture.base.count("SELECT count(*) FROM recipient_failures") == 0)
            // What is right here is forgiven there.
            for _ in 0..<4 { _ = try await fixture.check(id, "0000", now: later) }
            try await fixture.sendScoped(scope, now: later)
            #expect(try await fixture.checkScoped(scope, now: later) == .right)
            #expect(try await fixture.base.count("SELECT count(*) FROM recipient_failures") == 0)
        }
    }

    @Test(arguments: [
        (before: 24, wait: Duration?.some(.seconds(30))), (25, nil), (28, nil), (29, .seconds(30)), (30, .seconds(60)),
        (34, .seconds(960)), (60, .seconds(3600)),
    ])
    func theLongerWaitCounts(before: Int, wait: Duration?) async throws {
        try await Fixture.run { fixture async throws in
            let now = Timestamp.now
            _ = try await fixture.checkScoped(fixture.scope(), now: now)
            _ = try await fixture.base.pool.execute(
                "UPDATE recipient_failures SET locked_until = NULL, failures = \(Int16(before))")
            #expect(try await fixture.checkScoped(fixture.scope(), now: now) == .wrong)
            let next = try await fixture.checkScoped(fixture.scope(), now: now)
            #expect(next == wait.map { .locked(wait: $0) } ?? .wrong)
        }
    }

    @Test func afterAHundredFailuresNothingIsEvaluated() async throws {
        try await Fixture.run { fixture async throws in
            let scope = fixture.scope()
            let now = Timestamp.now
            try await fixture.sendScoped(scope, now: now)
            _ = try await fixture.checkScoped(scope, "0000", now: now)
            _ = try await fixture.base.pool.execute("UPDATE recipient_failures SET failures = 99, locked_until = NULL")
            #expect(try await fixture.checkScoped(scope, "0000", now: now) == .wrong)
            let later = now + .seconds(100)
            _ = try await fixture.base.pool.execute("UPDATE recipient_failures SET locked_until = NULL")
            #expect(try await fixture.checkScoped(scope, now: later) == .locked(wait: nil))
            #expect(try await fixture.failures == 100)
            // Nor is anything sent that would be of no use, but to others.
            let scopes = [fixture.scope(to: "+41790000003"), scope, fixture.scope(to: "+41790000004")]
            let sendings = try scopes.map { try fixture.scopedSending($0) }
            #expect(try await fixture.store.send(sendings, now: later) == [.sent, .locked, .sent])
            #expect(try await fixture.base.count("SELECT count(*) FROM outbox") == 3)
            #expect(try await fixture.base.count("SELECT count(*) FROM messages") == 3)
            #expect(try await fixture.base.count("SELECT count(*) FROM scoped_codes") == 3)
            _ = try await fixture.store.unlock(
                recipient: Fixture.number, lane: fixture.base.lane, account: fixture.account)
            #expect(try await fixture.checkScoped(scope, now: later) == .right)
        }
    }

    // MARK: - At the same time

    private static func inParallel(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> [ScopedCheckResult]
    ) async throws -> [ScopedCheckResult] {
        try await withThrowingTaskGroup(of: [ScopedCheckResult].self) { group in
            for number in 0..<count { group.addTask { try await body(number) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    @Test func ofManyRightGuessesOneIsRight() async throws {
        try await Fixture.run(limit: 8) { fixture async throws in
            for round in 0..<5 {
                let scope = fixture.scope(to: "+4179000010\(round)")
                try await fixture.sendScoped(scope)
                // Alone, and two in a batch.
                let results = try await Self.inParallel(48) { number in
                    try await fixture.checkScopedInRounds(scope, number < 32 ? ["1234"] : ["1234", "1234"])
                }
                #expect(results.count == 64)
                #expect(results.count { $0 == .right } == 1)
                // Those that came too late are wrong, and wrong guesses are counted.
                #expect(results.count { $0 == .wrong } == 5)
                #expect(try await fixture.failures == 5 * (round + 1))
            }
        }
    }

    @Test func ofManyWrongGuessesFiveAreEvaluated() async throws {
        try await Fixture.run(limit: 8) { fixture async throws in
            for round in 0..<5 {
                let scope = fixture.scope(to: "+4179000010\(round)")
                // Half of the numbers never got a code.
                if round % 2 == 0 { try await fixture.sendScoped(scope) }
                let results = try await Self.inParallel(48) { number in
                    try await fixture.checkScopedInRounds(
                        scope, number < 32 ? ["0000"] : ["0000", "999\(number % 10)"])
                }
                #expect(results.count == 64)
                #expect(results.count { $0 == .wrong } == 5)
                #expect(results.count { if case .locked = $0 { true } else { false } } == 59)
                #expect(try await fixture.failures == 5 * (round + 1))
            }
        }
    }

    /// The guess does not see the row when it begins to look: whoever makes it has not committed.
    @Test func aLockThatComesMeanwhileHolds() async throws {
        try await Fixture.run(limit: 3) { fixture async throws in
            let scope = fixture.scope()
            let guess = try await fixture.base.pool.transaction { transaction in
                _ = try await transaction.execute(
                    """
                    INSERT INTO recipient_failures (lane, account_id, recipient, failures, failed_at, locked_until)
                    VALUES (0, \(fixture.account.rawValue), \(scope.recipient), 5, now(), now() + interval '30 seconds')
                    """)
                let guess = Task { try await fixture.checkScoped(scope, "0000") }
                while try await fixture.base.count(TestSystem.lockWaits) < 1 {
                    try await Task.sleep(for: .milliseconds(5))
                }
                return guess
            }
            #expect(try await guess.value == .locked(wait: .seconds(30)))
            #expect(try await fixture.failures == 5)
        }
    }

    /// Batches whose recipients are the same, in other orders. None is right: that would take away a row which two others may then
    /// make anew at the same moment, the one way to a circle that is left; see ``Store/send(_:now:)``.
    @Test func batchesOfTheSameRecipientsDoNotWaitInACircle() async throws {
        try await Fixture.run(limit: 8) { fixture async throws in
            let scopes = (10..<40).map { fixture.scope(to: "+417900000\($0)") }
            for scope in scopes { try await fixture.sendScoped(scope) }
            // The first failures are there, as they mostly are not made at the same moment.
            _ = try await fixture.store.check(scopes.map { try fixture.scopedGuess($0, "0000") })
            for _ in 0..<3 {
                _ = try await Self.inParallel(6) { number in
                    let order = number % 2 == 0 ? scopes : scopes.reversed()
                    let guesses = try order.map { try fixture.scopedGuess($0, "0000") }
                    return try await fixture.store.check(guesses)
                }
                _ = try await fixture.base.pool.execute("UPDATE recipient_failures SET locked_until = NULL")
            }
        }
    }
}
