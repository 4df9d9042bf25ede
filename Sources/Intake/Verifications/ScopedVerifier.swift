import Batching
import Guard
import Messaging
import Postgres
import Store
import Telemetry
import Verification

/// A code to be sent that will be found by its scope, everything about it already checked but its way.
struct ScopedCodeRequest: Sendable {
    var scope: CodeScope
    /// What the customer calls it.
    var application: String
    var recipient: Recipient
    var sender: String?
    var code: Code
    /// With the code in it.
    var content: Content
    var callback: Callback?
}

extension ScopedCodeRequest: CustomStringConvertible, CustomReflectable {
    var description: String { "code for \(self.recipient)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// Sends codes that are found by their scope, and looks at what people typed.
///
/// As the ``Verifier``, whose limits, queues and words it shares, it knows no HTTP.
struct ScopedVerifier: Sendable {
    private let verifier: Verifier
    private let sendings: LaneBatcher<ScopedSending, ScopedSendingResult>
    private let guesses: LaneBatcher<ScopedGuess, ScopedCheckResult>

    init(
        verifier: Verifier, commitStore: Store, onSent: @escaping @Sendable (Lane) -> Void,
        onProgress: @escaping @Sendable () -> Void, onFailure: @escaping @Sendable () -> Void
    ) {
        self.verifier = verifier
        let (logger, metrics) = (verifier.logger, verifier.metrics)
        self.sendings = LaneBatcher(
            name: "scoped sendings", lanes: verifier.lanes.lanes, batchLimit: Verifier.batchLimit,
            queueLimit: Verifier.queueLimit, pace: Verifier.pace
        ) { sendings, lane in
            try await Verifier.commit("codes", sendings.count, logger, onProgress: onProgress, onFailure: onFailure) {
                let results = try await commitStore.send(sendings)
                if results.contains(.sent) { onSent(lane) }
                return results
            }
        }
        self.guesses = LaneBatcher(
            name: "scoped guesses", lanes: verifier.lanes.lanes, batchLimit: Verifier.batchLimit,
            queueLimit: Verifier.queueLimit, pace: Verifier.pace
        ) { guesses, _ in
            let started = ContinuousClock.now
            let results = try await Verifier.commit(
                "guesses", guesses.count, logger, onProgress: onProgress, onFailure: onFailure
            ) {
                try await Verifier.settled { () async throws(PostgresError) in try await commitStore.check(guesses) }
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
        }
    }

    /// Commits what has been taken and lets `run` return; for when no more requests come.
    func drain() {
        self.sendings.drain()
        self.guesses.drain()
    }

    /// As ``Verifier/ask(changes:_:)``.
    func ask<Value>(
        changes: Bool = false, _ body: () async throws(PostgresError) -> Value
    ) async throws(VerifierRefusal) -> Value {
        try await self.verifier.ask(changes: changes, body)
    }

    /// Sends a new code: it and its message, whose id this returns, are committed.
    func send(_ request: ScopedCodeRequest) async throws(VerifierRefusal) -> MessageID {
        let account = request.scope.account
        try self.verifier.screen(request.recipient, request.content.channel, account)
        try await self.verifier.refuseUnreachable(request.recipient)
        try await self.verifier.refuseOptedOut(request.recipient, account)
        let lane = self.verifier.lanes.lane(of: request.scope.recipient, account: account)
        var message = try self.verifier.message(
            request.content, to: request.recipient, sender: request.sender, account: account, lane: lane,
            timeToLive: CodeScope.codeLifetime, reference: nil, metadata: nil)
        message.callback = request.callback
        let mac = CodeMAC(request.code, in: request.scope, message: message.id, keys: self.verifier.masterKeys)
        let sending = ScopedSending(
            scope: request.scope, application: request.application, mac: mac, message: message)
        let pass = try self.verifier.admit(message, of: account, GuardCaller())
        do throws(VerifierRefusal) {
            return try await self.commit(sending)
        } catch {
            if !error.mayHaveBeenSent { self.verifier.gate.takeBack(pass) }
            throw error
        }
    }

    private func commit(_ sending: ScopedSending) async throws(VerifierRefusal) -> MessageID {
        for _ in 0..<Verifier.roundLimit {
            switch try await self.verifier.answer({
                try await self.sendings.submit(sending, in: sending.message.id.lane)
            }) {
            case .again: continue
            case .outOfBalance:
                self.verifier.metrics.refused("out_of_balance").add(1)
                throw .outOfBalance
            case .locked:
                self.verifier.metrics.refused("locked").add(1)
                throw .locked
            case .sent:
                self.verifier.metrics.sent(sending.message.channel, isResend: false).add(1)
                return sending.message.id
            }
        }
        throw .unavailable
    }

    /// What a guess comes to at the codes of a scope that are not older than `age`; counted and committed when this returns.
    ///
    /// When the answer of the database is lost, the guess may or may not have been counted; it is never given back.
    func check(
        _ code: Code, in scope: CodeScope, application: String?, age: Duration
    ) async throws(VerifierRefusal) -> ScopedCheckResult {
        try self.verifier.admitGuess(of: scope.account, GuardCaller())
        let guess = ScopedGuess(
            scope: scope, lane: self.verifier.lanes.lane(of: scope.recipient, account: scope.account),
            application: application, age: age,
            macs: CodeMAC.guesses(code, in: scope, keys: self.verifier.masterKeys))
        for _ in 0..<Verifier.roundLimit {
            let result = try await self.verifier.answer { try await self.guesses.submit(guess, in: guess.lane) }
            if result == .again { continue }
            if result == .keyless {
                self.verifier.logger.error(
                    "a code was made with a master key that this process is not given",
                    ["account": Int(scope.account.rawValue)])
                throw .unavailable
            }
            self.verifier.metrics.checked(result.name).add(1)
            self.tellGate(result, scope)
            return result
        }
        throw .unavailable
    }

    private func tellGate(_ result: ScopedCheckResult, _ scope: CodeScope) {
        guard result == .right || result == .wrong else { return }
        self.verifier.gate.guessed(isRight: result == .right, of: scope.account, GuardCaller())
        if result == .right { self.verifier.gate.used(scope.recipient, of: scope.account) }
    }
}

extension ScopedCheckResult {
    /// For a metric.
    fileprivate var name: String {
        switch self {
        case .right: "right"
        case .wrong: "wrong"
        case .locked: "locked"
        case .keyless: "keyless"
        case .again: "again"
        }
    }
}
