import Batching
import Guard
import Messaging
import Store
import Telemetry
import Verification

extension Verifier {
    /// What a guess at a code comes to; charged and committed when this returns.
    ///
    /// When the answer of the database is lost, the guess may or may not have been charged; it is never given back.
    func check(
        _ code: Code, of id: VerificationID, for account: AccountID, caller: GuardCaller = GuardCaller()
    ) async throws(VerifierRefusal) -> CheckResult {
        try self.admitGuess(of: account, caller)
        let macs = CodeMAC.guesses(code, at: id, account: account, keys: self.masterKeys)
        let guess = Guess(account: account, verification: id, macs: macs)
        for _ in 0..<Self.roundLimit {
            let result = try await self.judge(guess)
            if result == .again { continue }
            if result == .keyless {
                self.logger.error(
                    "a code was made with a master key that this process is not given", ["verification": "\(id)"])
                throw .unavailable
            }
            self.metrics.checked(result.name).add(1)
            self.tellGate(result, of: account, caller)
            return result
        }
        throw .unavailable
    }

    private func judge(_ guess: Guess) async throws(VerifierRefusal) -> CheckResult {
        let lane = guess.verification.lane
        // Anybody may make an id up.
        guard self.lanes.lanes.contains(lane) else { return .unknown }
        return try await self.answer { try await self.guesses.submit(guess, in: lane) }
    }

    /// Refuses a guess from where too many were wrong.
    func admitGuess(of account: AccountID, _ caller: GuardCaller) throws(VerifierRefusal) {
        do throws(GuardRefusal) {
            try self.gate.admitGuess(of: account, caller)
        } catch {
            throw .guarded(error)
        }
    }

    private func tellGate(_ result: CheckResult, of account: AccountID, _ caller: GuardCaller) {
        switch result {
        case .right(let recipient, isFirst: true):
            self.gate.guessed(isRight: true, of: account, caller)
            self.gate.used(recipient, of: account)
        case .wrong: self.gate.guessed(isRight: false, of: account, caller)
        default: break
        }
    }
}

extension CheckResult {
    /// For a metric.
    fileprivate var name: String {
        switch self {
        case .right: "right"
        case .wrong: "wrong"
        case .limited: "limited"
        case .locked: "locked"
        case .ended(let end): end.cause.rawValue
        case .unknown: "unknown"
        case .again: "again"
        case .keyless: "keyless"
        }
    }
}
