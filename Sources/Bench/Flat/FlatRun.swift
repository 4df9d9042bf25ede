/// The parts of ``Bench/runFlat(_:_:)``, each in a file of its own. Each begins with empty tables of messages.
struct FlatRun {
    let measurements: Measurements
    let flat: Bench.FlatOptions
    let options: Bench.Options

    /// Against what a figure without may be, with what is tried: within the noise of a quiet machine.
    static let sameRate = Line.Expectation.atLeast(0.95)

    init(_ measurements: Measurements, _ flat: Bench.FlatOptions, _ options: Bench.Options) {
        self.measurements = measurements
        self.flat = flat
        self.options = options
    }

    var database: BenchDatabase { self.measurements.database }
    var deployment: Deployment { self.measurements.deployment }

    func measure() async throws -> [Line] {
        try await self.deployment.prepare()
        try await self.deployment.start([.carrier, .receiver, .api])
        var lines: [Line] = []
        if self.flat.parts.contains(.future) { lines += try await self.future() }
        if self.flat.parts.contains(.open) { lines += try await self.open() }
        if !self.flat.parts.isDisjoint(with: [.history, .drop]) { lines += try await self.withHistory() }
        if self.flat.parts.contains(.spread) { lines += try await self.spread() }
        if self.flat.parts.contains(.steady) { lines += try await self.steady() }
        return lines
    }

    func tell(_ text: String) { self.options.progress(text) }

    /// Without, with, with, without: what only grows or only shrinks falls on both.
    func inTurns<Value>(
        without: () async throws -> Value, with: () async throws -> Value
    ) async throws -> (without: [Value], with: [Value]) {
        let first = try await without()
        let middle = [try await with(), try await with()]
        return ([first, try await without()], middle)
    }
}

extension [Double] {
    /// Of at least one.
    var mean: Double { self.reduce(0, +) / Double(self.count) }
}
