import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps
import Verification

@Suite(.bothWays) struct SendingTests {
    private typealias Fixture = VerificationFixture

    @Test func storesTheCodeAndItsMessageTogether() async throws {
        try await Fixture.run { fixture async throws in
            let sending = try fixture.sending()
            #expect(try await fixture.store.send([sending]) == [.sent])
            let stored = try #require(
                try await fixture.store.verification(sending.verification, of: fixture.account))
            #expect(stored.state == .pending)
            #expect(stored.message == sending.message.id)
            #expect(stored.application == "app")
            #expect(stored.template == "template")
            #expect(stored.code == [1, 1, 9])
            #expect(stored.expiresAt == stored.startedAt + .seconds(900))
            #expect(
                try await fixture.base.count(
                    "SELECT count(*) FROM outbox JOIN messages USING (lane, id) WHERE verification_id IS NOT NULL") == 1
            )
        }
    }

    @Test func anothersVerificationIsNotThere() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            let other = AccountID(rawValue: fixture.account.rawValue + 1)
            #expect(try await fixture.store.verification(id, of: other) == nil)
            let list = try await fixture.store.verifications(
                lane: fixture.base.lane, account: other, filter: .init(recipient: Fixture.number), limit: 10)
            #expect(list.isEmpty)
        }
    }

    /// Fifty at once through four connections, some in one batch and some alone.
    @Test func theRecipientsLimitHoldsExactly() async throws {
        try await Fixture.run(recipientSendLimit: "5/1d") { fixture async throws in
            let sent = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<25 {
                    group.addTask { try await fixture.sendInRounds(count: 2) }
                }
                return try await group.reduce(0, +)
            }
            #expect(sent == 5)
            #expect(try await fixture.base.count("SELECT count(*) FROM verifications") == 5)
            #expect(try await fixture.base.count("SELECT count(*) FROM outbox") == 5)
        }
    }

    @Test func theLimitIsEachRecipientsAndBeginsAnewWithItsPeriod() async throws {
        try await Fixture.run(recipientSendLimit: "1/10m") { fixture async throws in
            let now = Timestamp.now
            _ = try await fixture.start(now: now)
            let late = now + .seconds(599)
            guard case .limited(let wait) = try await fixture.store.send([fixture.sending()], now: late)[0] else {
                Issue.record("not limited")
                return
            }
            #expect(wait == .seconds(1))
            _ = try await fixture.start(to: "+41790000002", now: late)
            _ = try await fixture.start(now: now + .seconds(600))
            #expect(try await fixture.store.send([fixture.sending()], now: now + .seconds(1199)) != [.sent])
        }
    }

    @Test func ofABatchTheFirstOfARecipientGoesFirst() async throws {
        try await Fixture.run { fixture async throws in
            let batch = [try fixture.sending(), try fixture.sending(), try fixture.sending(to: "+41790000002")]
            #expect(try await fixture.store.send(batch) == [.sent, .again, .sent])
        }
    }

    @Test func thoseBehindARefusedOneAreRefusedWithIt() async throws {
        try await Fixture.run(recipientSendLimit: "1/1d") { fixture async throws in
            _ = try await fixture.start()
            let results = try await fixture.store.send([try fixture.sending(), try fixture.sending()])
            for result in results {
                guard case .limited = result else {
                    Issue.record("\(result)")
                    return
                }
            }
        }
    }

    @Test func settingsThatHaveChangedSendNothing() async throws {
        try await Fixture.run { fixture async throws in
            let old = try fixture.sending()
            var settings = fixture.application.settings
            settings.attemptLimit = 3
            let changed = try await fixture.store.updateApplication(
                "app", settings, of: fixture.account, revision: fixture.application.revision)
            #expect(changed != nil)
            #expect(try await fixture.store.send([old]) == [.stale])
            #expect(try await fixture.base.count("SELECT count(*) FROM messages") == 0)
        }
    }

    @Test func aKeyUsedAgainSendsNothingAndNamesTheFirst() async throws {
        try await Fixture.run { fixture async throws in
            let key = IdempotencyKey(lane: fixture.base.lane, key: "k", fingerprint: [7])
            let first = try fixture.sending(key: key)
            #expect(try await fixture.store.send([first]) == [.sent])
            let again = try await fixture.store.send([fixture.sending(key: key)])
            #expect(
                again == [.repeated(EarlierAcceptance(ids: [first.verification.rawValue], fingerprint: [7]))])
            #expect(try await fixture.base.count("SELECT count(*) FROM verifications") == 1)
        }
    }

    @Test func aRefusedRequestLeavesItsKeyFree() async throws {
        try await Fixture.run(recipientSendLimit: "1/1d") { fixture async throws in
            _ = try await fixture.start()
            let key = IdempotencyKey(lane: fixture.base.lane, key: "k", fingerprint: [7])
            #expect(try await fixture.store.send([fixture.sending(key: key)]) != [.sent])
            #expect(try await fixture.base.count("SELECT count(*) FROM idempotency_keys") == 0)
        }
    }

    @Test func aLockedRecipientGetsNoCode() async throws {
        try await Fixture.run { fixture async throws in
            _ = try await fixture.base.pool.execute(
                """
                INSERT INTO recipient_failures (lane, account_id, recipient, failures, failed_at)
                VALUES (0, \(fixture.account.rawValue), \(Fixture.number), 100, now())
                """)
            #expect(try await fixture.store.send([fixture.sending()]) == [.locked])
            let unlocked = try await fixture.store.unlock(
                recipient: Fixture.number, lane: fixture.base.lane, account: fixture.account)
            #expect(unlocked)
            #expect(try await fixture.store.send([fixture.sending()]) == [.sent])
        }
    }
}

@Suite(.bothWays) struct ResendingTests {
    private typealias Fixture = VerificationFixture

    @Test func keepsTheVerificationAndSendsAnotherMessage() async throws {
        try await Fixture.run { fixture async throws in
            let id = try await fixture.start()
            let resending = fixture.resending(id)
            #expect(try await fixture.store.send([resending]) == [.sent])
            let stored = try #require(try await fixture.store.verification(id, of: fixture.account))
            #expect(stored.sends == 2)
            #expect(stored.message == resending.message.id)
            #expect(try await fixture.base.count("SELECT count(*) FROM outbox") == 2)
            #expect(try await fixture.base.count("SELECT count(*) FROM messages WHERE tracked") == 1)
        }
    }

    @Test func countsTowardsTheRecipientsLimit() async throws {
        try await Fixture.run(recipientSendLimit: "2/1d") { fixture async throws in
            let id = try await fixture.start()
            #expect(try await fixture.store.send([fixture.resending(id)]) == [.sent])
            guard case .limited = try await fixture.store.send([fixture.resending(id)])[0] else {
                Issue.record("not limited")
                return
            }
            #expect(try await fixture.store.verification(id, of: fixture.account)?.sends == 2)
        }
    }

    @Test func coolsDownAndHasACap() async throws {
        try await Fixture.run({
            $0.sendLimit = 2
            $0.resendCooldown = Period("30s")
        }) { fixture async throws in
            let now = Timestamp.now
            let id = try await fixture.start(now: now)
            #expect(
                try await fixture.store.send([fixture.resending(id)], now: now + .seconds(10))
                    == [.tooEarly(wait: .seconds(20))])
            #expect(try await fixture.store.send([fixture.resending(id)], now: now + .seconds(30)) == [.sent])
            #expect(try await fixture.store.send([fixture.resending(id)], now: now + .seconds(90)) == [.sendsSpent])
        }
    }

    @Test func sendsNothingThatHasEnded() async throws {
        try await Fixture.run({ $0.allowsReuse = false }) { fixture async throws in
            let now = Timestamp.now
            let expired = try await fixture.start(now: now)
            let used = try await fixture.start(to: "+41790000002")
            _ = try await fixture.check(used, "1234")
            #expect(try await fixture.store.send([fixture.resending(expired)], now: now + .seconds(900)) == [.ended])
            #expect(
                try await fixture.store.send([fixture.resending(used, number: "+41790000002")]) == [.ended])
            #expect(try await fixture.store.send([fixture.resending(fixture.id())]) == [.ended])
        }
    }
}

extension VerificationFixture {
    /// Sends `count` in one batch and comes again with those that have to; returns how many were sent.
    fileprivate func sendInRounds(count: Int) async throws -> Int {
        var waiting: [Sending] = []
        for _ in 0..<count { waiting.append(try self.sending()) }
        var sent = 0
        while !waiting.isEmpty {
            let results = try await self.store.send(waiting)
            sent += results.count { $0 == .sent }
            waiting = zip(waiting, results).filter { $0.1 == .again }.map(\.0)
        }
        return sent
    }
}
