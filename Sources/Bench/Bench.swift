import Glibc
import JSON
import Polling

/// `pinpost bench`: sizes a deployment. Measures what this machine, with this database, does with the real processes,
/// and beside it what the database alone does, in the same run on the same server.
///
/// The API, the workers, the receivers and the simulated carrier run as processes of their own, as they would in
/// service; everything goes through HTTP and PostgreSQL. The load generator and the carrier share the machine with what
/// they measure, so the figures are what is left: on separate machines there would be more.
///
/// What each figure is and is not stands with ``Figures``.
public enum Bench {
    public struct Options: Sendable {
        /// How long each part is measured. The whole takes about twenty times as long.
        public var seconds: Double = 4
        /// How many APIs, workers and receivers run of each.
        public var processes = 1
        /// A PostgreSQL server that there is, on which the bench makes a database of its own and drops it; nil starts a
        /// private one.
        public var serverURL: String?
        /// Where the private server's data lie while it is needed. It should be the disk that is to be measured, and no
        /// memory file system.
        public var directory = "/var/tmp"
        /// What the processes are given of our environment.
        public var environment: [String: String]
        /// Told a line of progress as each part begins.
        public var progress: @Sendable (String) -> Void

        public init(environment: [String: String], progress: @escaping @Sendable (String) -> Void) {
            self.environment = environment
            self.progress = progress
        }
    }

    /// Runs all of it and returns the figures, and what they come to beside what is expected.
    ///
    /// Every process, directory and database that it made is gone when it returns, whether it succeeds, fails or is
    /// cancelled. Throws when anything failed: a request, a process, a message that was not delivered. Figures with
    /// errors in them would be none.
    public static func run(_ options: Options) async throws -> Report {
        let schedule = Schedule(seconds: options.seconds, tell: options.progress)
        return try await self.withDatabase(options) {
            schedule.begin(.setUp)
        } _: { database, busy in
            try await self.measure(options, database: database, schedule: schedule, busyBefore: busy)
        }
    }

    /// Measures whether what a message costs stays the same as the work and the tables grow; see ``FlatOptions``.
    ///
    /// Leaves nothing behind, as ``run(_:)``, and throws as it does.
    public static func runFlat(_ flat: FlatOptions, _ options: Options) async throws -> Report {
        try await self.withDatabase(options) {
            options.progress("setting up a database")
        } _: { database, busy in
            let deployment = try self.deployment(options, database, spread: FlatRun.few)
            do {
                let measurements = Measurements(
                    database: database, deployment: deployment, seconds: options.seconds)
                let run = FlatRun(measurements, flat, options)
                let lines = try await run.measure()
                await deployment.stop()
                let conditions = try await self.conditions(options, database, busyBefore: busy)
                return Report(members: conditions + flat.members, lines: lines, costs: measurements.costs.ledger)
            } catch {
                await deployment.stop()
                throw error
            }
        }
    }

    // MARK: - Private

    private static func withDatabase(
        _ options: Options, beginning: () -> Void,
        _ body: (BenchDatabase, _ busyBefore: Double) async throws -> Report
    ) async throws -> Report {
        let busy = try await self.busyBefore(options)
        beginning()
        let poller = try Poller()
        poller.start()
        let database = try await BenchDatabase.make(
            serverURL: options.serverURL, parent: options.directory, poller: poller)
        let result: Result<Report, any Error>
        do {
            result = .success(try await body(database, busy))
        } catch {
            result = .failure(error)
        }
        // A task of its own, awaited here: what has to be removed is removed even if ours was cancelled.
        try await Task { try await database.remove() }.value
        return try result.get()
    }

    private static func measure(
        _ options: Options, database: BenchDatabase, schedule: Schedule, busyBefore: Double
    ) async throws -> Report {
        let deployment = try self.deployment(options, database)
        let measurements = Measurements(database: database, deployment: deployment, seconds: options.seconds)
        do {
            var figures = try await measurements.run(schedule)
            figures.peakMemory = deployment.peakMemory
            await deployment.stop()
            let conditions = try await self.conditions(options, database, busyBefore: busyBefore)
            let ledger = measurements.costs.ledger
            return Report(members: figures.members + conditions, lines: figures.lines(ledger), costs: ledger)
        } catch {
            await deployment.stop()
            throw error
        }
    }

    private static func deployment(
        _ options: Options, _ database: BenchDatabase, spread: Int = 0
    ) throws -> Deployment {
        try Deployment(
            executable: try self.executable(), copies: options.processes, databaseURL: database.url,
            directory: database.directory, environment: options.environment, spread: spread)
    }

    private static func conditions(
        _ options: Options, _ database: BenchDatabase, busyBefore: Double
    ) async throws -> [JSON.Member] {
        [
            .init("seconds", .rounded(options.seconds, 2)),
            .init("cores", JSON(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            .init("postgresql", .string(try await database.version())),
            .init("processes", JSON(options.processes)),
            .init("busy_before_percent", .rounded(busyBefore, 0)),
        ]
    }

    /// How much of the processors others use; says so when it is so much that the figures will be too low.
    private static func busyBefore(_ options: Options) async throws -> Double {
        guard let before = ProcessorUse.now else { return 0 }
        try await Task.sleep(for: .milliseconds(500))
        let busy = ProcessorUse.now?.percent(since: before) ?? 0
        if busy > 20 {
            options.progress("other programs use \(Int(busy)) % of the processors: the figures will be too low")
        }
        return busy
    }

    /// The file that this process runs.
    private static func executable() throws -> String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        guard count > 0 else { throw SystemError("readlink /proc/self/exe") }
        return String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
