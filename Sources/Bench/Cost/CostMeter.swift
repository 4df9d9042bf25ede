import Glibc
import Postgres
import Synchronization

/// Measures what parts cost while they run, and keeps it.
struct CostMeter: Sendable {
    let database: BenchDatabase
    let deployment: Deployment
    let ledger = Ledger()

    /// The costs of parts, by name.
    final class Ledger: Sendable {
        private let costs = Mutex<[CostedPart: Cost]>([:])

        subscript(part: CostedPart) -> Cost? { self.costs.withLock { $0[part] } }

        /// Of several tries at the same, the fastest stays.
        func record(_ cost: Cost, of part: CostedPart) {
            self.costs.withLock { costs in
                if let other = costs[part], other.messages / other.seconds > cost.messages / cost.seconds { return }
                costs[part] = cost
            }
        }
    }

    /// Does `body` and records what it took, for as many messages as `messages` says it did. Only what `body` does counts: what
    /// has to be made ready for it stands outside.
    func measure<Value>(
        _ part: CostedPart, messages: (Value) -> Double, _ body: () async throws -> Value
    ) async throws -> Value {
        let watch = BackendWatch(self.database.pool)
        let sampling = Task { await watch.run() }
        defer { sampling.cancel() }
        let before = try await self.reading()
        let value = try await body()
        let after = try await self.reading()
        sampling.cancel()
        let backends = await sampling.value
        let count = messages(value)
        if count > 0 { self.ledger.record(after.since(before, messages: count, backends), of: part) }
        return value
    }

    // MARK: - Private

    private func reading() async throws -> Reading {
        let (process, wal, transactions) = try await self.database.pool.query(
            """
            SELECT pg_backend_pid(), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8,
                   txid_snapshot_xmax(txid_current_snapshot())::float8
            """
        ) { row throws(PostgresError) in
            (
                try row.decode(0, as: Int32.self), try row.decode(1, as: Double.self),
                try row.decode(2, as: Double.self)
            )
        }[0]
        var processor: [Party: Double] = [:]
        for (role, seconds) in self.deployment.processorSeconds { processor[Party(role)] = seconds }
        processor[.load] = ProcessTime.seconds(of: getpid())
        processor[.postgres] = Self.server(of: process).flatMap { ProcessTime.seconds(ofFamily: $0) }
        let use = ProcessorUse.now
        return Reading(
            at: .now, processor: processor, machine: Double(use?.busy ?? 0) / ProcessTime.frequency,
            stolen: Double(use?.stolen ?? 0) / ProcessTime.frequency, wal: wal, transactions: transactions)
    }

    /// The parent of a backend; nil unless both are PostgreSQL's, as another machine's process numbers mean others here.
    private static func server(of backend: Int32) -> Int32? {
        guard let process = ProcessTime(of: backend), process.name.hasPrefix("postgres"),
            ProcessTime(of: process.parent)?.name.hasPrefix("postgres") == true
        else {
            return nil
        }
        return process.parent
    }
}

/// What has a ``Cost``.
enum CostedPart: String, Sendable, CaseIterable {
    case floorCommit = "floor_commit"
    case floorVerification = "floor_verification"
    case floorInsert = "floor_insert"
    case floorLifecycle = "floor_lifecycle"
    case acceptSingle = "accept_single"
    case acceptBatch = "accept_batch"
    case verifyStart = "verify_start"
    case verifyCheck = "verify_check"
    case drain
    case smppSubmit = "smpp_submit"
    case endToEndSingle = "end_to_end_single"
    case endToEndBatch = "end_to_end_batch"
    case endToEndSingleTold = "end_to_end_single_told"
    case endToEndBatchTold = "end_to_end_batch_told"
    case pickup
    case idlePickup = "idle_pickup"
    case get
}

/// Counters at a moment.
private struct Reading {
    var at: MonotonicTime
    var processor: [Party: Double]
    var machine: Double
    var stolen: Double
    var wal: Double
    var transactions: Double

    func since(_ earlier: Reading, messages: Double, _ backends: [String: Double]) -> Cost {
        var processor: [Party: Double] = [:]
        for (party, seconds) in self.processor { processor[party] = seconds - (earlier.processor[party] ?? 0) }
        return Cost(
            messages: messages, seconds: self.at - earlier.at, cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            processor: processor, machine: self.machine - earlier.machine, stolen: self.stolen - earlier.stolen,
            walBytes: self.wal - earlier.wal, transactions: self.transactions - earlier.transactions, backends: backends
        )
    }
}

/// Looks now and then what PostgreSQL's backends are doing.
private struct BackendWatch: Sendable {
    private let pool: ConnectionPool
    /// Each look costs PostgreSQL half a millisecond.
    private static let interval = Duration.milliseconds(200)

    init(_ pool: ConnectionPool) { self.pool = pool }

    /// Until the task is cancelled. Returns how many were busy on average, by what they waited for.
    func run() async -> [String: Double] {
        var counts: [String: Double] = [:]
        var looks = 0.0
        while !Task.isCancelled, let busy = try? await self.look() {
            looks += 1
            for kind in busy { counts[kind, default: 0] += 1 }
            try? await Task.sleep(for: Self.interval)
        }
        return counts.mapValues { $0 / max(1, looks) }
    }

    private func look() async throws -> [String] {
        try await self.pool.query(
            """
            SELECT coalesce(wait_event, 'running') FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
              AND backend_type = 'client backend'
            """
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
    }
}
