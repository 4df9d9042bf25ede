import Lifecycle
import Store
import Telemetry
import Timestamps

/// Shows how PostgreSQL keeps up with clearing up dead rows, and warns of whoever keeps it from it: claims take longer with each dead
/// row that they have to step over.
///
/// Every worker does it, so that it is seen wherever one looks; what it asks reads no table of ours.
struct DatabaseWatch: Sendable {
    /// Between two looks.
    static let interval = Duration.seconds(45)
    /// Of those who hold dead rows, the oldest that are looked at.
    static let holderLimit: Int32 = 20

    let store: Store
    let metrics: DatabaseMetrics
    let logger: Logger
    var interval = Self.interval

    func run() async {
        var warnings = HealthWarnings()
        await Pulse(name: "watching the database", logger: self.logger).run {
            let holders = try await self.store.snapshotHolders(limit: Self.holderLimit)
            let deadRows = try await self.store.deadRows()
            self.metrics.show(holders.holders)
            for (table, count) in deadRows { self.metrics.deadRows(of: table).set(count) }
            for warning in warnings.warnings(of: holders, deadRows: deadRows, at: .now) { self.tell(warning) }
            try await Task.sleep(for: self.interval * Double.random(in: 0.8...1.2))
        }
    }

    private func tell(_ warning: HealthWarnings.Warning) {
        switch warning {
        case .blind:
            self.logger.info("this role sees nothing of what other roles do; grant it pg_read_all_stats")
        case .holder(let holder):
            self.logger.warning(
                "something old keeps dead rows from being cleared up",
                [
                    "kind": holder.kind.rawValue, "pid": holder.process ?? 0, "application": holder.name,
                    "user": holder.user, "state": holder.state,
                    "seconds": Int(holder.age?.components.seconds ?? 0), "transactions": holder.transactions,
                ])
        case .deadRows(let table, let count, nil):
            self.logger.warning("dead rows pile up", ["table": table, "count": count])
        case .deadRows(let table, let count, let holder?):
            self.logger.warning(
                "dead rows pile up behind something old",
                [
                    "table": table, "count": count, "kind": holder.kind.rawValue, "pid": holder.process ?? 0,
                    "application": holder.name, "seconds": Int(holder.age?.components.seconds ?? 0),
                ])
        }
    }
}

/// What is worth a line in the log: each once, and again when it is still so after a while.
struct HealthWarnings {
    /// How long a transaction may be open. Reports and backups of a small database take less.
    static let ageLimit = Duration.seconds(300)
    /// How many transactions a replication slot may lag behind: minutes to hours of traffic.
    static let slotLimit = 1_000_000
    /// Rows of the ready queue. Vacuum begins at a thousand and takes a second.
    static let deadRowLimit = 100_000
    /// Whoever has been open for so long may be why dead rows pile up. What is younger passes.
    static let suspectAge = Duration.seconds(10)
    static let repeatInterval = Duration.seconds(3600)

    enum Warning: Hashable {
        /// Other roles' sessions cannot be seen.
        case blind
        case holder(SnapshotHolder)
        /// With who may keep them, if there is somebody.
        case deadRows(table: String, count: Int, holder: SnapshotHolder? = nil)
    }

    /// What a warning is of, whatever its numbers are by now.
    private enum Subject: Hashable {
        case blind
        case holder(SnapshotHolder.Kind, Int32?, String)
        case table(String, hasSuspect: Bool)
    }

    private var told: [Subject: ContinuousClock.Instant] = [:]

    mutating func warnings(
        of holders: SnapshotHolders, deadRows: [String: Int], at now: ContinuousClock.Instant
    ) -> [Warning] {
        var found: [(Subject, Warning)] = holders.holders.filter { Self.isOld($0, Self.ageLimit) }.map {
            (.holder($0.kind, $0.process, $0.name), .holder($0))
        }
        let suspect = holders.holders.first { Self.isOld($0, Self.suspectAge) }
        for table in ["outbox", "event_outbox"] {
            guard let count = deadRows[table], count > Self.deadRowLimit else { continue }
            let subject = Subject.table(table, hasSuspect: suspect != nil)
            found.append((subject, .deadRows(table: table, count: count, holder: suspect)))
        }
        // Said once in a process's life: it may be meant to be so.
        if !holders.seesAll, self.told[.blind] == nil { found.append((.blind, .blind)) }
        let subjects = Set(found.map(\.0))
        self.told = self.told.filter { subjects.contains($0.key) || $0.key == .blind }
        return found.filter { self.isNews($0.0, at: now) }.map(\.1)
    }

    private mutating func isNews(_ subject: Subject, at now: ContinuousClock.Instant) -> Bool {
        if let told = self.told[subject], told + Self.repeatInterval > now { return false }
        self.told[subject] = now
        return true
    }

    private static func isOld(_ holder: SnapshotHolder, _ limit: Duration) -> Bool {
        holder.age.map { $0 > limit } ?? (holder.transactions > Self.slotLimit)
    }
}

/// How the database is, as each worker sees it.
struct DatabaseMetrics: Sendable {
    private let metrics: Metrics
    private let age: Gauge
    private let transactions: Gauge

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.age = metrics.gauge(
            "pinpost_database_oldest_transaction_seconds",
            help: "Age of the oldest transaction that keeps dead rows from being cleared up; 0 without one.")
        self.transactions = metrics.gauge(
            "pinpost_database_oldest_snapshot_transactions",
            help: "Transactions begun since the oldest snapshot, of replication slots too; 0 without one.")
    }

    func show(_ holders: [SnapshotHolder]) {
        self.age.set(holders.compactMap(\.age).max().map(\.inSeconds) ?? 0)
        self.transactions.set(holders.map(\.transactions).max() ?? 0)
    }

    func deadRows(of table: String) -> Gauge {
        self.metrics.gauge(
            "pinpost_database_dead_rows", help: "Rows that wait to be cleared up, by table; an estimate.",
            labels: ["table": table])
    }
}
