import Synchronization

/// A number that only grows. Adding is one atomic instruction.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    init() {}

    /// `amount` is not negative.
    public func add(_ amount: Int = 1) {
        precondition(amount >= 0, "a counter only grows")
        self.count.wrappingAdd(amount, ordering: .relaxed)
    }

    public var value: Int { self.count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    public func set(_ value: Double) { self.bits.store(value.bitPattern, ordering: .relaxed) }
    public func set(_ value: Int) { self.set(Double(value)) }

    public func add(_ amount: Double) {
        var old = self.bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let result = self.bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if result.exchanged { return }
            old = result.original
        }
    }

    public func add(_ amount: Int) { self.add(Double(amount)) }

    public var value: Double { Double(bitPattern: self.bits.load(ordering: .relaxed)) }
}

/// How values spread over fixed buckets.
public final class Histogram: Sendable {
    /// Seconds, for what waits on a network: 1 ms to 60 s.
    public static let latencyBuckets: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// Counts, for batches and queues: 1 to 10,000.
    public static let sizeBuckets: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]

    struct Values {
        /// One a bucket and one for what is above them all; not cumulative.
        var counts: [UInt64]
        var sum: Double
    }

    /// Upper bounds, inclusive, ascending.
    let bounds: [Double]
    private let state: Mutex<Values>

    init(bounds: [Double]) {
        precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy(<), "buckets ascend")
        self.bounds = bounds
        self.state = Mutex(Values(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    public func observe(_ value: Double) {
        let bucket = self.bounds.firstIndex { value <= $0 } ?? self.bounds.count
        self.state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    /// In seconds.
    public func observe(_ duration: Duration) {
        let parts = duration.components
        self.observe(Double(parts.seconds) + Double(parts.attoseconds) / 1e18)
    }

    var values: Values { self.state.withLock { $0 } }
}
