/// A limit of so many a second, as a clock that runs ahead: each grant moves it by an interval, and nothing is granted
/// while it is more than `tolerance` ahead of now. (The generic cell rate algorithm, ITU-T I.371 annex A.)
///
/// In no second, its end not counted, more than `rate` are granted, rounded up to a whole number. The tolerance allows
/// for a caller that comes late, and has its price: the interval is (1 s + `tolerance`) / `rate`, without which it would
/// be granted on top of the rate.
struct Pace: Sendable {
    /// Grants a second, over all who share this pace.
    private(set) var rate: Double
    private let tolerance: Duration
    private var reached: ContinuousClock.Instant?

    init(rate: Double, tolerance: Duration = .milliseconds(20)) {
        self.rate = max(rate, 0.001)
        self.tolerance = tolerance
    }

    mutating func setRate(_ rate: Double) { self.rate = max(rate, 0.001) }

    /// How many of `wanted` may go now; they count as gone. At least one when any may.
    mutating func grant(upTo wanted: Int, now: ContinuousClock.Instant) -> Int {
        let start = max(self.reached ?? now, now)
        let room = now + self.tolerance - start
        guard room >= .zero, wanted > 0 else { return 0 }
        let interval = (1 + self.tolerance.seconds) / self.rate
        let count = min(wanted, max(1, Int(room.seconds / interval)))
        self.reached = start + .seconds(Double(count) * interval)
        return count
    }

    /// When the next one may go.
    func next(now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard let reached = self.reached else { return now }
        return max(now, reached - self.tolerance)
    }

    /// Nothing goes before `moment`: the provider asked for a pause.
    mutating func pause(until moment: ContinuousClock.Instant) {
        self.reached = max(self.reached ?? moment, moment + self.tolerance)
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}
