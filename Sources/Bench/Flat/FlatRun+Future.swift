import Messaging
import Store

extension FlatRun {
    /// Messages that are ready before the claims.
    private static let ready: Int32 = 20_000
    /// Claims that are timed, and messages that each may take: half of what is ready.
    private static let claims = 100
    private static let claimSize: Int32 = 100
    /// Messages that are not due are told of every so many.
    private static let progressStep = 1_000_000

    /// Claims beside many messages that are not due, against claims without.
    func future() async throws -> [Line] {
        self.tell("future: claims without messages that are not due")
        try await self.database.reset()
        var without = [try await self.claimTime()]
        try await self.database.reset()
        self.tell("future: making \(Quantity.grouped(Double(self.flat.future))) messages that are not due")
        try await self.database.makeFuture(self.flat.future) { made in
            if made % Self.progressStep == 0 { self.tell("future: \(Quantity.grouped(Double(made)))") }
        }
        self.tell("future: claims beside them")
        let with = [try await self.claimTime(), try await self.claimTime()]
        try await self.database.reset()
        without.append(try await self.claimTime())
        return [
            Line(
                name: "claim_beside_future",
                what: "claim of \(Self.claimSize), beside \(Quantity.grouped(Double(self.flat.future))) not due, p50",
                unit: .milliseconds, figure: with.mean, against: without.mean, expectation: .atMost(1.2))
        ]
    }

    /// What half of the claims take at most, in milliseconds, as a worker sends them.
    private func claimTime() async throws -> Double {
        try await self.database.fillOutbox(Self.ready)
        let store = Store(self.database.pool)
        let worker = try await store.registerWorker(name: "bench", lease: .seconds(600))
        let request = ClaimRequest(
            provider: try await self.database.provider(.discard), limit: Self.claimSize, after: [:])
        var times: [Double] = []
        for _ in 0..<Self.claims {
            let begin = MonotonicTime.now
            let claims = try await store.claim(lane: Lane(rawValue: 0), worker: worker, requests: [request])
            times.append((MonotonicTime.now - begin) * 1000)
            guard !claims.isEmpty else { throw BenchError("a claim found nothing, with messages there") }
        }
        return Percentiles(times)?[50] ?? 0
    }
}
