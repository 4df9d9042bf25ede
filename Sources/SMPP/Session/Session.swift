import Lifecycle
public import Polling
import Synchronization

/// A session with an SMSC, as a client (ESME): connects, binds, keeps a window of submissions under way, and connects again
/// when it ends.
///
/// Nothing is done unless ``run()`` runs.
public final class Session: Sendable {
    public struct Configuration: Sendable {
        public var host: String
        public var port: UInt16
        public var tls: TLSSettings?
        public var kind: BindKind
        public var bind: Bind
        /// Submissions that may wait for their answers; 1 to 1000.
        public var window = 10
        /// To connect and shake hands, and then to bind.
        public var connectTimeout = Duration.seconds(10)
        public var bindTimeout = Duration.seconds(10)
        /// Silence after which the SMSC is asked whether it is there, and how long it may take to say so.
        public var enquireInterval = Duration.seconds(30)
        public var enquireTimeout = Duration.seconds(10)
        public var unbindTimeout = Duration.seconds(2)
        /// Submissions in a row that may go unanswered before the connection is given up.
        public var timeoutLimit = 5
        public var backoff = SessionBackoff()

        public init(host: String, port: UInt16, kind: BindKind, bind: Bind) {
            self.host = host
            self.port = port
            self.kind = kind
            self.bind = bind
        }
    }

    /// Deliveries that may wait to be stored; those beyond are asked to come again.
    public static let deliveryLimit = 1000
    /// How often it is looked for what has taken too long: deadlines are kept to within this much.
    private static let tick = Duration.milliseconds(100)

    /// How a session stands.
    public enum State: Sendable, Hashable {
        /// Not connected, or not bound yet.
        case connecting
        case bound
        /// The last thing the SMSC said was that it does not let us in; it is asked again after a long while.
        case refused(CommandStatus)
    }

    /// Told of what comes in; answers as many, in their order.
    public typealias Receive = @Sendable ([ShortMessage]) async -> [CommandStatus]
    /// Told when the session was bound, and of each end.
    public typealias Observe = @Sendable (Change) -> Void

    public enum Change: Sendable {
        case bound
        /// `wait`: until it connects again; nil after ``close()``.
        case ended(Ending, wait: Duration?)
    }

    private struct Shared {
        var core: SessionCore
        var isClosing = false
        var state = State.connecting
        var waiters: [UInt64: CheckedContinuation<[SubmitResult], Never>] = [:]
    }

    private let configuration: Configuration
    private let poller: Poller
    private let receive: Receive
    private let observe: Observe
    private let shared: Mutex<Shared>
    /// Rung when there is something to write.
    private let output = Signal()
    /// Rung by ``close()``, for whoever waits to connect again.
    private let closing = Signal()

    public init(
        _ configuration: Configuration, poller: Poller, observe: @escaping Observe = { _ in },
        receive: @escaping Receive
    ) {
        precondition((1...1000).contains(configuration.window), "a window below 1 lets nothing through")
        self.configuration = configuration
        self.poller = poller
        self.observe = observe
        self.receive = receive
        self.shared = Mutex(Shared(core: SessionCore(configuration)))
    }

    // MARK: - Looking

    public var kind: BindKind { self.configuration.kind }
    public var state: State { self.shared.withLock { $0.state } }
    /// Whether it can submit now.
    public var isOpen: Bool { self.shared.withLock { $0.core.phase == .bound && !$0.isClosing } }
    /// Submissions under way, and those waiting for that.
    public var load: Int { self.shared.withLock { $0.core.load } }
    public var windowInUse: Int { self.shared.withLock { $0.core.windowInUse } }
    /// Submissions that were refused because they came too fast, since the start.
    public var throttles: Int { self.shared.withLock { $0.core.throttles } }

    // MARK: - Submitting

    /// Submits the parts of one message, and waits for what comes of each until `deadline`. Cancelled, it returns at once.
    public func submit(
        _ messages: [ShortMessage], until deadline: ContinuousClock.Instant
    ) async -> [SubmitResult] {
        guard !messages.isEmpty else { return [] }
        // 0 until it is in the core; only looked at under the lock.
        let submission = Atomic<UInt64>(0)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let finished = self.shared.withLock { shared in
                    let (id, effects) = shared.core.submit(messages, deadline: deadline)
                    submission.store(id, ordering: .relaxed)
                    shared.waiters[id] = continuation
                    // A cancellation before this did not know the number yet.
                    return Self.take(Task.isCancelled ? effects + shared.core.abandon(id) : effects, &shared)
                }
                self.perform(finished)
                self.output.ring()
            }
        } onCancel: {
            self.apply { $0.abandon(submission.load(ordering: .relaxed)) }
        }
    }

    // MARK: - Running

    /// Keeps the session until ``close()``, or until cancelled.
    public func run() async {
        var (failures, brief) = (0, 0)
        while !Task.isCancelled, !self.shared.withLock({ $0.isClosing }) {
            let started = ContinuousClock.now
            let ending = await self.serve()
            self.apply { $0.disconnected() }
            // One that stood for a while is no sign of trouble, and one that stood at all ends the failures before it.
            let wasBound = self.shared.withLock { $0.state == .bound }
            brief = !wasBound ? brief : ContinuousClock.now - started > .seconds(60) ? 1 : brief + 1
            failures = wasBound ? brief : failures + 1
            self.shared.withLock { $0.state = .init(after: ending) }
            guard ending != .closed, !Task.isCancelled, !self.shared.withLock({ $0.isClosing }) else {
                self.observe(.ended(ending, wait: nil))
                return
            }
            let wait = self.configuration.backoff.wait(after: ending, failures: failures, random: .random(in: 0..<1))
            self.observe(.ended(ending, wait: wait))
            await self.closing.wait(upTo: wait)
        }
    }

    /// Takes no more; ``run()`` returns once what is under way is answered and the SMSC has let us go.
    public func close() {
        self.shared.withLock { $0.isClosing = true }
        self.apply {
            $0.close(now: .now)
            return []
        }
        self.closing.ring()
    }

    // MARK: - Private

    private func serve() async -> Ending {
        let link: Link
        do throws(LinkError) {
            link = try await Link.connect(
                host: self.configuration.host, port: self.configuration.port, tls: self.configuration.tls,
                until: .now + self.configuration.connectTimeout, poller: self.poller)
        } catch {
            return .lost(error)
        }
        self.apply {
            $0.connected(now: .now)
            return []
        }
        // Whoever closes it meanwhile was not heard by a core that was down.
        if self.shared.withLock({ $0.isClosing }) { return .closed }
        return await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await self.write(to: link) }
            group.addTask { await self.read(from: link) }
            group.addTask { await self.watch() }
            var ending = Ending?.none
            while ending == nil, let next = await group.next() { ending = next }
            group.cancelAll()
            link.shutDown()
            return ending ?? .closed
        }
    }

    /// Writes what is to be written, all of it at once, until the end has been decided and said.
    private func write(to link: Link) async -> Ending? {
        while !Task.isCancelled {
            let (octets, phase) = self.shared.withLock { ($0.core.takeOutput(now: .now), $0.core.phase) }
            if octets.isEmpty {
                if case .ending(let ending) = phase { return ending }
                await self.output.wait()
                continue
            }
            do throws(LinkError) {
                try await link.write(octets)
            } catch {
                return .lost(error)
            }
        }
        return nil
    }

    private func read(from link: Link) async -> Ending? {
        await withDiscardingTaskGroup(returning: Ending?.self) { group in
            defer { group.cancelAll() }
            while !Task.isCancelled {
                do {
                    let pdus = try await link.receive()
                    let deliveries = self.apply { core in pdus.flatMap { core.receive($0, now: .now) } }
                    if !deliveries.isEmpty { group.addTask { await self.take(deliveries) } }
                } catch let error as LinkError {
                    return self.ending(.lost(error))
                } catch {
                    self.apply {
                        $0.loseFraming()
                        return []
                    }
                    // The writer says so and ends the session.
                    return nil
                }
            }
            return nil
        }
    }

    /// A connection that closes after the end was decided is no loss.
    private func ending(_ ending: Ending) -> Ending {
        if case .ending(let decided) = self.shared.withLock({ $0.core.phase }) { return decided }
        return self.shared.withLock({ $0.core.phase }) == .unbinding ? .closed : ending
    }

    private func take(_ deliveries: [Delivery]) async {
        let statuses = await self.receive(deliveries.map(\.message))
        self.apply { core in
            for (delivery, status) in zip(deliveries, statuses) { core.answer(delivery, status) }
            return []
        }
    }

    private func watch() async -> Ending? {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.tick)
            self.apply { $0.tick(now: .now) }
        }
        return nil
    }

    /// Changes the core and does what follows; returns the deliveries among it.
    @discardableResult
    private func apply(_ change: (inout SessionCore) -> [SessionCore.Effect]) -> [Delivery] {
        let todo = self.shared.withLock { shared in Self.take(change(&shared.core), &shared) }
        self.perform(todo)
        self.output.ring()
        return todo.deliveries
    }

    private struct Todo {
        var finished: [(waiter: CheckedContinuation<[SubmitResult], Never>, results: [SubmitResult])] = []
        var deliveries: [Delivery] = []
        var isBound = false
    }

    private static func take(_ effects: [SessionCore.Effect], _ shared: inout Shared) -> Todo {
        var todo = Todo()
        for effect in effects {
            switch effect {
            case .finished(let id, let results):
                if let waiter = shared.waiters.removeValue(forKey: id) { todo.finished.append((waiter, results)) }
            case .deliver(let delivery): todo.deliveries.append(delivery)
            case .bound:
                shared.state = .bound
                todo.isBound = true
            }
        }
        return todo
    }

    private func perform(_ todo: Todo) {
        for (waiter, results) in todo.finished { waiter.resume(returning: results) }
        if todo.isBound { self.observe(.bound) }
    }
}

extension Session.State {
    init(after ending: Ending) {
        if case .refused(let status) = ending { self = .refused(status) } else { self = .connecting }
    }
}

/// How long to wait before connecting again.
public struct SessionBackoff: Sendable, Hashable {
    /// After the first failure; it doubles up to the last.
    public var first = Duration.seconds(1)
    public var last = Duration.seconds(60)
    /// After a refusal that will not pass by itself: a wrong password, or as many sessions as the SMSC allows.
    public var refused = Duration.seconds(60)
    public var refusedLast = Duration.seconds(300)

    public init() {}

    /// Between half of it and all, by `random` from 0 to 1, so that many do not come at once.
    func wait(after ending: Ending, failures: Int, random: Double) -> Duration {
        let (first, last) =
            if case .refused = ending { (self.refused, self.refusedLast) } else { (self.first, self.last) }
        let doubled = first * (1 << min(max(failures - 1, 0), 16))
        return min(doubled, last) * (0.5 + 0.5 * random)
    }
}
