import Messaging
import Postgres
import Store
import Telemetry
import Timestamps

/// Drops the days that are past their time, whole.
///
/// Any worker does it, one at a time. Whatever breaks off, a kill too, is taken up by the next round from where it stands.
struct RetentionUpkeep: Sendable {
    /// How long those who use a table are waited for; nobody waits behind that.
    static let waitLimit = Duration.seconds(30)
    /// Partitions that one round drops; the next goes on.
    static let roundLimit = 400

    let store: Store
    let lanes: [Lane]
    let metrics: RetentionMetrics
    let logger: Logger
    var waitLimit = Self.waitLimit

    /// Does what there is to do, once. Throws what keeps it from looking; what keeps it from dropping is logged, and tried again by
    /// the next round.
    func run() async throws {
        _ = try await self.store.retiring {
            try await self.store.forgetUnbegun()
            let retirement = Retirement(
                try await self.store.partitions(), retention: try await self.store.retention(),
                today: try await self.store.today())
            let needed = try await self.needed(of: retirement.candidates)
            let kept = retirement.kept(by: needed)
            self.metrics.kept.set(kept.count)
            for day in kept {
                self.logger.warning(
                    "a day is past its time and stays, as something of it waits",
                    ["of": day.owner.rawValue, "day": day.day.date])
            }
            await self.drop(Array(retirement.partitions(besides: needed).prefix(Self.roundLimit)))
        }
    }

    private func needed(of candidates: [Partition]) async throws(PostgresError) -> Set<NeededDay> {
        guard let last = candidates.map(\.day).max() else { return [] }
        var needed: Set<NeededDay> = []
        for lane in self.lanes { needed.formUnion(try await self.store.waitingDays(before: last + 1, lane: lane)) }
        for partition in candidates where partition.table == .verifications {
            for lane in self.lanes where try await self.store.hasLiveCodes(lane: lane, on: partition.day) {
                needed.insert(NeededDay(owner: .verifications, day: partition.day))
                break
            }
        }
        return needed
    }

    /// Ends with the first that somebody uses for too long: what belongs to it must not go before it.
    private func drop(_ partitions: [Partition]) async {
        var count = 0
        defer { if count > 0 { self.logger.info("dropped partitions past their time", ["count": count]) } }
        for partition in partitions {
            do {
                try await self.store.retire(partition, waitLimit: self.waitLimit)
                count += 1
                self.metrics.dropped.add(1)
            } catch {
                if Task.isCancelled { return }
                self.metrics.failures.add(1)
                return self.logger.warning(
                    "could not drop a partition and will try again", ["name": partition.name, "error": "\(error)"])
            }
        }
    }
}

/// What becomes of days past their time.
struct RetentionMetrics: Sendable {
    let dropped: Counter
    let failures: Counter
    /// Days that stay because something of them waits.
    let kept: Gauge

    init(_ metrics: Metrics) {
        self.dropped = metrics.counter(
            "pinpost_partitions_dropped_total", help: "Partitions past their time that this worker dropped.")
        self.failures = metrics.counter(
            "pinpost_partition_drop_failures_total",
            help: "Partitions that could not be dropped, as somebody used the table for too long.")
        self.kept = metrics.gauge(
            "pinpost_days_kept", help: "Days past their time that stay because something of them waits.")
    }
}

extension Int32 {
    /// Of a count of days since the first of January 1970: `2026-11-01`.
    fileprivate var date: String { String("\(Timestamp(seconds: Int64(self) * 86_400))".prefix(10)) }
}
