import Batching
import Crypto
import Messaging
import Postgres
import Store
import Telemetry
import Verification

/// Sends codes and looks at what people typed: what is common to our own API and to every vendor's.
///
/// It knows no HTTP. What it refuses it refuses with a ``VerifierRefusal``, and each dialect says it in its words.
struct Verifier: Sendable {
    /// Codes, or guesses, in one statement.
    static let batchLimit = 250
    /// Those that may wait for a commit; beyond that the answer is that the service is busy.
    static let queueLimit = 10_000
    /// See ``Acceptor/pace``.
    static let pace = Acceptor.pace
    /// How often one that has to wait for another of its recipient or its account comes again, before it is told that the service is busy.
    static let roundLimit = 200

    let store: Store
    let access: DirectoryWatch<Access>
    let catalogue: Catalogue
    let allowances: Allowances
    let lanes: LaneChoice
    let masterKeys: MasterKeys
    let lookUp: any NumberLookUp
    let optOuts: OptOuts
    let gate: Gate
    let metrics: VerifierMetrics
    let keysInFlight: KeysInFlight
    let sendings: LaneBatcher<Sending, SendingResult>
    let guesses: LaneBatcher<Guess, CheckResult>
    let onLook: @Sendable () -> Void
    let logger: Logger

    /// - `store`: what is read through; `commitStore`: what is stored and checked through.
    /// - `onProgress`, `onFailure`: told after each commit, and each that failed; `onSent`: after one that stored messages.
    init(
        store: Store, commitStore: Store, lanes: LaneChoice, access: DirectoryWatch<Access>, masterKeys: MasterKeys,
        keysInFlight: KeysInFlight, lookUp: any NumberLookUp, optOuts: OptOuts, gate: Gate, metrics: Metrics,
        logger: Logger,
        onSent: @escaping @Sendable (Lane) -> Void,
        onProgress: @escaping @Sendable () -> Void, onLook: @escaping @Sendable () -> Void,
        onFailure: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.access = access
        self.catalogue = Catalogue(store: store)
        self.allowances = Allowances(store: commitStore, logger: logger)
        self.lanes = lanes
        self.masterKeys = masterKeys
        self.keysInFlight = keysInFlight
        self.lookUp = lookUp
        self.optOuts = optOuts
        self.gate = gate
        let metrics = VerifierMetrics(metrics)
        self.metrics = metrics
        self.onLook = onLook
        self.logger = logger
        self.sendings = LaneBatcher(
            name: "sendings", lanes: lanes.lanes, batchLimit: Self.batchLimit, queueLimit: Self.queueLimit,
            pace: Self.pace
        ) { sendings, lane in
            try await Self.commit("codes", sendings.count, logger, onProgress: onProgress, onFailure: onFailure) {
                let results = try await Self.settled { () async throws(PostgresError) in
                    try await commitStore.send(sendings)
                }
                if results.contains(.sent) { onSent(lane) }
                return results
            }
        }
        self.guesses = LaneBatcher(
            name: "guesses", lanes: lanes.lanes, batchLimit: Self.batchLimit, queueLimit: Self.queueLimit,
            pace: Self.pace
        ) { guesses, _ in
            let started = ContinuousClock.now
            let results = try await Self.commit(
                "guesses", guesses.count, logger, onProgress: onProgress, onFailure: onFailure
            ) {
                try await Self.settled { () async throws(PostgresError) in try await commitStore.check(guesses) }
            }
            metrics.checkCommitTime.observe(ContinuousClock.now - started)
            return results
        }
    }

    /// Hosts the commits; nothing is sent or checked unless this runs. Returns when drained.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.sendings.run() }
            group.addTask { await self.guesses.run() }
            group.addTask { await self.allowances.run() }
        }
    }

    /// Commits what has been taken and lets `run` return; for when no more requests come.
    func drain() {
        self.sendings.drain()
        self.guesses.drain()
        self.allowances.drain()
    }

    // MARK: - Reading

    /// An account's verification; nil when it has none of this id.
    func verification(
        _ id: VerificationID, of account: AccountID
    ) async throws(VerifierRefusal) -> StoredVerification? {
        try await self.ask { () async throws(PostgresError) in try await self.store.verification(id, of: account) }
    }

    /// A recipient's verifications, newest first.
    func verifications(
        _ filter: VerificationFilter, of account: AccountID
    ) async throws(VerifierRefusal) -> [StoredVerification] {
        // All of a recipient's are in its lane.
        let lane = self.lanes.lane(of: filter.recipient, account: account)
        return try await self.ask { () async throws(PostgresError) in
            try await self.store.verifications(
                lane: lane, account: account, filter: filter, limit: Self.listLimit)
        }
    }

    /// Verifications in one list; older ones are left out.
    static let listLimit: Int32 = 1000

    /// Lets a recipient's guesses be evaluated again; true when any had failed.
    func unlock(_ recipient: Recipient, of account: AccountID) async throws(VerifierRefusal) -> Bool {
        let lane = self.lanes.lane(of: recipient.key, account: account)
        return try await self.ask { () async throws(PostgresError) in
            try await self.store.unlock(recipient: recipient.key, lane: lane, account: account)
        }
    }

    /// Runs a statement that a caller can repeat; or one that `changes` more when it is repeated.
    func ask<Value>(
        changes: Bool = false, _ body: () async throws(PostgresError) -> Value
    ) async throws(VerifierRefusal) -> Value {
        do throws(PostgresError) {
            let value = try await body()
            self.onLook()
            return value
        } catch {
            self.logger.warning("the database did not answer an API request", ["error": "\(error)"])
            throw changes && error.mayHaveCommitted ? .outcomeUnknown : .unavailable
        }
    }

    // MARK: - Committing

    /// Runs a statement once more when it lost to another process: one that stored something under the same idempotency key, or,
    /// rarely, one that waited for it in a circle. Nothing of it was stored, and the next look finds what the other did.
    static func settled<Value>(
        _ statement: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        do throws(PostgresError) {
            return try await statement()
        } catch {
            guard error.sqlState == .uniqueViolation || error.sqlState == .deadlockDetected else { throw error }
            return try await statement()
        }
    }

    /// Tells of a commit, or of one that failed.
    static func commit<Value>(
        _ what: StaticString, _ count: Int, _ logger: Logger, onProgress: () -> Void, onFailure: () -> Void,
        _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await body()
            onProgress()
            return value
        } catch {
            onFailure()
            logger.warning("could not commit", ["what": "\(what)", "requests": count, "error": "\(error)"])
            throw error
        }
    }
}
