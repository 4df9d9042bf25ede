import Channels
import Lifecycle
import Messaging
import Polling
import ReceiptKeeping
import SMPP
import Store
import Telemetry

/// For ``Wire/smpp(_:)``: sessions that stay, over which messages go out and receipts come in.
///
/// A receipt is committed before the SMSC is told that we have it; while the database is away the SMSC is asked to come
/// again.
final class SMPPTransport: Transport {
    /// How long messages wait for a session that is being connected.
    static let bindPatience = Duration.seconds(2)
    /// How often it is looked for one.
    private static let look = Duration.milliseconds(20)
    /// Between tries of a part that came too fast, when other parts of its message were taken.
    private static let throttlePause = Duration.seconds(1)

    private let provider: StoredProvider
    private let driver: SMPPDriver
    let sessions: [Session]
    private let metrics: SMPPMetrics

    init(
        provider: StoredProvider, driver: SMPPDriver, poller: Poller, keeper: ReceiptKeeper, metrics: SMPPMetrics,
        logger: Logger
    ) {
        let intake = SMPPReceiptIntake(
            provider: provider, driver: driver, keeper: keeper, metrics: metrics, logger: logger)
        self.provider = provider
        self.driver = driver
        self.metrics = metrics
        self.sessions = driver.sessions.map { configuration in
            Session(
                configuration, poller: poller,
                observe: { change in Self.log(change, of: provider.name, configuration.kind, logger) },
                receive: { messages in await intake.take(messages) })
        }
    }

    func run() async {
        self.metrics.observe(self, of: self.provider.name)
        await withTaskGroup { group in
            for session in self.sessions { group.addTask { await session.run() } }
        }
    }

    func close() { for session in self.sessions { session.close() } }

    func outcomes(of dispatches: [Dispatch], timeout: Duration) async -> [Outcome] {
        let deadline = ContinuousClock.now + timeout
        let messages = dispatches.map { dispatch in
            Result { () throws(SMPPRefusal) in try self.driver.submissions(of: dispatch) }
        }
        let sendable = messages.map { (try? $0.get()) ?? [] }
        let results = await self.submit(sendable, until: deadline)
        return zip(messages, results).map { message, results in
            switch (message, results) {
            case (.failure(let refusal), _): refusal.outcome
            case (.success, .success(let results)): self.driver.outcome(of: results)
            case (.success, .failure(let unbound)): unbound.outcome
            }
        }
    }

    // MARK: - Private

    /// There is no session to submit through.
    private struct Unbound: Error { var outcome: Outcome }

    /// What came of each message's parts. All go through one session, and out in one piece.
    private func submit(
        _ messages: [[ShortMessage]], until deadline: ContinuousClock.Instant
    ) async -> [Result<[SubmitResult], Unbound>] {
        guard let session = await self.openSession(until: min(deadline, .now + Self.bindPatience)) else {
            let unbound = Unbound(outcome: self.unbound)
            return messages.map { _ in .failure(unbound) }
        }
        var results = Self.cut(await session.submit(messages.flatMap(\.self), until: deadline), like: messages)
        // Half a message is worse than none, and a whole one sent again is worse than a wait.
        while results.contains(where: Self.isThrottledInPart), .now + Self.throttlePause < deadline {
            do { try await Task.sleep(for: Self.throttlePause) } catch { break }
            for index in results.indices where Self.isThrottledInPart(results[index]) {
                results[index] = await self.complete(results[index], of: messages[index], session, until: deadline)
            }
        }
        return results.map { .success($0) }
    }

    private func complete(
        _ results: [SubmitResult], of parts: [ShortMessage], _ session: Session, until deadline: ContinuousClock.Instant
    ) async -> [SubmitResult] {
        var results = results
        let missing = results.indices.filter { results[$0].isThrottle }
        let again = await session.submit(missing.map { parts[$0] }, until: deadline)
        for (index, result) in zip(missing, again) { results[index] = result }
        return results
    }

    private static func isThrottledInPart(_ results: [SubmitResult]) -> Bool {
        results.contains(where: \.isThrottle) && results.contains(where: \.isAccepted)
            && results.allSatisfy { $0.isThrottle || $0.isAccepted }
    }

    private static func cut(_ results: [SubmitResult], like messages: [[ShortMessage]]) -> [[SubmitResult]] {
        var rest = results[...]
        return messages.map { parts in
            defer { rest = rest.dropFirst(parts.count) }
            return Array(rest.prefix(parts.count))
        }
    }

    private var senders: [Session] { self.sessions.filter { $0.kind != .receiver } }

    /// The open session with the least to do; waits for one as long as any may still come.
    private func openSession(until deadline: ContinuousClock.Instant) async -> Session? {
        while true {
            let open = self.senders.filter(\.isOpen).min { $0.load < $1.load }
            if let open { return open }
            guard .now < deadline, self.senders.contains(where: { $0.state == .connecting }) else { return nil }
            do { try await Task.sleep(for: Self.look) } catch { return nil }
        }
    }

    /// Nothing was sent: because the SMSC lets nobody in, or because it is not there.
    private var unbound: Outcome {
        for session in self.senders {
            guard case .refused(let status) = session.state else { return .notSent(.networkTimeout) }
            if session === self.senders.last { return self.driver.outcome(ofBind: status) }
        }
        return .notSent(.networkTimeout)
    }

    private static func log(_ change: Session.Change, of provider: String, _ kind: BindKind, _ logger: Logger) {
        switch change {
        case .bound: logger.info("bound to the provider", ["provider": provider, "as": "\(kind)"])
        case .ended(let ending, wait: nil):
            logger.info("a session with the provider ended", ["provider": provider, "reason": "\(ending)"])
        case .ended(let ending, let wait?):
            logger.warning(
                "a session with the provider ended; connecting again",
                ["provider": provider, "reason": "\(ending)", "seconds": "\(wait.components.seconds)"])
        }
    }
}

extension SubmitResult {
    fileprivate var isThrottle: Bool { if case .refused(let status) = self { status.isThrottle } else { false } }
    fileprivate var isAccepted: Bool { if case .accepted = self { true } else { false } }
}

/// Stores the receipts that come in over sessions.
struct SMPPReceiptIntake: Sendable {
    let provider: StoredProvider
    let driver: SMPPDriver
    let keeper: ReceiptKeeper
    let metrics: SMPPMetrics
    let logger: Logger

    /// What to answer to each. Messages that are no receipts are for nobody here, and are not asked for again.
    func take(_ messages: [ShortMessage]) async -> [CommandStatus] {
        let receipts = messages.map { self.driver.receipt(in: $0) }
        let readable = receipts.compactMap(\.self)
        self.metrics.deliveries(of: self.provider.name, "receipt").add(readable.count)
        self.metrics.deliveries(of: self.provider.name, "other").add(messages.count - readable.count)
        do {
            try await self.keeper.keep(readable, of: self.provider.id)
            return messages.map { _ in .ok }
        } catch {
            self.logger.warning(
                "could not store receipts; the provider was asked to come again",
                ["provider": self.provider.name, "error": "\(error)"])
            return receipts.map { $0 == nil ? .ok : .temporaryReceiverError }
        }
    }
}

/// What a worker tells of its sessions.
struct SMPPMetrics: Sendable {
    private let metrics: Metrics

    init(_ metrics: Metrics) { self.metrics = metrics }

    /// Until another transport of the same provider takes its place, or it is gone.
    func observe(_ transport: SMPPTransport, of provider: String) {
        let labels = ["provider": provider]
        let gauges: [(name: String, help: String, value: @Sendable ([Session]) -> Int)] = [
            ("pinpost_smpp_sessions", "SMPP sessions that this worker wants.", { $0.count }),
            ("pinpost_smpp_sessions_bound", "Those that are bound.", { $0.count { $0.state == .bound } }),
            (
                "pinpost_smpp_window_in_use", "Submissions that wait for their answer.",
                { $0.reduce(0) { $0 + $1.windowInUse } }
            ),
        ]
        for gauge in gauges {
            self.metrics.observeGauge(gauge.name, help: gauge.help, labels: labels) { [weak transport] in
                transport.map { Double(gauge.value($0.sessions)) }
            }
        }
        self.metrics.observeCounter(
            "pinpost_smpp_throttles_total", help: "Submissions refused because they came too fast.", labels: labels
        ) { [weak transport] in transport.map { Double($0.sessions.reduce(0) { $0 + $1.throttles }) } }
    }

    func deliveries(of provider: String, _ kind: String) -> Counter {
        self.metrics.counter(
            "pinpost_smpp_deliveries_total", help: "What SMSCs sent us, receipts and other messages.",
            labels: ["provider": provider, "kind": kind])
    }
}
