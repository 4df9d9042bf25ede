import Callbacks
import Messaging
import Postgres
import Store
import Telling

extension Measurements {
    /// As ``arrivalTimes(rate:seconds:)``, with and without an endpoint of the same account that takes every request and answers
    /// none, while all that it should be told piles up.
    struct HangingTimes {
        var with: Percentiles?
        var without: Percentiles?

        /// Of the two p99.
        var ratio: Double? {
            guard let with, let without else { return nil }
            return with[99] / without[99]
        }
    }

    /// In turn, so that whatever else the machine does falls on both.
    static let hangingSlices = 8
    /// Of one slice, of the seconds of a measurement.
    static let hangingSlicePart = 0.5
    /// Messages in one slice at least, however slow the machine: of too few, the p99 is but the worst.
    static let hangingSliceCount = 100.0

    func hangingTimes(rate: Double) async throws -> HangingTimes {
        var times: (with: [Double], without: [Double]) = ([], [])
        for slice in 0..<Self.hangingSlices {
            // A B B A: what only grows or only shrinks falls on both, too.
            if [1, 2].contains(slice % 4) {
                times.with += try await self.withHangingEndpoint { try await self.slice(rate) }
            } else {
                times.without += try await self.slice(rate)
            }
        }
        return HangingTimes(with: Percentiles(times.with), without: Percentiles(times.without))
    }

    // MARK: - Private

    private func slice(_ rate: Double) async throws -> [Double] {
        try await self.arrivalTimes(
            rate: rate, seconds: max(self.seconds * Self.hangingSlicePart, Self.hangingSliceCount / rate))
    }

    /// Leaves nothing to be told behind: the tables are emptied before the next part, and who still looks into them at that moment
    /// could wait for that in a circle.
    private func withHangingEndpoint(_ body: () async throws -> [Double]) async throws -> [Double] {
        let account = try await self.database.account()
        let name = "hanging"
        let times = try await self.hanging(name, account, body)
        _ = try await Store(self.database.pool).changingEndpoints { transaction throws(PostgresError) in
            try await Store.deleteEndpoint(name, of: account, in: transaction)
        }
        try await self.database.waitUntilUntold()
        return times
    }

    private func hanging(
        _ name: String, _ account: AccountID, _ body: () async throws -> [Double]
    ) async throws -> [Double] {
        let endpoint = try HangingEndpoint()
        defer { endpoint.close() }
        var settings = EndpointSettings(kind: .standard, url: "http://127.0.0.1:\(endpoint.port)/")
        // Nothing goes out unsigned.
        settings.secrets = CallbackSecrets(signingKeys: [.make()]).sealed(
            with: try self.deployment.masterKeys,
            for: EndpointKind.standard.sealingContext(account: account, publicID: name))
        _ = try await Store(self.database.pool).changingEndpoints { [settings] transaction throws(PostgresError) in
            try await Store.putEndpoint(name, settings, of: account, in: transaction)
        }
        let times = try await body()
        guard endpoint.isAskedFor else { throw BenchError("the endpoint that hangs was never asked") }
        return times
    }
}
