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

    /// What the others do not know yet, of the `limit` counters of which that is most; it counts as told until ``giveBack(_:)``.
    public mutating func takeShares(limit: Int) -> [Share] {
        var waiting = (self.broadQueue + self.queue.prefix(Self.candidateLimit)).map { key in
            (key: key, untold: self.counters[key]?.untold(key.kind) ?? 0)
        }
        waiting.sort { $0.untold > $1.untold }
        self.broadQueue.removeAll()
        self.queue.removeFirst(min(Self.candidateLimit, self.queue.count))
        for (key, untold) in waiting.dropFirst(limit) {
            // Its window has passed meanwhile: it waits again when there is something new.
            if untold > 0 { self.enqueue(key) } else { self.counters.update(key) { $0.isQueued = false } }
        }
        return waiting.prefix(limit).flatMap { self.take($0.key) }
    }

    public mutating func learn(_ total: Total, of share: Share) {
        self.counters.update(share.key) { counter in
            counter[isDay: share.isDay].learn(total.current, previous: total.previous, index: share.index)
            if share.isDay, counter.day.index == share.index { counter.isLearned = true }
        }
    }

    /// They could not be told.
    public mutating func giveBack(_ shares: [Share]) {
        for share in shares {
            self.change(share.key) { $0[isDay: share.isDay].giveBack(share.count, index: share.index) }
        }
    }

    /// Forgets what no longer counts: at midnight what is of the day before yesterday; of what there is much of, what nothing was
    /// added to for an hour; and only when there is no room left, what counts least.
    public mutating func tidy(at now: Timestamp) {
        self.aheadSince = self.aheadSince.filter { now - $0.value < .seconds(GuardCounter.day) }
        let day = now.seconds / GuardCounter.day
        if day != self.tidiedDay {
            self.tidiedDay = day
            self.forget { $1.day.index < day - 1 }
        }
        self.forgetCold(at: now)
        for least: Int64 in [1, 2, 4, .max] where self.counters.count >= Self.counterLimit {
            self.forget { key, counter in !key.kind.isBroad && counter.weight <= least }
        }
    }

    // MARK: - For the judgements

    mutating func add(_ count: GuardCount, to key: GuardKey, at now: Timestamp) {
        if self.change(key, { $0.add(count, kind: key.kind, at: now.seconds) }) { return }
        // An attack with numbers without end is no reason to use memory without end.
        guard self.counters.count < Self.counterLimit || key.kind.isBroad else { return }
        var counter = GuardCounter()
        counter.add(count, kind: key.kind, at: now.seconds)
        counter.isQueued = counter.isWorthTelling(key.kind)
        if counter.isQueued { self.enqueue(key) }
        self.counters.insert(counter, for: key)
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
        guard let counter = self.counters[key] else { return nil }
        let day = counter.day.count(at: now.seconds, length: GuardCounter.day)
        if day[keyPath: amount] >= limit.day { return .seconds(3600) }
        let short = counter.short.count(at: now.seconds, length: key.kind.shortWindow)
        return short[keyPath: amount] >= limit.short ? Self.restOfShort(key, now) : nil
    }

    static func restOfShort(_ key: GuardKey, _ now: Timestamp) -> Duration {
        .seconds(key.kind.shortWindow - now.seconds % key.kind.shortWindow)
    }

    // MARK: - Private

    /// Changes a counter, of which the others may then have to be told. False when there is none.
    @discardableResult
    private mutating func change(_ key: GuardKey, _ change: (inout GuardCounter) -> Void) -> Bool {
        let isNew = self.counters.update(key) { counter in
            change(&counter)
            guard !counter.isQueued, counter.isWorthTelling(key.kind) else { return false }
            counter.isQueued = true
            return true
        }
        if isNew == true { self.enqueue(key) }
        return isNew != nil
    }

    /// What is forgotten waits for nothing: counted anew, it would wait twice.
    private mutating func forget(where isUseless: (GuardKey, GuardCounter) -> Bool) {
        self.counters.removeAll(where: isUseless)
        let counters = self.counters
        self.queue.removeAll { counters[$0] == nil }
        self.broadQueue.removeAll { counters[$0] == nil }
    }

    /// Looking through all for the old ones takes a while, in which nothing is judged: once in some minutes is enough.
    private mutating func forgetCold(at now: Timestamp) {
        guard self.counters.count > Self.counterLimit / 2 else { return }
        if let soughtColdAt, now - soughtColdAt < Self.coldSearchInterval { return }
        self.soughtColdAt = now
        self.forget { key, counter in
            let isYoung = (counter.short.index + 1) * key.kind.shortWindow > now.seconds - Self.coldAfter
            return !key.kind.isBroad && !isYoung && !counter.isQueued
        }
    }

    private mutating func enqueue(_ key: GuardKey) {
        if key.kind.isBroad { self.broadQueue.append(key) } else { self.queue.append(key) }
    }

    /// Both windows of a counter, as far as they are worth telling.
    private mutating func take(_ key: GuardKey) -> [Share] {
        self.counters.update(key) { counter in
            counter.isQueued = false
            return [false, true].filter { counter[isDay: $0].isWorthTelling(key.kind) }.map { isDay in
                let count = counter[isDay: isDay].takeUnshared()
                return Share(key: key, isDay: isDay, index: counter[isDay: isDay].index, count: count)
            }
        } ?? []
    }
}

extension GuardCounter {
    /// How much it is that the others are to be told.
    fileprivate func untold(_ kind: GuardKind) -> Int64 {
        [self.short, self.day].filter { $0.isWorthTelling(kind) }.map { abs($0.unshared.sent) + abs($0.unshared.used) }
            .max() ?? 0
    }

    /// How much there was in two days.
    fileprivate var weight: Int64 {
        self.day.current.sent + self.day.current.used + self.day.previous.sent + self.day.previous.used
    }
}
