import Messaging
import Postgres
import Store
import Testing

@Suite struct ReapTests {
    /// Two workers reap the same dead one. The second waits for the rows that the first has freed and claimed meanwhile,
    /// and must see that they belong to somebody alive: PostgreSQL looks again only at the rows that it waited for.
    @Test func whatWasClaimedWhileTheReaperWaitedStaysWithItsNewOwner() async throws {
        try await StoreFixture.run { fixture async throws in
            let dead = try await fixture.store.registerWorker(name: "dead", lease: .seconds(15))
            let heir = try await fixture.store.registerWorker(name: "heir", lease: .seconds(15))
            try await fixture.accept([fixture.newMessage()])
            _ = try await fixture.claim(dead)
            try await fixture.store.unregisterWorker(dead)
            try await withThrowingTaskGroup(of: Int.self) { group in
                try await fixture.pool.transaction { transaction in
                    _ = try await transaction.execute("UPDATE outbox SET worker_id = \(heir.rawValue)")
                    group.addTask { try await fixture.store.reap(lane: fixture.lane) }
                    try await self.waitForLock(fixture)
                }
                #expect(try await group.next() == 0)
            }
            #expect(try await fixture.count("SELECT count(*) FROM outbox WHERE worker_id = \(heir.rawValue)") == 1)
        }
    }

    private func waitForLock(_ fixture: StoreFixture) async throws {
        let waiting: SQL = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        while try await fixture.count(waiting) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    }
}
