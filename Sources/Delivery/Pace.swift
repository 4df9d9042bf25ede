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
        self.rate = Self.sane(rate)
        self.tolerance = tolerance
    }

    mutating func setRate(_ rate: Double) { self.rate = Self.sane(rate) }

    /// None at all, or at least one in a quarter of an hour.
    private static func sane(_ rate: Double) -> Double { rate > 0 ? max(rate, 0.001) : 0 }

    /// How many of `wanted` may go now; they count as gone. At least one when any may.
    mutating func grant(upTo wanted: Int, now: ContinuousClock.Instant) -> Int {
        self.grant(repeatElement(1, count: max(0, wanted)), now: now)
    }

    /// How many may go now of those that cost so much each, in their order; they count as gone. At least one when any may, whatever it
    /// costs: what it takes beyond the room is waited for afterwards.
    mutating func grant(_ costs: some Sequence<Int>, now: ContinuousClock.Instant) -> Int {
        let start = max(self.reached ?? now, now)
        let room = now + self.tolerance - start
        guard room >= .zero, self.rate > 0 else { return 0 }
        let interval = (1 + self.tolerance.seconds) / self.rate
        let most = max(1, Int(room.seconds / interval))
        var (count, taken) = (0, 0)
        for cost in costs {
            guard count == 0 || taken + cost <= most else { break }
            count += 1
            taken += cost
        }
        if count > 0 { self.reached = start + .seconds(Double(taken) * interval) }
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
