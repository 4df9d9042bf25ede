import JSON

/// The percentiles of a set of samples by nearest rank: each is a sample that was really measured, and `p99` is the
/// smallest that at least 99 of 100 do not exceed.
struct Percentiles: Hashable {
    private let sorted: [Double]

    /// Nil without samples.
    init?(_ samples: some Sequence<Double>) {
        self.sorted = samples.sorted()
        if self.sorted.isEmpty { return nil }
    }

    /// `percent` from 0 to 100.
    subscript(_ percent: Double) -> Double {
        let rank = (percent / 100 * Double(self.sorted.count)).rounded(.up)
        return self.sorted[min(max(Int(rank), 1), self.sorted.count) - 1]
    }

    var count: Int { self.sorted.count }

    /// `p50`, `p95`, `p99` and the worst, to a hundredth.
    var json: JSON {
        [
            "p50": .rounded(self[50], 2), "p95": .rounded(self[95], 2), "p99": .rounded(self[99], 2),
            "max": .rounded(self[100], 2),
        ]
    }
}

extension JSON {
    /// A figure with so many decimals; without any, an integer.
    static func rounded(_ value: Double, _ decimals: Int) -> JSON {
        guard value.isFinite else { return .null }
        if decimals == 0 { return .integer(Int64(value.rounded())) }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        return .number((value * scale).rounded() / scale)
    }
}
