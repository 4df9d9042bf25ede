public import Telemetry

/// Runs the services of a process together, and ends them together.
///
/// - A stop request, that is the first element of `stops`: the services are drained in reverse order, each awaited before
///   the next. `run()` returns.
/// - A service throws, or returns unasked: the others are drained in the same way, and `run()` throws
///   ``ServiceGroupError``.
/// - Draining takes longer than the deadline: what is left is cancelled and awaited, and `run()` throws
///   ``ServiceGroupError/deadlinePassed(services:)``.
/// - The task that calls `run()` is cancelled: all services are cancelled and awaited; `run()` throws
///   `CancellationError`.
/// - A second signal exits the process at once; see ``StopSignals``.
///
/// A service that heeds neither draining nor cancellation keeps `run()` from returning; the second signal is for it.
public struct ServiceGroup: Sendable {
    private let services: [any Service]
    private let drainDeadline: Duration
    private let logger: Logger
    private let stops: AsyncStream<StopRequest>
    private let sleep: @Sendable (Duration) async throws -> Void

    /// `services` start in this order. `drainDeadline` is for all of them together.
    public init(
        _ services: [any Service], drainDeadline: Duration, logger: Logger, stops: AsyncStream<StopRequest>
    ) {
        self.init(services, drainDeadline: drainDeadline, logger: logger, stops: stops) {
            try await Task.sleep(for: $0)
        }
    }

    /// With another clock than the real one.
    init(
        _ services: [any Service], drainDeadline: Duration, logger: Logger, stops: AsyncStream<StopRequest>,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.services = services
        self.drainDeadline = drainDeadline
        self.logger = logger
        self.stops = stops
        self.sleep = sleep
    }

    public func run() async throws {
        var shutdown = Shutdown(names: self.services.map(\.name))
        try await withThrowingTaskGroup(of: Shutdown.Event?.self) { group in
            self.start(in: &group)
            var isDone = self.services.isEmpty
            while !isDone, let event = try await group.next() {
                guard let event else { continue }
                self.tell(event)
                for action in shutdown.handle(event) { isDone = self.perform(action, in: &group) || isDone }
            }
            group.cancelAll()
        }
        if let problem = shutdown.problem { throw Task.isCancelled ? CancellationError() : problem }
        try Task.checkCancellation()
        self.logger.info("stopped")
    }

    // MARK: - Private

    private typealias Group = ThrowingTaskGroup<Shutdown.Event?, any Error>

    private func start(in group: inout Group) {
        for (index, service) in self.services.enumerated() {
            group.addTask {
                do {
                    try await service.run()
                    return .ended(service: index, failure: nil)
                } catch {
                    return .ended(service: index, failure: error)
                }
            }
        }
        group.addTask {
            for await request in self.stops {
                self.logger.info("stopping", ["reason": request.reason])
                return .stopRequested
            }
            return nil
        }
    }

    /// True when there is nothing left to wait for.
    private func perform(_ action: Shutdown.Action, in group: inout Group) -> Bool {
        switch action {
        case .drain(let service):
            self.logger.debug("draining", ["service": self.services[service].name])
            self.services[service].drain()
        case .startDeadline:
            group.addTask {
                do { try await self.sleep(self.drainDeadline) } catch { return nil }
                return .deadlinePassed
            }
        case .cancelAll:
            self.logger.warning("the time to drain is over; cancelling", ["deadline": self.drainDeadline])
            group.cancelAll()
        case .finish: return true
        }
        return false
    }

    private func tell(_ event: Shutdown.Event) {
        guard case .ended(let service, let failure) = event else { return }
        let name = self.services[service].name
        // Cancelled, it did as it was told; if nobody had cancelled it, `run()` throws the error all the same.
        if let failure, !(failure is CancellationError) {
            self.logger.error("a service failed", ["service": name, "error": Described(failure)])
        } else {
            self.logger.debug("a service ended", ["service": name])
        }
    }
}
