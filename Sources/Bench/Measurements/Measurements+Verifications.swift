import Crypto
import Messaging
import Verification

extension Measurements {
    /// Starts verifications as fast as the callers get their answers, with no worker running.
    func startVerifications() async throws -> LoadResult {
        try await self.database.reset()
        return try await self.costs.measure(.verifyStart) {
            Double($0.accepted)
        } _: {
            try await self.load(
                .verifications(prefix: Deployment.Route.discard.rawValue), callers: Self.checkCallers,
                .closedLoop(seconds: self.seconds, gate: .open)
            ).run()
        }
    }

    /// Right guesses as fast as the callers get their answers, each at another verification while there are any.
    ///
    /// Throws when not every verification that was guessed at is verified.
    func checkVerifications() async throws -> LoadResult {
        let seeds = try await self.seed()
        let result = try await self.costs.measure(.verifyCheck) {
            Double($0.accepted)
        } _: {
            try await self.load(
                .checks(of: seeds.map(\.description), code: Self.code), callers: Self.checkCallers,
                .closedLoop(seconds: self.seconds, gate: .open)
            ).run()
        }
        let verified = try await self.database.verified()
        guard verified == min(result.accepted, seeds.count) else {
            throw BenchError("\(verified) verifications are verified after \(result.accepted) right guesses")
        }
        return result
    }

    /// One-row updates of verifications, each with its commit, at the concurrency of ``checkVerifications()``.
    func updateFloor() async throws -> Floor.Timed {
        let seeds = try await self.seed()
        return try await Floor(url: self.database.url, seconds: self.seconds)
            .updates(of: seeds.map(\.rawValue), connections: Self.checkCallers)
    }

    // MARK: - Private

    static let checkCallers = 64
    private static let code = "493817"

    /// Verifications of one and the same code, about as many as can be checked in the time.
    private func seed() async throws -> [VerificationID] {
        guard let code = Code(typed: Self.code) else { preconditionFailure("six digits are a code") }
        try await self.database.reset()
        return try await self.database.seedVerifications(
            max(1000, min(60_000, Int(self.seconds * 6000))), code: code, keys: try self.deployment.masterKeys)
    }
}
