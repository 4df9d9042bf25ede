import Messaging
import Postgres
import Store
import TestDatabase
import TestSystem
import Testing
import Timestamps

/// Which days go.
@Suite struct RetirementTests {
    private static func partition(
        _ table: PartitionedTable, _ day: Int32, _ state: Partition.State = .attached
    ) -> Partition {
        Partition(table: table, day: day, name: "\(table.rawValue)_\(day)", state: state)
    }

    @Test(
        arguments: [
            (30, 69, true), (30, 70, false), (30, 71, false), (20, 79, true), (20, 80, false), (14, 79, true),
            (14, 80, false), (nil, 0, false),
        ] as [(days: Int32?, day: Int32, goes: Bool)])
    func aDayGoesWhenItEndedLongEnoughAgo(days: Int32?, day: Int32, goes: Bool) {
        let retirement = Retirement(
            [Self.partition(.attempts, day)], retention: Retention(messages: days), today: 100)
        #expect(retirement.partitions(besides: []).isEmpty == !goes)
    }

    @Test func eachKindHasARetentionOfItsOwn() {
        let all = PartitionedTable.allCases.map { Self.partition($0, 50) }
        let kept = Retirement(all, retention: Retention(messages: 90, events: 20, verifications: nil), today: 100)
        #expect(Set(kept.partitions(besides: []).map(\.table)) == [.events, .eventAttempts])
    }

    @Test func theOldestGoFirstAndMessagesBeforeWhatIsTheirs() {
        let partitions = [
            Self.partition(.receipts, 10), Self.partition(.messages, 11), Self.partition(.messages, 10),
        ]
        let order = Retirement(partitions, retention: Retention(messages: 20), today: 100).partitions(besides: [])
        #expect(order.map(\.name) == ["messages_10", "receipts_10", "messages_11"])
    }

    @Test func whatWasBegunIsEndedFirstWhateverTheRetentionIsNow() {
        let partitions = [
            Self.partition(.messages, 10), Self.partition(.parts, 12, .detaching),
            Self.partition(.events, 13, .detached),
        ]
        let order = Retirement(partitions, retention: Retention(messages: 20), today: 100).partitions(besides: [])
        #expect(order.map(\.name) == ["parts_12", "events_13", "messages_10"])
        #expect(Retirement(partitions, retention: Retention(), today: 100).partitions(besides: []).count == 2)
    }

    @Test func aDayOfWhichSomethingWaitsStaysWithAllThatIsItsOwn() {
        let partitions = [
            Self.partition(.messages, 10), Self.partition(.receipts, 10), Self.partition(.messages, 11),
            Self.partition(.events, 10),
        ]
        let needed: Set = [NeededDay(owner: .messages, day: 10), NeededDay(owner: .messages, day: 90)]
        let retirement = Retirement(partitions, retention: Retention(messages: 20, events: 20), today: 100)
        #expect(retirement.partitions(besides: needed).map(\.name) == ["events_10", "messages_11"])
        #expect(retirement.kept(by: needed) == [NeededDay(owner: .messages, day: 10)])
    }
}

/// That they go, and that nobody waits for it.
@Suite(.bothWays, .timeLimit(.minutes(3))) struct RetentionTests {
    /// A fixture with the partitions of a day that is long over.
    private static func run(_ body: (StoreFixture, Int32) async throws -> Void) async throws {
        try await StoreFixture.run(limit: 6) { fixture async throws in
            let day = try await fixture.store.today() - 100
            try await fixture.makeDay(day)
            try await body(fixture, day)
        }
    }

    private static func partition(
        _ table: PartitionedTable, _ day: Int32, _ fixture: StoreFixture
    ) async throws -> Partition {
        try #require(try await fixture.store.partitions().first { $0.table == table && $0.day == day })
    }

    private static func exists(_ partition: Partition, _ fixture: StoreFixture) async throws -> Bool {
        try await fixture.count("SELECT count(*) FROM pg_class WHERE relname = \(partition.name)") > 0
    }

    private static func id(of day: Int32) -> MessageID {
        var generator = SystemRandomNumberGenerator()
        return MessageID(
            lane: Lane(rawValue: 0), milliseconds: Int64(day) * 86_400_000 + 3_600_000, using: &generator)
    }

    @Test func allTablesWithPartitionsAreKnown() async throws {
        try await StoreFixture.run { fixture async throws in
            let bases = try await fixture.pool.query("SELECT relname::text FROM pg_class WHERE relkind = 'p'") {
                row throws(PostgresError) in try row.decode(0, as: String.self)
            }
            #expect(Set(bases) == Set(PartitionedTable.allCases.map(\.rawValue)))
            let partitions = try await fixture.store.partitions()
            #expect(partitions.count == 9 * bases.count)
            #expect(partitions.allSatisfy { $0.state == .attached })
            let today = try await fixture.store.today()
            #expect(Set(partitions.map(\.day)) == Set(today - 1...today + 7))
        }
    }

    @Test(arguments: PartitionedTable.allCases) func aDayIsDroppedWhole(of table: PartitionedTable) async throws {
        try await Self.run { fixture, day async throws in
            let partition = try await Self.partition(table, day, fixture)
            try await fixture.store.retire(partition, waitLimit: .seconds(20))
            #expect(try await !Self.exists(partition, fixture))
            #expect(try await fixture.count("SELECT count(*) FROM retired_partitions") == 0)
        }
    }

    /// The very thing that is promised: somebody has read the table and does not end; the drop waits for it, and nobody waits for
    /// the drop.
    @Test func droppingADayBlocksNobody() async throws {
        try await Self.run { fixture, day async throws in
            let partition = try await Self.partition(.messages, day, fixture)
            let old = Self.id(of: day)
            var message = fixture.newMessage()
            message.id = old
            try await fixture.accept([message])
            _ = try await fixture.pool.execute("DELETE FROM outbox")
            let store = fixture.store
            let dropping = Mailbox()
            try await withThrowingTaskGroup { group in
                try await fixture.pool.transaction { transaction in
                    _ = try await transaction.execute("SELECT count(*) FROM messages")
                    group.addTask {
                        try await store.retire(partition, waitLimit: .seconds(60))
                        dropping.finish()
                    }
                    try await fixture.waitForALock()
                    // All of a message's life, within less time than it would be waited for a lock.
                    let id = try await fixture.handedOver(parts: ["p"])
                    _ = try await fixture.store.apply([fixture.receipt(id, part: "p")])
                    #expect(try await fixture.state(of: id) == .delivered)
                    #expect(try await fixture.store.makePartitions(daysAhead: 8) == 8)
                    // Who begins now does not see the day any more.
                    #expect(try await fixture.state(of: old) == nil)
                    #expect(!dropping.isFinished)
                    #expect(try await Self.partition(.messages, day, fixture).state == .detaching)
                }
                try await group.waitForAll()
            }
            #expect(try await !Self.exists(partition, fixture))
        }
    }

    @Test func aDropThatIsBrokenOffIsEndedByTheNext() async throws {
        try await Self.run { fixture, day async throws in
            let partition = try await Self.partition(.receipts, day, fixture)
            try await fixture.pool.transaction { transaction in
                _ = try await transaction.execute("SELECT count(*) FROM receipts")
                await #expect(throws: PostgresError.timedOut) {
                    try await fixture.store.retire(partition, waitLimit: .milliseconds(300))
                }
            }
            // The server is told by another way and may take its time; by a pooler it is not told at all, and ends it by itself.
            try await fixture.waitForNoStatement()
            let begun = try await Self.partition(.receipts, day, fixture)
            #expect(begun.state != .attached)
            try await fixture.store.retire(begun, waitLimit: .seconds(20))
            #expect(try await !Self.exists(partition, fixture))
        }
    }

    /// A cluster detaches nothing beside others: all of it or nothing, and nobody waits long for it.
    @Test func onAClusterADayIsDroppedAtOnceOrNotAtAll() async throws {
        try await Self.run { fixture, day async throws in
            try await fixture.pool.withConnection { try await $0.executeScript(DistributionTests.fakeCitus) }
            _ = try await fixture.pool.execute("INSERT INTO citus_tables VALUES ('receipts')")
            let partition = try await Self.partition(.receipts, day, fixture)
            try await fixture.pool.transaction { transaction in
                _ = try await transaction.execute("SELECT count(*) FROM receipts")
                let refusal = await #expect(throws: PostgresError.self) {
                    try await fixture.store.retire(partition, waitLimit: .seconds(20))
                }
                #expect("\(String(describing: refusal))".contains("lock timeout"))
            }
            #expect(try await Self.partition(.receipts, day, fixture).state == .attached)
            try await fixture.store.retire(partition, waitLimit: .seconds(20))
            #expect(try await !Self.exists(partition, fixture))
            #expect(try await fixture.count("SELECT count(*) FROM retired_partitions") == 0)
        }
    }

    /// Killed between the two steps.
    @Test func whatWasDetachedIsDroppedByTheNext() async throws {
        try await Self.run { fixture, day async throws in
            let partition = try await Self.partition(.parts, day, fixture)
            _ = try await fixture.pool.execute("INSERT INTO retired_partitions (name) VALUES (\(partition.name))")
            try await fixture.pool.withConnection { connection in
                try await connection.executeScript("ALTER TABLE parts DETACH PARTITION \(partition.name)")
            }
            let begun = try await Self.partition(.parts, day, fixture)
            #expect(begun.state == .detached)
            try await fixture.store.retire(begun, waitLimit: .seconds(20))
            #expect(try await !Self.exists(partition, fixture))
            #expect(try await fixture.count("SELECT count(*) FROM retired_partitions") == 0)
        }
    }

    /// Killed before the first step: whoever detaches it later, by hand, keeps it.
    @Test func whatWasNeverDetachedIsForgotten() async throws {
        try await Self.run { fixture, day async throws in
            let partition = try await Self.partition(.parts, day, fixture)
            _ = try await fixture.pool.execute("INSERT INTO retired_partitions (name) VALUES (\(partition.name))")
            try await fixture.store.forgetUnbegun()
            #expect(try await fixture.count("SELECT count(*) FROM retired_partitions") == 0)
            try await fixture.pool.withConnection { connection in
                try await connection.executeScript("ALTER TABLE parts DETACH PARTITION \(partition.name)")
            }
            #expect(try await !fixture.store.partitions().contains { $0.name == partition.name })
        }
    }

    @Test func whatAnOperatorHasDetachedStays() async throws {
        try await Self.run { fixture, day async throws in
            let partition = try await Self.partition(.parts, day, fixture)
            try await fixture.pool.withConnection { connection in
                try await connection.executeScript("ALTER TABLE parts DETACH PARTITION \(partition.name)")
            }
            #expect(try await !fixture.store.partitions().contains { $0.name == partition.name })
            #expect(try await Self.exists(partition, fixture))
        }
    }

    @Test(
        arguments: [
            (
                "INSERT INTO outbox (lane, id, account_id, provider_id, priority) SELECT 0, id, 1, 1, 0 FROM old",
                ["messages"]
            ),
            (
                "INSERT INTO scheduled (lane, id, account_id, provider_id, priority, due_at) SELECT 0, id, 1, 1, 0, now() FROM old",
                ["messages"]
            ),
            (
                """
                INSERT INTO standby (lane, id, account_id, priority, attempt, series, tried, expires_at)
                SELECT 0, id, 1, 0, 1, 1, 1, now() FROM old
                """, ["messages"]
            ),
            (
                """
                INSERT INTO event_outbox (lane, subject_id, endpoint_id, account_id, events)
                SELECT 0, id, 1, 1, ARRAY[first_id_of(now())] FROM old
                """, ["messages", "verifications"]
            ),
            (
                "INSERT INTO event_outbox (lane, subject_id, endpoint_id, account_id, events) SELECT 0, id, 1, 1, ARRAY[id] FROM old",
                ["messages", "verifications", "events"]
            ),
        ] as [(String, [String])])
    func aDayOfWhichSomethingWaitsIsNeeded(insert: String, owners: [String]) async throws {
        try await StoreFixture.run { fixture async throws in
            let day = try await fixture.store.today() - 100
            let lane = fixture.lane
            #expect(try await fixture.store.waitingDays(before: day + 1, lane: lane).isEmpty)
            let id = Self.id(of: day)
            try await fixture.pool.withConnection { connection in
                try await connection.executeScript("WITH old (id) AS (VALUES ('\(id)'::uuid)) \(insert)")
            }
            let found = try await fixture.store.waitingDays(before: day + 1, lane: lane)
            #expect(found == Set(owners.compactMap(PartitionedTable.Owner.init).map { NeededDay(owner: $0, day: day) }))
            #expect(try await fixture.store.waitingDays(before: day, lane: lane).isEmpty)
        }
    }

    @Test func oneProcessAtATimeRetires() async throws {
        try await StoreFixture.run { fixture async throws in
            let outer = try await fixture.store.retiring { () async throws in
                #expect(try await fixture.store.retiring({}) == false)
            }
            #expect(outer)
            #expect(try await fixture.store.retiring({}))
        }
    }

    @Test func aNewDatabaseForgetsAfterAQuarterAndOneInUseKeeps() async throws {
        for (account, days) in [(nil, 90), ("acme", nil)] as [(String?, Int32?)] {
            try await TestDatabase.withDatabase { url in
                let pool = TestDatabase.pool(url, limit: 2)
                let store = Store(pool)
                let migrations = try Migration.all(in: TestSystem.migrations)
                let retention = try #require(migrations.firstIndex { $0.name == "0007_retention.sql" })
                _ = try await store.migrate(Array(migrations[..<retention]))
                if let account { _ = try await pool.execute("INSERT INTO accounts (name) VALUES (\(account))") }
                _ = try await store.migrate(migrations)
                let stored = try await store.retention()
                #expect(stored == Retention(messages: days, events: days, verifications: days))
                pool.close()
            }
        }
    }

    /// Days that there were before have what new ones are made with.
    @Test func anUpgradeTellsAutovacuumOfTheDaysThatAreThere() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 2)
            let store = Store(pool)
            _ = try await store.migrate(try Migration.all(in: TestSystem.migrations))
            #expect(try await store.makePartitions(daysAhead: 8) == 8)
            let kinds = try await pool.query(
                """
                SELECT count(DISTINCT (SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) AS o))
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE c.relkind = 'r' AND c.relispartition GROUP BY i.inhparent
                """
            ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }
            #expect(kinds == [Int](repeating: 1, count: PartitionedTable.allCases.count))
            pool.close()
        }
    }
}
