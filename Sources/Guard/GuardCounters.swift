/// Counters by what they count.
///
/// Of numbers, addresses and devices there are a great many with small counts: those lie packed, in less than half of the room.
struct GuardCounters: Sendable {
    private var packed: [GuardKey: PackedGuardCounter] = [:]
    /// Of what there are few, and what has outgrown its packing.
    private var whole: [GuardKey: GuardCounter] = [:]

    var count: Int { self.packed.count + self.whole.count }

    subscript(_ key: GuardKey) -> GuardCounter? {
        if !key.kind.isBroad, let found = self.packed[key] { return found.counter }
        return self.whole[key]
    }

    /// Changes a counter where there is one; returns nil where there is none.
    @discardableResult
    mutating func update<Result>(_ key: GuardKey, _ change: (inout GuardCounter) -> Result) -> Result? {
        if !key.kind.isBroad, let index = self.packed.index(forKey: key) {
            var counter = self.packed.values[index].counter
            let result = change(&counter)
            if let packed = PackedGuardCounter(counter) {
                self.packed.values[index] = packed
            } else {
                self.packed.remove(at: index)
                self.whole[key] = counter
            }
            return result
        }
        guard let index = self.whole.index(forKey: key) else { return nil }
        return change(&self.whole.values[index])
    }

    /// Takes a counter in that is not there yet.
    mutating func insert(_ counter: GuardCounter, for key: GuardKey) {
        if !key.kind.isBroad, let packed = PackedGuardCounter(counter) {
            self.packed[key] = packed
        } else {
            self.whole[key] = counter
        }
    }

    /// One by one: a filtered copy would need as much room again.
    mutating func removeAll(where isUseless: (GuardKey, GuardCounter) -> Bool) {
        var useless: [GuardKey] = []
        for (key, counter) in self.packed where isUseless(key, counter.counter) { useless.append(key) }
        for key in useless { self.packed[key] = nil }
        useless.removeAll()
        for (key, counter) in self.whole where isUseless(key, counter) { useless.append(key) }
        for key in useless { self.whole[key] = nil }
    }
}

/// A counter in 36 bytes.
private struct PackedGuardCounter: Sendable {
    private var short: PackedGuardWindow
    private var day: PackedGuardWindow
    /// 0...9999; -1 for none.
    private var lastNumber: Int16
    private var flags: UInt8

    private static let isLearned: UInt8 = 1
    private static let isQueued: UInt8 = 2

    /// Nil when a count is too large.
    init?(_ counter: GuardCounter) {
        guard
            let short = PackedGuardWindow(counter.short), let day = PackedGuardWindow(counter.day),
            let lastNumber = Int16(exactly: counter.lastNumber)
        else { return nil }
        self.short = short
        self.day = day
        self.lastNumber = lastNumber
        self.flags = (counter.isLearned ? Self.isLearned : 0) | (counter.isQueued ? Self.isQueued : 0)
    }

    var counter: GuardCounter {
        GuardCounter(
            short: self.short.window, day: self.day.window, lastNumber: Int32(self.lastNumber),
            isLearned: self.flags & Self.isLearned != 0, isQueued: self.flags & Self.isQueued != 0)
    }
}

private struct PackedGuardWindow: Sendable {
    private var index: Int32
    private var current: PackedGuardCount
    private var previous: PackedGuardCount
    private var unshared: PackedGuardCount

    init?(_ window: GuardWindow) {
        guard
            let index = Int32(exactly: window.index), let current = PackedGuardCount(window.current),
            let previous = PackedGuardCount(window.previous), let unshared = PackedGuardCount(window.unshared)
        else { return nil }
        self.index = index
        self.current = current
        self.previous = previous
        self.unshared = unshared
    }

    var window: GuardWindow {
        GuardWindow(
            index: Int64(self.index), current: self.current.count, previous: self.previous.count,
            unshared: self.unshared.count)
    }
}

private struct PackedGuardCount: Sendable {
    private var sent: Int16
    private var used: Int16

    init?(_ count: GuardCount) {
        guard let sent = Int16(exactly: count.sent), let used = Int16(exactly: count.used) else { return nil }
        self.sent = sent
        self.used = used
    }

    var count: GuardCount { GuardCount(sent: Int64(self.sent), used: Int64(self.used)) }
}
