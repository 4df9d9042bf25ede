import Postgres
import Store
import Telemetry
import TestSystem
import Testing

@testable import Delivery

/// What is worth a line in the log.
@Suite struct HealthWarningTests {
    private static func holder(
        _ age: Duration?, process: Int32? = 7, transactions: Int = 1, kind: SnapshotHolder.Kind = .session
    ) -> SnapshotHolder {
        SnapshotHolder(
            kind: kind, process: process, name: "report", user: "anna", state: "idle in transaction", age: age,
            transactions: transactions)
    }

    private static func holders(_ holders: SnapshotHolder..., seesAll: Bool = true) -> SnapshotHolders {
        SnapshotHolders(holders: holders, seesAll: seesAll)
    }

    private static let start = ContinuousClock.now

    @Test(
        arguments: [
            (.seconds(300), 1, false), (.seconds(301), 1, true), (nil, 1_000_000, false), (nil, 1_000_001, true),
        ] as [(Duration?, Int, Bool)])
    func onlyWhatIsOldIsTold(age: Duration?, transactions: Int, isTold: Bool) {
        var warnings = HealthWarnings()
        let holder = Self.holder(age, transactions: transactions, kind: age == nil ? .slot : .session)
        let told = warnings.warnings(of: Self.holders(holder), deadRows: [:], at: Self.start)
        #expect(told == (isTold ? [.holder(holder)] : []))
    }

    @Test func anOffenderIsToldOnceAndAgainAfterAnHour() {
        var warnings = HealthWarnings()
        let (holder, older) = (Self.holder(.seconds(400)), Self.holder(.seconds(4000)))
        let other = Self.holder(.seconds(500), process: 8)
        #expect(warnings.warnings(of: Self.holders(holder), deadRows: [:], at: Self.start).count == 1)
        let soon = Self.start + .seconds(60)
        #expect(warnings.warnings(of: Self.holders(holder, other), deadRows: [:], at: soon) == [.holder(other)])
        let later = Self.start + .seconds(3600)
        #expect(warnings.warnings(of: Self.holders(older, other), deadRows: [:], at: later) == [.holder(older)])
    }

    @Test func oneThatCameBackIsToldAgain() {
        var warnings = HealthWarnings()
        let holder = Self.holder(.seconds(400))
        for (step, (found, count)) in [(Self.holders(holder), 1), (Self.holders(), 0), (Self.holders(holder), 1)]
            .enumerated()
        {
            let now = Self.start + .seconds(45 * step)
            #expect(warnings.warnings(of: found, deadRows: [:], at: now).count == count)
        }
    }

    @Test(arguments: [
        ("outbox", 100_000, false), ("outbox", 100_001, true), ("event_outbox", 200_000, true),
        ("messages", 900_000, false),
    ])
    func deadRowsOfTheQueuesAreTold(table: String, count: Int, isTold: Bool) {
        var warnings = HealthWarnings()
        let told = warnings.warnings(of: Self.holders(), deadRows: [table: count], at: Self.start)
        #expect(told == (isTold ? [.deadRows(table: table, count: count)] : []))
    }

    /// Long before the age at which it is told of for itself.
    @Test(arguments: [(.seconds(10), false), (.seconds(11), true), (nil, false)] as [(Duration?, Bool)])
    func whoMayKeepDeadRowsIsToldWithThem(age: Duration?, isTold: Bool) {
        var warnings = HealthWarnings()
        let holder = Self.holder(age, kind: age == nil ? .slot : .session)
        let told = warnings.warnings(of: Self.holders(holder), deadRows: ["outbox": 200_000], at: Self.start)
        #expect(told == [.deadRows(table: "outbox", count: 200_000, holder: isTold ? holder : nil)])
    }

    @Test func aSuspectIsNamedThoughTheRowsWereToldOf() {
        var warnings = HealthWarnings()
        let holder = Self.holder(.seconds(60))
        for (step, (holders, named)) in [(Self.holders(), nil), (Self.holders(holder), holder)].enumerated() {
            let told = warnings.warnings(
                of: holders, deadRows: ["outbox": 200_000], at: Self.start + .seconds(45 * step))
            #expect(told == [.deadRows(table: "outbox", count: 200_000, holder: named)])
        }
    }

    @Test func thatOthersCannotBeSeenIsToldOnce() {
        var warnings = HealthWarnings()
        for (step, told) in [[HealthWarnings.Warning.blind], [], []].enumerated() {
            let now = Self.start + .seconds(7200 * step)
            #expect(warnings.warnings(of: Self.holders(seesAll: false), deadRows: [:], at: now) == told)
        }
    }
}

/// What each worker shows of the database.
@Suite(.timeLimit(.minutes(2))) struct DatabaseWatchTests {
    @Test func anOpenTransactionAndDeadRowsAreShown() async throws {
        try await TestSystem.run { system async throws in
            let metrics = Metrics()
            let watch = DatabaseWatch(
                store: system.store, metrics: DatabaseMetrics(metrics), logger: .silent, interval: .milliseconds(20))
            try await system.pool.transaction { transaction in
                _ = try await transaction.execute("SELECT pg_current_xact_id()")
                _ = try await system.pool.execute("UPDATE configuration SET revision = revision + 1")
                await withTaskGroup { group in
                    group.addTask { await watch.run() }
                    while !Self.isShown(metrics.render()) { try? await Task.sleep(for: .milliseconds(5)) }
                    group.cancelAll()
                }
            }
        }
    }

    private static func isShown(_ text: String) -> Bool {
        let lines = text.split(separator: "\n")
        func value(_ name: String) -> Double? {
            lines.first { $0.hasPrefix(name + " ") }.flatMap { Double($0.split(separator: " ").last ?? "") }
        }
        return (value("pinpost_database_oldest_transaction_seconds") ?? 0) > 0
            && (value("pinpost_database_oldest_snapshot_transactions") ?? 0) >= 1
            && value(#"pinpost_database_dead_rows{table="outbox"}"#) != nil
    }
}
