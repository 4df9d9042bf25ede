import Batching
import Crypto
import Messaging
import Postgres
import Store
import Synchronization
import Telemetry
import Timestamps

/// Stores what requests ask for, many requests in one commit, and answers each after it.
struct Acceptor: Sendable {
    /// Messages in one statement. A single request may have as many by itself.
    static let batchLimit = MessageLimits.messages
    /// Requests that may wait for a commit; beyond that the answer is 503, at once.
    static let queueLimit = 10_000
    /// A customer waits for it: the next batch begins when the last is written, or beside it after 2 ms, and a lone request waits for
    /// nobody.
    static let pace = BatchPace(least: .zero, most: .milliseconds(2), factor: 1)
    /// How often a request that has to wait for others of its account comes again, before it is told that the service is busy.
    /// Each time at least one price is decided, so it takes as many different ones at the same time.
    static let roundLimit = 200

    private let store: Store
    private let lanes: LaneChoice
    private let masterKeys: MasterKeys
    private let metrics: IntakeMetrics
    private let batcher: LaneBatcher<Acceptance, AcceptanceResult>
    /// The lane of requests without a key: all that come between two commits share one, and so a commit.
    private let turn = Turn()
    private let keysInFlight: KeysInFlight

    init(
        store: Store, lanes: LaneChoice, masterKeys: MasterKeys, keysInFlight: KeysInFlight, metrics: IntakeMetrics,
        logger: Logger, onAccepted: @escaping @Sendable (Lane) -> Void, onFailure: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.lanes = lanes
        self.masterKeys = masterKeys
        self.keysInFlight = keysInFlight
        self.metrics = metrics
        self.batcher = LaneBatcher(
            name: "acceptances", lanes: lanes.lanes, batchLimit: Self.batchLimit, queueLimit: Self.queueLimit,
            pace: Self.pace, weight: { $0.messages.count }
        ) { [turn] requests, lane in
            turn.pass()
            let started = ContinuousClock.now
            do {
                let results = try await store.accept(requests)
                metrics.commitTime.observe(ContinuousClock.now - started)
                metrics.commits.add(1)
                onAccepted(lane)
                return results
            } catch {
                metrics.commitFailures.add(1)
                onFailure()
                logger.warning("could not store messages", ["requests": requests.count, "error": "\(error)"])
                throw error
            }
        }
    }

    func run() async { await self.batcher.run() }
    func drain() { self.batcher.drain() }

    /// Stores the messages and returns their ids once that is committed. Under a key that was used before for the same
    /// request, the ids given then.
    func accept(
        _ messages: [RoutedMessage], for account: AccountID,
        key: String?, fingerprint: @autoclosure () -> [UInt8]
    ) async throws(Problem) -> AcceptedMessages {
        guard let key else {
            let acceptance = self.acceptance(
                of: messages, for: account, lane: self.turn.lane(of: self.lanes.lanes), key: nil)
            return try await self.store(acceptance)
        }
        let lane = self.lane(of: key, account)
        let print = fingerprint()
        guard self.keysInFlight.begin(account, key) else {
            throw .requestInFlight
        }
        defer { self.keysInFlight.end(account, key) }
        let identity = IdempotencyKey(lane: lane, key: key, fingerprint: print)
        return try await self.store(self.acceptance(of: messages, for: account, lane: lane, key: identity))
    }

    /// The ids that the same request was given before under this key; nil when there was none.
    func earlier(
        of account: AccountID, key: String, fingerprint: [UInt8]
    ) async throws(Problem) -> [MessageID]? {
        do {
            let earlier = try await self.store.accepted(under: key, lane: self.lane(of: key, account), account: account)
            return earlier.flatMap { $0.isOf(fingerprint) ? $0.ids : nil }
        } catch {
            throw .unavailable
        }
    }

    // MARK: - Private

    private func lane(of key: String, _ account: AccountID) -> Lane { self.lanes.lane(of: key, account: account) }

    private func store(_ acceptance: Acceptance) async throws(Problem) -> AcceptedMessages {
        switch try await self.submit(acceptance) {
        case .accepted(let balance):
            self.metrics.accepted.add(acceptance.messages.count)
            return AcceptedMessages(ids: acceptance.messages.map(\.id), balance: balance)
        case .repeated(let earlier):
            return try Self.repeated(earlier, acceptance)
        case .outOfBalance:
            // The same may have been stored while this waited for its account's balance, and perhaps used it up.
            if let earlier = try await self.earlier(acceptance) { return try Self.repeated(earlier, acceptance) }
            self.metrics.outOfBalance.add(1)
            throw .outOfBalance
        case .again: throw .unavailable
        }
    }

    private static func repeated(
        _ earlier: EarlierAcceptance, _ acceptance: Acceptance
    ) throws(Problem) -> AcceptedMessages {
        guard let key = acceptance.idempotency, earlier.isOf(key.fingerprint) else { throw .keyReused }
        return AcceptedMessages(ids: earlier.ids, isRepeated: true)
    }

    private func earlier(_ acceptance: Acceptance) async throws(Problem) -> EarlierAcceptance? {
        guard let key = acceptance.idempotency else { return nil }
        do {
            return try await self.store.accepted(under: key.key, lane: key.lane, account: acceptance.account)
        } catch {
            throw .unavailable
        }
    }

    private func submit(_ acceptance: Acceptance) async throws(Problem) -> AcceptanceResult {
        do {
            for _ in 0..<Self.roundLimit {
                let result = try await self.batcher.submit(acceptance, in: acceptance.lane)
                if result != .again { return result }
            }
            return .again
        } catch let error as PostgresError {
            throw error.mayHaveCommitted ? .outcomeUnknown : .unavailable
        } catch is CancellationError {
            // Nobody waits any more, but its batch may still be written.
            throw .outcomeUnknown
        } catch BatcherError.full {
            throw .busy
        } catch {
            throw .unavailable
        }
    }

    /// Of a message: two numbers for its id, and what sealing its body takes.
    private static let randomByteCount = 2 * MemoryLayout<UInt64>.size + MasterKeys.randomByteCount

    private func acceptance(
        of messages: [RoutedMessage], for account: AccountID, lane: Lane,
        key: IdempotencyKey?
    ) -> Acceptance {
        let milliseconds = Timestamp.now.milliseconds
        var random = RandomReserve(byteCount: messages.count * Self.randomByteCount)
        let stored = messages.map { routed in
            let message = routed.request
            let id =
                routed.hasCompactID
                ? MessageID(compactIn: lane, milliseconds: milliseconds, using: &random)
                : MessageID(lane: lane, milliseconds: milliseconds, using: &random)
            return NewMessage(
                id: id, provider: routed.provider, channel: message.channel, priority: message.priority,
                recipient: message.recipient.text, sender: message.sender,
                body: self.masterKeys.seal(
                    message.content.encoded, for: id.sealingContext(account: account), using: random),
                parts: message.parts, reference: message.reference, metadata: message.metadata,
                sendAt: message.sendAt, timeToLive: message.timeToLive,
                price: routed.price, callback: message.callback)
        }
        return Acceptance(account: account, messages: stored, idempotency: key)
    }
}

/// Whose turn it is among the lanes.
private final class Turn: Sendable {
    private let count = Atomic(0)

    func pass() { self.count.add(1, ordering: .relaxed) }
    func lane(of lanes: [Lane]) -> Lane { lanes[self.count.load(ordering: .relaxed) % lanes.count] }
}

extension EarlierAcceptance {
    /// Whether it answers a request with this fingerprint.
    func isOf(_ fingerprint: [UInt8]) -> Bool { equalInConstantTime(self.fingerprint, fingerprint) }
}
