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

    private func withHangingEndpoint(_ body: () async throws -> [Double]) async throws -> [Double] {
        let endpoint = try HangingEndpoint()
        defer { endpoint.close() }
        let times = try await self.withEndpoint(port: endpoint.port, body)
        guard endpoint.isAskedFor else { throw BenchError("the endpoint that hangs was never asked") }
        return times
    }
}
