import Glibc
import Lifecycle
import Polling
import Postgres
import Settings
import Store
import Telemetry
import Timestamps

/// What every process stands on: its log, its metrics, its connections.
struct ProcessBase {
    let settings: ProcessSettings
    let logger: Logger
    let metrics = Metrics()

    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            entry += 1
        }
        return variables
    }

    init(_ role: ProcessSettings.Role) throws {
        let environment = Self.environment
        self.settings = try ProcessSettings.read(role, environment: environment)
        self.logger = Logger(
            label: role.rawValue, level: self.settings.log.level, format: self.settings.log.format)
        self.metrics.observeProcess()
    }

    /// A pool of connections for one role, with its metrics.
    func pool(
        _ database: ProcessSettings.DatabaseSettings, role: String, poller: Poller, timeout: Duration? = nil
    ) -> ConnectionPool {
        var configuration = ConnectionPool.Configuration(url: database.url)
        configuration.limit = database.connections
        // Together below the two seconds after which a caller is told that the database is away.
        configuration.connectTimeout = .milliseconds(900)
        configuration.acquireTimeout = .seconds(1)
        configuration.statementTimeout = timeout ?? database.timeout
        configuration.applicationName = "pinpost-\(role)"
        let pool = ConnectionPool(configuration, poller: poller)
        self.observe(pool, role: role)
        return pool
    }

    private func observe(_ pool: ConnectionPool, role: String) {
        let labels = ["role": role]
        let gauges: [(name: String, help: String, value: @Sendable () -> Double)] = [
            ("pinpost_pool_open", "Connections to PostgreSQL.", { Double(pool.statistics.open) }),
            ("pinpost_pool_idle", "Connections that nobody uses.", { Double(pool.statistics.idle) }),
            ("pinpost_pool_waiting", "Tasks that wait for a connection.", { Double(pool.statistics.waiting) }),
        ]
        for gauge in gauges {
            self.metrics.observeGauge(gauge.name, help: gauge.help, labels: labels, read: gauge.value)
        }
        self.metrics.observeCounter("pinpost_pool_acquisitions_total", help: "Connections lent.", labels: labels) {
            Double(pool.statistics.acquisitions)
        }
        self.metrics.observeCounter(
            "pinpost_pool_wait_seconds_total", help: "Time that tasks waited for a connection.", labels: labels
        ) { pool.statistics.totalWait.inSeconds }
    }

    /// Runs services until a signal or a failure, and drains them.
    func run(_ services: [any Service]) async throws {
        try await ServiceGroup(
            services, drainDeadline: self.settings.drainDeadline, logger: self.logger, stops: StopSignals.requests()
        ).run()
    }
}

extension Poller {
    /// A poller with its thread.
    static func running() throws -> Poller {
        let poller = try Poller()
        poller.start()
        return poller
    }
}
