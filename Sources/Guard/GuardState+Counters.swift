import Messaging
public import Timestamps

// Counting, and what processes tell each other of it.
extension GuardState {
    /// What one process tells the others of one window, and what they tell it.
    public struct Share: Sendable, Hashable {
        public var key: GuardKey
        public var isDay: Bool
        /// Of the window, in lengths since 1970.
        public var index: Int64
        public var count: GuardCount

        /// When the window began.
        public var since: Timestamp { Timestamp(seconds: self.index * self.length.components.seconds) }
        public var length: Duration {
            .seconds(self.isDay ? GuardCounter.day : self.key.kind.shortWindow)
        }
    }

    /// What all processes have counted in the window of a ``Share``, and in the one before.
    public struct Total: Sendable, Hashable {
        public var current: GuardCount
        public var previous: GuardCount

        public init(current: GuardCount, previous: GuardCount) {
            self.current = current
            self.previous = previous
        }
    }

    /// What the others do not know yet, the most first and at most `limit`; it counts as told until ``giveBack(_:)``.
    public mutating func takeShares(limit: Int) -> [Share] {
        var shares: [Share] = []
        // What is to be dropped is told before.
        let isFull = self.counters.count > Self.counterLimit / 2
        for (key, counter) in self.counters {
            for (isDay, window) in [(false, counter.short), (true, counter.day)]
            where isFull && window.unshared != GuardCount() || Self.isWorthTelling(window, key.kind) {
                shares.append(Share(key: key, isDay: isDay, index: window.index, count: window.unshared))
            }
        }
        if shares.count > limit {
            shares.sort { Self.size($0.count) > Self.size($1.count) }
            shares.removeLast(shares.count - limit)
        }
        for share in shares { _ = self.counters[share.key]?[isDay: share.isDay].takeUnshared() }
        return shares
    }

    public mutating func learn(_ total: Total, of share: Share) {
        self.counters[share.key]?[isDay: share.isDay]
            .learn(total.current, previous: total.previous, index: share.index)
        if share.isDay, self.counters[share.key]?.day.index == share.index {
            self.counters[share.key]?.isLearned = true
        }
    }

    /// They could not be told.
    public mutating func giveBack(_ shares: [Share]) {
        for share in shares { self.counters[share.key]?[isDay: share.isDay].giveBack(share.count, index: share.index) }
    }

    /// Forgets what no longer counts; of what there is much of, also what the others know and nothing was added to for an hour, and
    /// only when there is no room left, what counts least.
    public mutating func tidy(at now: Timestamp) {
        let day = now.seconds / GuardCounter.day
        self.aheadSince = self.aheadSince.filter { now - $0.value < .seconds(GuardCounter.day) }
        self.counters = self.counters.filter { $0.value.day.index >= day - 1 }
        if self.counters.count > Self.counterLimit / 2 {
            self.counters = self.counters.filter { key, counter in
                let isYoung = (counter.short.index + 1) * key.kind.shortWindow > now.seconds - Self.coldAfter
                return key.kind.isBroad || isYoung || counter.day.unshared != GuardCount()
            }
        }
        for least: Int64 in [1, 2, 4, .max] where self.counters.count >= Self.counterLimit {
            self.counters = self.counters.filter { key, counter in
                key.kind.isBroad || counter.day.current.sent + counter.day.previous.sent > least
            }
        }
    }

    // MARK: - For the judgements

    mutating func add(_ count: GuardCount, to key: GuardKey, at now: Timestamp) {
        // An attack with numbers without end is no reason to use memory without end.
        guard self.counters[key] != nil || self.counters.count < Self.counterLimit || key.kind.isBroad else { return }
        self.counters[key, default: GuardCounter()].add(count, kind: key.kind, at: now.seconds)
    }

    /// `isRunning`: of the running window alone, as a day's budget is.
    func count(
        _ key: GuardKey, at now: Timestamp, _ window: KeyPath<GuardCounter, GuardWindow>, isRunning: Bool = false
    ) -> GuardCount {
        guard let counter = self.counters[key] else { return GuardCount() }
        let length = window == \.day ? GuardCounter.day : key.kind.shortWindow
        let found = counter[keyPath: window]
        return isRunning
            ? found.running(at: now.seconds, length: length) : found.count(at: now.seconds, length: length)
    }

    /// How long a limit holds one up; nil when it does not.
    func wait(
        _ key: GuardKey, _ limit: GuardPolicy.Limit, _ amount: KeyPath<GuardCount, Int64>, at now: Timestamp
    ) -> Duration? {
        if self.count(key, at: now, \.day)[keyPath: amount] >= limit.day { return .seconds(3600) }
        return self.count(key, at: now, \.short)[keyPath: amount] >= limit.short ? Self.restOfShort(key, now) : nil
    }

    static func restOfShort(_ key: GuardKey, _ now: Timestamp) -> Duration {
        .seconds(key.kind.shortWindow - now.seconds % key.kind.shortWindow)
    }

    // MARK: - Private

    private static func isWorthTelling(_ window: GuardWindow, _ kind: GuardKind) -> Bool {
        let isMuch = window.current.sent >= kind.shareThreshold || window.unshared.used != 0
        return window.unshared != GuardCount() && (isMuch || window.unshared.sent < 0)
    }

    private static func size(_ count: GuardCount) -> Int64 { abs(count.sent) + abs(count.used) }
}

extension GuardKind {
    /// There are few of these, and they count most.
    var isBroad: Bool { ![.number, .everywhere, .block, .halfBlock, .address, .device].contains(self) }
}

extension GuardCounter {
    subscript(isDay isDay: Bool) -> GuardWindow {
        get { isDay ? self.day : self.short }
        set { if isDay { self.day = newValue } else { self.short = newValue } }
    }
}
