import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct HousekeepingTests {
    @Test func partitionsAreMadeAheadAndOnlyOnce() async throws {
        try await StoreFixture.run { fixture async throws in
            #expect(try await fixture.store.makePartitions(daysAhead: 7) == 0)
            #expect(try await fixture.store.makePartitions(daysAhead: 9) == 16)
        }
    }

    @Test func makingPartitionsWaitsForNobodyWhoUsesTheTables() async throws {
        try await StoreFixture.run { fixture async throws in
            let made = try await fixture.pool.transaction { transaction in
                // An open transaction that has read and written, as a long report or a slow client leaves it.
                _ = try await transaction.execute("SELECT count(*) FROM messages")
                _ = try await transaction.execute(
                    "INSERT INTO outbox (lane, id, account_id, provider_id, priority) VALUES (0, gen_random_uuid(), 1, 1, 0)"
                )
                return try await fixture.store.makePartitions(daysAhead: 8)
            }
            #expect(made == 8)
            let unindexed = try await fixture.count(
                """
                SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                WHERE c.relkind = 'p' AND NOT i.indisvalid
                """)
            #expect(unindexed == 0)
        }
    }

    @Test func aMessageOfLastNightStillFindsItsPartition() async throws {
        try await StoreFixture.run { fixture async throws in
            var message = fixture.newMessage()
            var generator = SystemRandomNumberGenerator()
            message.id = MessageID(
                lane: fixture.lane, milliseconds: (Timestamp.now - .seconds(3600 * 20)).milliseconds, using: &generator)
            try await fixture.accept([message])
            #expect(try await fixture.state(of: message.id) == .queued)
        }
    }

    @Test func strandedMessagesExpireWhenTheirTimeHasPassed() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept([fixture.newMessage(), fixture.newMessage()])
            _ = try await fixture.pool.execute(
                "UPDATE messages SET expires_at = now() - interval '1 second' WHERE id = \(ids[0])")
            let count = try await fixture.store.expireStranded(
                lane: fixture.lane, served: [ProviderID(rawValue: 99)], limit: 10)
            #expect(count == 1)
            #expect(try await fixture.state(of: ids[0]) == .expired)
            #expect(try await fixture.state(of: ids[1]) == .queued)
            #expect(try await fixture.count("SELECT count(*) FROM outbox") == 1)
        }
    }

    @Test func whatWaitsForProvidersBeforeBetweenAndBehindThoseServedExpires() async throws {
        try await StoreFixture.run { fixture async throws in
            let served = [ProviderID(rawValue: 5), ProviderID(rawValue: 3)]
            for provider in 1...7 as ClosedRange<Int32> {
                for priority in Priority.allCases {
                    try await fixture.accept([
                        fixture.newMessage(provider: ProviderID(rawValue: provider), priority: priority)
                    ])
                }
            }
            _ = try await fixture.pool.execute("UPDATE messages SET expires_at = now() - interval '1 second'")
            var counts: [Int] = []
            while counts.last != 0 {
                counts.append(try await fixture.store.expireStranded(lane: fixture.lane, served: served, limit: 10))
            }
            #expect(counts == [10, 5, 0])
            #expect(try await fixture.count("SELECT count(*) FROM outbox WHERE provider_id IN (3, 5)") == 6)
            #expect(try await fixture.count("SELECT count(*) FROM outbox") == 6)
        }
    }

    /// No time to live reaches so far, and the days of a claim do not either.
    @Test func whatIsOlderThanAnyMessageLivesIsNotClaimedAndExpires() async throws {
        try await StoreFixture.run { fixture async throws in
            let day = try await fixture.store.today() - 12
            try await fixture.makeDay(day)
            var generator = SystemRandomNumberGenerator()
            var message = fixture.newMessage()
            message.id = MessageID(
                lane: fixture.lane, milliseconds: Int64(day) * 86_400_000 + 3_600_000, using: &generator)
            try await fixture.accept([message])
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            #expect(try await fixture.claim(worker).isEmpty)
            #expect(try await fixture.count("SELECT count(*) FROM outbox WHERE worker_id IS NULL AND attempt = 0") == 1)
            let outlook = try await fixture.store.outlook(lane: fixture.lane, served: [fixture.provider])
            #expect(outlook.oldestReady == nil)
            try await fixture.accept([fixture.newMessage()])
            #expect(try await fixture.store.expireOld(lane: fixture.lane, limit: 10) == 1)
            #expect(try await fixture.state(of: message.id) == .expired)
            #expect(try await fixture.count("SELECT count(*) FROM outbox") == 1)
        }
    }

    @Test func theDepthOfTheQueueIsByProviderAndPriority() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.accept((0..<4).map { _ in fixture.newMessage() })
            try await fixture.accept([fixture.newMessage(priority: .bulk)])
            let depths = try await fixture.store.queueDepths(
                lane: fixture.lane, served: [fixture.provider], limit: 100)
            #expect(depths.first { $0.priority == .otp }?.ready == 4)
            #expect(depths.first { $0.priority == .bulk }?.ready == 1)
            #expect(depths.allSatisfy { $0.oldest < .seconds(60) })
        }
    }

    @Test func aDeepQueueHidesNoOther() async throws {
        try await StoreFixture.run { fixture async throws in
            let served = [fixture.provider, ProviderID(rawValue: 2)]
            for (provider, count) in zip(served, [4, 1]) {
                try await fixture.accept((0..<count).map { _ in fixture.newMessage(provider: provider) })
            }
            let depths = try await fixture.store.queueDepths(lane: fixture.lane, served: served, limit: 3)
            #expect(depths.sorted { $0.provider.rawValue < $1.provider.rawValue }.map(\.ready) == [3, 1])
            let first = MessageID(high: 0, low: 0)
            let ahead = try await fixture.store.queueDepths(
                lane: fixture.lane, served: served, limit: 10, from: first)
            #expect(ahead.sorted { $0.provider.rawValue < $1.provider.rawValue }.map(\.ready) == [4, 1])
        }
    }

    @Test func oldIdempotencyKeysAreDropped() async throws {
        try await StoreFixture.run { fixture async throws in
            let key = IdempotencyKey(lane: fixture.lane, key: "k", fingerprint: [7])
            let request = Acceptance(account: fixture.account, messages: [fixture.newMessage()], idempotency: key)
            _ = try await fixture.store.accept([request])
            let day = Duration.seconds(86400)
            #expect(try await fixture.store.dropIdempotencyKeys(lane: fixture.lane, olderThan: day, limit: 10) == 0)
            _ = try await fixture.pool.execute("UPDATE idempotency_keys SET accepted_at = now() - interval '2 days'")
            #expect(try await fixture.store.dropIdempotencyKeys(lane: fixture.lane, olderThan: day, limit: 10) == 1)
        }
    }

    @Test func aChangedMigrationIsRefused() async throws {
        try await StoreFixture.run { fixture async throws in
            var migrations = try Migration.all(in: TestSystem.migrations)
            #expect(try await fixture.store.migrate(migrations).isEmpty)
            migrations[0].script += "\n-- changed"
            await #expect(throws: MigrationError.self) { try await fixture.store.migrate(migrations) }
            await #expect(throws: MigrationError.self) { try await fixture.store.migrate([]) }
        }
    }

    @Test func aMigrationThatFailsLeavesNothing() async throws {
        try await StoreFixture.run { fixture async throws in
            var migrations = try Migration.all(in: TestSystem.migrations)
            migrations.append(
                Migration(name: "9999_bad.sql", script: "CREATE TABLE left_over (a int); SELECT nonsense;"))
            await #expect(throws: MigrationError.self) { try await fixture.store.migrate(migrations) }
            #expect(try await fixture.count("SELECT count(*) FROM pg_class WHERE relname = 'left_over'") == 0)
            #expect(try await fixture.store.pending(migrations) == ["9999_bad.sql"])
        }
    }

    @Test func everyChangeOfTheConfigurationRaisesItsRevision() async throws {
        try await StoreFixture.run { fixture async throws in
            let before = try await fixture.store.configurationRevision()
            _ = try await fixture.pool.execute("INSERT INTO accounts (name) VALUES ('a')")
            #expect(try await fixture.store.configurationRevision() > before)
        }
    }
}
