import Glibc

extension Measurements {
    /// Starts the workers on a queue of `preloaded` messages and stops them when it is empty, or after three times the
    /// seconds of a measurement. Returns messages a second.
    func drain(_ preloaded: Int) async throws -> Double {
        let drained = try await self.costs.measure(.drain) {
            $0.settled
        } _: {
            async let drained = self.watchDrain(of: preloaded, limit: 3 * self.seconds)
            try await self.deployment.start([.worker])
            return try await drained
        }
        await self.deployment.stop([.worker])
        return drained.perSecond
    }

    /// The rate between the first look that found something claimed and the last: as exact as their two moments.
    private func watchDrain(of preloaded: Int, limit: Double) async throws -> DrainWatch.Drained {
        let deployment = self.deployment
        return try await BlockingWork.run("drain") { stop in
            var watch = DrainWatch(target: Double(preloaded), limit: limit)
            while true {
                try deployment.check()
                // Nobody answers before the workers have started.
                if let sums = try? deployment.sum(["pinpost_claimed_total", "pinpost_settled_total"], of: .worker),
                    let rate = try watch.look(claimed: sums[0], settled: sums[1], at: .now)
                {
                    return DrainWatch.Drained(perSecond: rate, settled: sums[1])
                }
                usleep(DrainWatch.interval)
                try stop.check()
            }
        }
    }
}

/// Follows two counters until the queue is empty.
struct DrainWatch {
    /// Seconds without anything settled after which it is given up.
    static let patience = 20.0
    /// Microseconds from look to look. Each has the processes print all their metrics, which is not what is to be measured.
    static let interval: UInt32 = 50_000

    struct Drained: Sendable {
        var perSecond: Double
        /// From the workers' start on.
        var settled: Double
    }

    /// Settlements that empty the queue.
    let target: Double
    /// Seconds after which the rate so far will do.
    let limit: Double
    private var first: (settled: Double, at: MonotonicTime)?
    private var progress: (settled: Double, at: MonotonicTime)?

    init(target: Double, limit: Double) {
        self.target = target
        self.limit = limit
    }

    /// Takes note of the counters. Returns the rate, settlements a second, once there is one.
    mutating func look(claimed: Double, settled: Double, at now: MonotonicTime) throws -> Double? {
        if self.progress.map({ settled > $0.settled }) ?? true { self.progress = (settled, now) }
        if let progress, now - progress.at > Self.patience {
            throw BenchError("\(Int(settled)) of \(Int(self.target)) messages were settled, and no more")
        }
        guard let first else {
            if claimed > 0 { self.first = (settled, now) }
            return nil
        }
        guard settled >= self.target || now - first.at > self.limit, now > first.at else { return nil }
        return (settled - first.settled) / (now - first.at)
    }
}
