import Messaging
import Postgres
import Store
import Synchronization
import Telemetry
import TestSystem
import Testing

@testable import Delivery

/// A round of dropping what is past its time.
@Suite(.timeLimit(.minutes(2))) struct RetentionUpkeepTests {
    /// A system with all partitions of a day that is long over, and what a round of it would use.
    private static func run(
        retention: Retention = Retention(messages: 90, events: 90, verifications: 90),
        _ body: (TestSystem, RetentionUpkeep, Metrics, Lines) async throws -> Void
    ) async throws {
        try await TestSystem.run(limit: 6) { system async throws in
            try await Self.makeOldDay(system)
            try await system.pool.transaction { transaction in
                _ = try await Store.putRetention(retention, in: transaction)
            }
            let (metrics, lines) = (Metrics(), Lines())
            let upkeep = RetentionUpkeep(
                store: system.store, lanes: [Lane(rawValue: 0)], metrics: RetentionMetrics(metrics),
                logger: Logger(label: "worker", write: { lines.append($0) }), waitLimit: .seconds(20))
            try await body(system, upkeep, metrics, lines)
        }
    }

    private static func makeOldDay(_ system: TestSystem) async throws {
        let script = """
            DO $$ DECLARE base text; day date := (now() AT TIME ZONE 'UTC')::date - 100; BEGIN
            FOREACH base IN ARRAY ARRAY['messages', 'attempts', 'parts', 'receipts', 'verifications', 'events',
                                        'event_attempts', 'conversions'] LOOP
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    base || '_' || to_char(day, 'YYYYMMDD'), base, first_id_of(day::timestamp AT TIME ZONE 'UTC'),
                    first_id_of((day + 1)::timestamp AT TIME ZONE 'UTC'));
            END LOOP; END $$
            """
        try await system.pool.withConnection { connection in try await connection.executeScript(script) }
    }

    private static func oldTables(_ system: TestSystem) async throws -> Set<String> {
        let day = try await system.store.today() - 100
        return Set(try await system.store.partitions().filter { $0.day == day }.map(\.table.rawValue))
    }

    @Test func aDayPastItsTimeGoesAndTheOthersStay() async throws {
        try await Self.run { system, upkeep, metrics, lines async throws in
            let before = try await system.store.partitions().count
            try await upkeep.run()
            #expect(try await Self.oldTables(system).isEmpty)
            #expect(try await system.store.partitions().count == before - 8)
            #expect(metrics.render().contains("pinpost_partitions_dropped_total 8"))
            #expect(lines.all.contains { $0.contains("dropped partitions past their time count=8") })
            // And nothing more the next time.
            try await upkeep.run()
            #expect(metrics.render().contains("pinpost_partitions_dropped_total 8"))
        }
    }

    @Test func whatIsToBeKeptStays() async throws {
        try await Self.run(retention: Retention(messages: nil, events: 20, verifications: 101)) {
            system, upkeep, _, _ async throws in
            try await upkeep.run()
            #expect(
                try await Self.oldTables(system)
                    == ["messages", "attempts", "parts", "receipts", "conversions", "verifications"])
        }
    }

    @Test func aDayOfWhichSomethingWaitsStaysAndIsNamed() async throws {
        try await Self.run { system, upkeep, metrics, lines async throws in
            _ = try await system.pool.execute(
                """
                INSERT INTO scheduled (lane, id, account_id, provider_id, priority, due_at)
                SELECT 0, first_id_of(date_trunc('day', now(), 'UTC') - interval '100 days'), 1, 1, 0, now()
                """)
            _ = try await system.pool.execute(
                """
                INSERT INTO verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit, allows_reuse,
                                           channel, recipient, mac, message_id, expires_at)
                SELECT 0, first_id_of(date_trunc('day', now(), 'UTC') - interval '100 days'), 1, 1, 1, 1, 10, true, 'sms',
                       '+41790000001', sha256(''), gen_random_uuid(), now() + interval '1 hour'
                """)
            try await upkeep.run()
            #expect(
                try await Self.oldTables(system)
                    == ["messages", "attempts", "parts", "receipts", "conversions", "verifications"])
            #expect(metrics.render().contains("pinpost_days_kept 2"))
            #expect(
                lines.all.contains { $0.contains("a day is past its time and stays") && $0.contains("of=messages") })
            _ = try await system.pool.execute("DELETE FROM scheduled")
            _ = try await system.pool.execute("UPDATE verifications SET expires_at = now()")
            try await upkeep.run()
            #expect(try await Self.oldTables(system).isEmpty)
            #expect(metrics.render().contains("pinpost_days_kept 0"))
        }
    }

    /// Somebody reads for too long: nothing that belongs to the message goes before it, and the next round goes on.
    @Test func aRoundThatIsHeldUpGoesOnTheNextTime() async throws {
        try await Self.run { system, upkeep, metrics, lines async throws in
            var hasty = upkeep
            hasty.waitLimit = .milliseconds(300)
            try await system.pool.transaction { [hasty] transaction in
                _ = try await transaction.execute("SELECT count(*) FROM messages")
                try await hasty.run()
                #expect(lines.all.contains { $0.contains("could not drop a partition") })
                #expect(metrics.render().contains("pinpost_partition_drop_failures_total 1"))
                #expect(try await Self.oldTables(system).count == 8)
                try await system.wait(for: TestSystem.lockWaits, is: 0)
            }
            try await upkeep.run()
            #expect(try await Self.oldTables(system).isEmpty)
        }
    }

    @Test func oneWorkerAtATimeDrops() async throws {
        try await Self.run { system, upkeep, _, _ async throws in
            let ran = try await system.store.retiring {
                try await upkeep.run()
                #expect(try await Self.oldTables(system).count == 8)
            }
            #expect(ran)
        }
    }
}

/// What a logger has said.
final class Lines: Sendable {
    private let stored = Mutex<[String]>([])
    var all: [String] { self.stored.withLock { $0 } }
    func append(_ line: [UInt8]) { self.stored.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
}
