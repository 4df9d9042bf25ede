import Postgres
import Store
import Synchronization
import TestDatabase
import TestSystem
import Testing

/// Who keeps dead rows from being cleared up, and how many there are.
@Suite(.bothWays, .timeLimit(.minutes(2))) struct HealthTests {
    @Test func anOpenTransactionIsNamed() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.pool.transaction { transaction in
                let process = try await transaction.query("SELECT pg_backend_pid(), pg_current_xact_id()::text") {
                    row throws(PostgresError) in try row.decode(0, as: Int32.self)
                }[0]
                _ = try await fixture.pool.execute("UPDATE configuration SET revision = revision + 1")
                let found = try await fixture.store.snapshotHolders(limit: 10)
                let holder = try #require(found.holders.first { $0.process == process })
                #expect(holder.kind == .session)
                #expect(holder.state == "idle in transaction")
                #expect(!holder.user.isEmpty)
                #expect(try #require(holder.age) >= .zero)
                #expect(holder.transactions >= 1)
                #expect(found.seesAll)
            }
        }
    }

    @Test func deadRowsAreCountedByTable() async throws {
        try await StoreFixture.run { fixture async throws in
            let tables = Set(try await fixture.store.deadRows().keys)
            #expect(tables.isSuperset(of: ["outbox", "event_outbox", "messages", "verifications"]))
            // No day by itself.
            #expect(tables.allSatisfy { !$0.contains("_2") })
        }
    }
}

/// Tells whether something has ended.
final class Mailbox: Sendable {
    private let state = Mutex(false)
    var isFinished: Bool { self.state.withLock { $0 } }
    func finish() { self.state.withLock { $0 = true } }
}
