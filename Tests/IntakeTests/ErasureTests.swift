import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Intake

/// One recipient is taken out of all that is kept of an account, and of no other.
@Suite(.timeLimit(.minutes(3))) struct ErasureTests {
    private static let body: JSON = ["to": .string(IntakeFixture.number)]

    private static func erase(_ fixture: IntakeFixture, key: String = IntakeFixture.key) async -> JSON {
        let answer = await fixture.post("/v1/recipients/erase", Self.body, key: key)
        #expect(answer.status == 200)
        return answer.json
    }

    private static func answer(
        cancelled: Int64 = 0, messages: Int64 = 0, verifications: Int64 = 0, others: Int64 = 0, underWay: Int64 = 0,
        done: Bool = true
    ) -> JSON {
        [
            "cancelled": .integer(cancelled), "messages": .integer(messages), "verifications": .integer(verifications),
            "others": .integer(others), "under_way": .integer(underWay), "done": .bool(done),
        ]
    }

    /// How many rows of the database say a number.
    private static func traces(_ fixture: IntakeFixture) async throws -> Int {
        try await fixture.system.count(
            """
            SELECT (SELECT count(*) FROM messages m WHERE m::text LIKE '%0000077%')
                 + (SELECT count(*) FROM verifications v WHERE v::text LIKE '%0000077%')
                 + (SELECT count(*) FROM recipient_limits l WHERE l::text LIKE '%0000077%')
                 + (SELECT count(*) FROM recipient_failures f WHERE f::text LIKE '%0000077%')
                 + (SELECT count(*) FROM scoped_codes c WHERE c::text LIKE '%0000077%')
                 + (SELECT count(*) FROM look_ups k WHERE k::text LIKE '%0000077%')
                 + (SELECT count(*) FROM erasures e WHERE e::text LIKE '%0000077%')
            """)
    }

    @Test func allThatIsKeptOfARecipientGoes() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let id = try await codes.start()
            _ = await codes.check(id, try await codes.wrong(id))
            let change: [String: JSON?] = ["reference": "order 0000077", "metadata": ["who": "0000077"]]
            let message = try await fixture.accept(change)
            _ = try await fixture.system.pool.execute(
                "INSERT INTO look_ups (number, facts) VALUES (\(IntakeFixture.number), '{}')")
            let other = try await fixture.accept(["to": "+41790000078"])
            #expect(try await Self.traces(fixture) > 4)
            let expected = Self.answer(cancelled: 2, messages: 2, verifications: 1, others: 3)
            #expect(await Self.erase(fixture) == expected)
            #expect(try await Self.traces(fixture) == 0)
            // They can still be read, and say that they were erased.
            let read = await fixture.get("/v1/messages/\(message)").json
            #expect(read["to"] == .string(Store.erasedRecipient))
            #expect(read["status"] == "cancelled")
            #expect(await fixture.get("/v1/verifications/\(id)").json["status"] == "expired")
            #expect(await fixture.get("/v1/messages/\(other)").json["to"] == "+41790000078")
            // Again, there is nothing to do.
            #expect(await Self.erase(fixture) == Self.answer())
        }
    }

    /// The right code, after its recipient was erased.
    @Test func aCodeOfWhoWasErasedIsNoGood() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let id = try await codes.start()
            let code = try await codes.code(of: id)
            _ = await Self.erase(fixture)
            #expect(await codes.check(id, code).status != 200)
            #expect(await codes.resend(id).status != 202)
        }
    }

    @Test func nothingOfAnotherAccountGoes() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.accept(key: IntakeFixture.strangersKey)
            #expect(await Self.erase(fixture) == Self.answer())
            #expect(try await Self.traces(fixture) == 1)
        }
    }

    @Test func anOptOutStays() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = await fixture.post("/v1/opt-outs", Self.body)
            _ = await Self.erase(fixture)
            #expect(try await fixture.system.count("SELECT count(*) FROM opt_outs") == 1)
        }
    }

    @Test func whatIsBeingSentIsToBeAskedForAgain() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.accept()
            _ = try await fixture.system.pool.execute("UPDATE outbox SET worker_id = 1")
            #expect(await Self.erase(fixture) == Self.answer(underWay: 1, done: false))
            #expect(await fixture.get("/v1/messages/\(id)").json["to"] == .string(IntakeFixture.number))
            // It has ended.
            _ = try await fixture.system.pool.execute("DELETE FROM outbox")
            _ = try await fixture.system.pool.execute("UPDATE messages SET state = 'accepted'")
            #expect(await Self.erase(fixture) == Self.answer(messages: 1))
        }
    }

    /// One on standby would go to the next provider, with its number.
    @Test func nothingOnStandbyGoesOn() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.accept()
            try await Self.putOnStandby(fixture)
            #expect(await Self.erase(fixture)["messages"] == 1)
            #expect(try await fixture.system.count("SELECT count(*) FROM standby") == 0)
        }
    }

    /// It goes on in the very moment: its number is still needed, and it is not forgotten that it is there.
    @Test(arguments: [true, false]) func whatIsSentOnMeanwhileIsToBeAskedForAgain(isOnStandby: Bool) async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.accept()
            try await Self.putOnStandby(fixture)
            // Otherwise it is the message itself that the erasure waits for.
            if !isOnStandby { _ = try await fixture.system.pool.execute("DELETE FROM standby") }
            try await withThrowingTaskGroup { group in
                try await fixture.system.pool.transaction { transaction in
                    _ = try await transaction.execute("DELETE FROM standby")
                    _ = try await transaction.execute("UPDATE messages SET state = 'unknown'")
                    _ = try await transaction.execute(
                        """
                        INSERT INTO outbox (lane, id, account_id, provider_id, priority)
                        SELECT lane, id, account_id, provider_id, 0 FROM messages
                        """)
                    group.addTask { #expect(await Self.erase(fixture) == Self.answer(underWay: 1, done: false)) }
                    try await fixture.waitForLockWaits(1)
                }
                try await group.waitForAll()
            }
            #expect(try await Self.traces(fixture) == 1)
        }
    }

    private static func putOnStandby(_ fixture: IntakeFixture) async throws {
        _ = try await fixture.system.pool.execute("DELETE FROM outbox")
        _ = try await fixture.system.pool.execute("UPDATE messages SET state = 'accepted'")
        _ = try await fixture.system.pool.execute(
            """
            INSERT INTO standby (lane, id, account_id, provider_id, priority, attempt, series, tried, expires_at, due_at)
            SELECT lane, id, account_id, provider_id, 0, 1, 1, 1, now() + interval '1 hour', now() FROM messages
            """)
    }

    @Test func addressesGoHoweverTheyAreWritten() async throws {
        try await IntakeFixture.run { fixture async throws in
            #expect(await fixture.post(IntakeFixture.mail).status == 202)
            let answer = await fixture.post("/v1/recipients/erase", ["to": .string(IntakeFixture.address)])
            #expect(answer.json["messages"] == 1)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE recipient LIKE '%@%'") == 0)
        }
    }

    @Test func manyGoInBatchesUpToALimit() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.accept()
            _ = try await fixture.system.pool.execute(
                """
                INSERT INTO messages (lane, id, account_id, provider_id, priority, channel, state, recipient, expires_at)
                SELECT 0, new_id(0::smallint), account_id, provider_id, 0, channel, 'delivered', recipient, now()
                FROM messages, generate_series(1, 1200)
                """)
            let eraser = fixture.intake.eraser
            let number = try #require(Recipient(IntakeFixture.number, channel: .sms))
            let accounts = try await fixture.system.store.accounts(named: "acme")
            let first = try await eraser.erase(number, of: accounts, for: nil, limit: 700)
            #expect(first.counts.messages == 700 && !first.isDone)
            let rest = try await eraser.erase(number, of: accounts, for: nil)
            #expect(rest.counts.messages == 501 && rest.isDone)
        }
    }

    /// Of many accounts only those are looked into that have something of the recipient, whatever it is.
    @Test(
        arguments: [
            """
            messages (lane, id, account_id, provider_id, priority, channel, state, recipient, expires_at)
            SELECT 0, new_id(0::smallint), id, 1, 0, 'sms', 'delivered', '+41790000077', now() FROM accounts WHERE name = 'second'
            """,
            """
            verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit, allows_reuse, channel,
                           recipient, mac, message_id, expires_at)
            SELECT 0, new_id(0::smallint), id, 1, 1, 1, 10, true, 'sms', '+41790000077', decode(repeat('5a', 32), 'hex'),
                   new_id(0::smallint), now()
            FROM accounts WHERE name = 'second'
            """,
            """
            recipient_failures (lane, account_id, failures, failed_at, recipient)
            SELECT 0, id, 1, now(), '+41790000077' FROM accounts WHERE name = 'second'
            """,
            """
            recipient_limits (lane, account_id, application_id, sends, send_limit, check_limit, send_period, check_period,
                              forget_at, recipient)
            SELECT 0, id, 1, 1, 1, 1, '1 h', '1 h', now(), '+41790000077' FROM accounts WHERE name = 'second'
            """,
            """
            scoped_codes (lane, id, account_id, recipient, scope, application, key_id, mac)
            SELECT 0, new_id(0::smallint), id, '+41790000077', 'a', 'b', 1, decode(repeat('5a', 32), 'hex')
            FROM accounts WHERE name = 'second'
            """,
        ] as [SQL.Fragment])
    func anAccountIsFoundByAnythingThatItHas(_ row: SQL.Fragment) async throws {
        try await IntakeFixture.run { fixture async throws in
            let system = fixture.system
            _ = try await system.pool.execute("INSERT INTO accounts (name) VALUES ('second'), ('third')")
            _ = try await system.pool.execute("INSERT INTO \(row)")
            let number = try #require(Recipient("+41790000077", channel: .sms))
            let accounts = try await system.store.accounts(named: nil)
            let outcome = try await fixture.intake.eraser.erase(number, of: accounts, for: nil)
            let counts = outcome.counts
            #expect(counts.messages + counts.verifications + counts.others == 1)
        }
    }

    /// What is left of it shows that it was done, and to whom only with the number in hand.
    @Test func anErasureIsKeptAccountOf() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.accept()
            _ = await Self.erase(fixture, key: IntakeFixture.managingKey)
            let eraser = fixture.intake.eraser
            let number = try #require(Recipient(IntakeFixture.number, channel: .sms))
            let other = try #require(Recipient("+41790000078", channel: .sms))
            let found = try #require(try await eraser.erasures(of: number, limit: 10).first)
            #expect(found.account == "acme" && found.key == "manage" && found.endedAt != nil)
            #expect(found.counts.messages == 1 && found.counts.cancelled == 1)
            #expect(try await eraser.erasures(of: other, limit: 10).isEmpty)
            #expect(try await eraser.erasures(of: nil, limit: 10) == [found])
        }
    }
}
