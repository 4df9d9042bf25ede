extension FlatRun {
    /// Of the peak, what passes.
    private static let steadyShare = 0.1

    /// The memory of processes that work for long at a tenth of their peak: in the last minute against the first.
    func steady() async throws -> [Line] {
        self.tell("steady: the peak of messages through a provider")
        try await self.database.reset()
        try await self.deployment.start([.worker])
        let peak = try await self.measurements.deliver(through: .vonage, messagesPerRequest: 1, callers: 64)
        let rate = peak * Self.steadyShare
        self.tell("steady: \(Quantity.grouped(rate)) messages/s for \(self.flat.minutes) min")
        let watch = Task { await self.watchMemory() }
        defer { watch.cancel() }
        var load = self.measurements.load(
            .vonage, messagesPerRequest: 1, callers: 64,
            .openLoop(rate: rate, count: max(1, Int(rate * 60 * self.flat.minutes))))
        load.allowsRefusals = true
        let result = try await load.run()
        watch.cancel()
        let trail = await watch.value
        try await self.database.waitUntilSettled()
        if result.refused > 0 { self.tell("steady: \(result.refused) of \(result.requests) requests were refused") }
        await self.deployment.stop([.worker])
        return Figures.databaseRoles.map { role in
            let (first, last) = trail.ends(of: role)
            return Line(
                name: "memory_\(role)", what: "memory of each \(role), last minute against first", unit: .mebibytes,
                figure: last, against: first, expectation: .atMost(1.1))
        }
    }

    private func watchMemory() async -> MemoryTrail {
        var trail = MemoryTrail()
        while !Task.isCancelled {
            trail.samples.append(self.deployment.memory)
            try? await Task.sleep(for: MemoryTrail.interval)
        }
        return trail
    }
}

/// The memory of processes over time, looked at in regular intervals.
struct MemoryTrail {
    static let interval = Duration.seconds(1)
    /// Samples in a minute.
    private static let minute = 60

    /// MiB, of the largest process of each role.
    var samples: [[RoleName: Double]] = []

    /// The mean of the first minute and of the last; of the first and the last third of what is shorter than three.
    func ends(of role: RoleName) -> (first: Double?, last: Double?) {
        let samples = self.samples.compactMap { $0[role] }
        guard !samples.isEmpty else { return (nil, nil) }
        let count = max(1, min(Self.minute, samples.count / 3))
        return (Array(samples.prefix(count)).mean, Array(samples.suffix(count)).mean)
    }
}
