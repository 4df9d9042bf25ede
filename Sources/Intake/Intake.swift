public import Crypto
public import Egress
public import HTTP
import JSON
public import Messaging
public import Postgres
public import Store
public import Telemetry
public import Timestamps

/// The API: turns a request into stored work, or into a refusal that says what to do.
///
/// It takes and returns HTTP values and knows no socket. A 202 is given after COMMIT and never before; a refusal means
/// that nothing was stored, except where ``Problem/outcomeUnknown`` says that nobody knows.
public struct Intake: Sendable {
    /// Commits under way: two, so that a lone request pays for one flush of the log and no more.
    public static let writers = 2

    /// What ``init(store:acceptStore:lanes:access:masterKeys:egress:lookUp:metrics:logger:onAccepted:onProgress:onLook:onFailure:)``
    /// wants of `acceptStore`: the writers of messages, of codes and of guesses, and a look at an earlier request. Writers of
    /// codes that are found by their scope take turns with the others.
    public static let connections = 3 * Self.writers + 1

    let store: Store
    let lanes: [Lane]
    let access: DirectoryWatch<Access>
    let masterKeys: MasterKeys
    let egress: EgressPolicy
    let acceptor: Acceptor
    let verifier: Verifier
    let optOuts: OptOuts
    let conversions: Conversions
    let eraser: Eraser
    let gate: Gate
    private let scopedVerifier: ScopedVerifier
    private let dialects: [any Dialect]
    let metrics: IntakeMetrics
    let onLook: @Sendable () -> Void
    let logger: Logger

    /// - `store`: what messages are read and cancelled through.
    /// - `acceptStore`: what messages and codes are stored and guesses judged through, with
    ///   ``connections``; one of its own, so that slow reads hold nobody up. Nil: `store`.
    /// - `lanes`: what new messages are spread over.
    /// - `egress`: where customers may have us call.
    /// - `lookUp`: what numbers are looked up with before codes are sent to them.
    /// - `guardClock`: for tests; see ``Gate/init(store:access:hashing:metrics:logger:clock:)``.
    /// - `onAccepted`: told the lane of each commit that stored messages, so that a worker can be woken.
    /// - `onProgress`, `onFailure`: told after each commit, and each that failed.
    /// - `onLook`: told whenever the database answered a request that stores no messages.
    public init(
        store: Store, acceptStore: Store? = nil, lanes: [Lane],
        access: DirectoryWatch<Access>, masterKeys: MasterKeys,
        egress: EgressPolicy = EgressPolicy(), lookUp: any NumberLookUp = NoLookUp(), metrics: Metrics, logger: Logger,
        guardClock: (@Sendable () -> Timestamp)? = nil,
        onAccepted: @escaping @Sendable (Lane) -> Void,
        onProgress: @escaping @Sendable () -> Void, onLook: @escaping @Sendable () -> Void = {},
        onFailure: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.lanes = lanes
        self.eraser = Eraser(store: store, lanes: lanes, masterKeys: masterKeys)
        let lanes = LaneChoice(lanes: lanes)
        // One for messages and codes: an account's keys are its own, whatever they are used for.
        let keysInFlight = KeysInFlight()
        self.access = access
        self.masterKeys = masterKeys
        self.egress = egress
        self.metrics = IntakeMetrics(metrics)
        self.onLook = onLook
        self.logger = logger
        self.acceptor = Acceptor(
            store: acceptStore ?? store, lanes: lanes, masterKeys: masterKeys, keysInFlight: keysInFlight,
            metrics: self.metrics, logger: logger,
            onAccepted: {
                onProgress()
                onAccepted($0)
            },
            onFailure: onFailure)
        self.optOuts = OptOuts(store: store, access: access)
        self.gate = Gate(
            store: store, access: access, hashing: GuardHashing(masterKeys), metrics: metrics, logger: logger,
            clock: guardClock)
        self.conversions = Conversions(store: store, gate: self.gate, logger: logger)
        self.verifier = Verifier(
            store: store, commitStore: acceptStore ?? store, lanes: lanes, access: access, masterKeys: masterKeys,
            keysInFlight: keysInFlight, lookUp: lookUp, optOuts: self.optOuts, gate: self.gate, metrics: metrics,
            logger: logger,
            onSent: onAccepted,
            onProgress: onProgress,
            onLook: onLook, onFailure: onFailure)
        self.scopedVerifier = ScopedVerifier(
            verifier: self.verifier, commitStore: acceptStore ?? store, onSent: onAccepted, onProgress: onProgress,
            onFailure: onFailure)
        self.dialects = [
            InfobipDialect(store: store, access: access, verifier: self.verifier, logger: logger),
            BindDialect(store: store, access: access, verifier: self.verifier),
            NexmoDialect(
                access: access, acceptor: self.acceptor, lookUp: lookUp, optOuts: self.optOuts, gate: self.gate,
                conversions: self.conversions),
            BandwidthDialect(
                store: store, access: access, verifier: self.scopedVerifier, egress: egress, logger: logger),
        ]
    }

    /// Learns what is blocked; to be awaited before the first request.
    public func start() async throws(PostgresError) { try await self.gate.start() }

    /// Hosts the commits; nothing is accepted unless this runs. Returns when drained.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.gate.run() }
            group.addTask { await self.acceptor.run() }
            group.addTask { await self.verifier.run() }
            group.addTask { await self.conversions.run() }
            group.addTask { await self.scopedVerifier.run() }
        }
    }

    /// Commits what has been taken and lets `run` return; for when no more requests come.
    public func drain() {
        self.gate.drain()
        self.acceptor.drain()
        self.verifier.drain()
        self.conversions.drain()
        self.scopedVerifier.drain()
    }

    /// Answers one request.
    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        let started = ContinuousClock.now
        let response = await self.response(to: request)
        self.metrics.requestTime.observe(ContinuousClock.now - started)
        self.metrics.responses(response.status).add(1)
        return response
    }

    /// What the web server refuses before anybody reads the request, in the words of the API that its path is of. Without a
    /// path nobody knows.
    public static func refusal(_ status: Int, path: String?) -> HTTPResponse {
        let dialect = path.flatMap { path in Self.dialectTypes.first { $0.owns(path) } }
        if let dialect, let path { return dialect.refusal(status, path: path) }
        return Problem.refusal(status).response
    }

    // MARK: - Private

    /// Those of ``dialects``.
    private static let dialectTypes: [any Dialect.Type] = [
        InfobipDialect.self, BindDialect.self, NexmoDialect.self, BandwidthDialect.self,
    ]

    /// Every vendor's routes are its own, the unknown ones too: a customer's SDK understands its vendor's errors only.
    private func response(to request: HTTPRequest) async -> HTTPResponse {
        if let dialect = self.dialects.first(where: { type(of: $0).owns(request.path) }) {
            return await dialect.respond(to: request)
        }
        do throws(Problem) {
            return try await self.answer(request)
        } catch {
            return error.response
        }
    }

    private func answer(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch Route(request.path) {
        case .messages: try await self.answerMessages(request)
        case .message(let id): try await self.answerMessage(id, request)
        case .cancellation(let id): try await self.answerCancellation(id, request)
        case .conversion(let id): try await self.answerConversion(id, request)
        case .applications: try await self.answerApplications(request)
        case .application(let id): try await self.answerApplication(id, request)
        case .templates: try await self.answerTemplates(request)
        case .template(let id): try await self.answerTemplate(id, request)
        case .verifications: try await self.answerVerifications(request)
        case .verification(let id): try await self.answerVerification(id, request)
        case .check(let id): try await self.answerCheck(id, request)
        case .resending(let id): try await self.answerResending(id, request)
        case .search: try await self.answerSearch(request)
        case .unlocking: try await self.answerUnlocking(request)
        case .erasure: try await self.answerErasure(request)
        case .account: try await self.answerAccount(request)
        case .prices: try await self.answerPrices(request)
        case .topUps: try await self.answerTopUps(request)
        case .optOuts: try await self.answerOptOuts(request)
        case .optOutRemoval: try await self.answerOptOutRemoval(request)
        case .optOutSearch: try await self.answerOptOutSearch(request)
        case .rates: try await self.answerRates(request)
        case .guardBlocks: try await self.answerGuardBlocks(request)
        case .guardBlock(let id): try await self.answerGuardBlock(id, request)
        case .guardRefusals: try await self.answerGuardRefusals(request)
        case .silence: try await self.answerSilence(request)
        case .webhooks: try await self.answerWebhooks(request)
        case .webhook(let id): try await self.answerWebhook(id, request)
        case .rotation(let id): try await self.answerRotation(id, request)
        case .replay(let id): try await self.answerReplay(id, request)
        case .events: try await self.answerEvents(request)
        case .event(let id): try await self.answerEvent(id, request)
        case .eventReplay(let id): try await self.answerEventReplay(id, request)
        case .openAPI: try Self.answerOpenAPI(request)
        case .none: throw .notFound
        }
    }
}
