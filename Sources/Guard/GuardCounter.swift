public import Messaging

/// What is counted.
public enum GuardKind: Int16, Sendable, Hashable, CaseIterable {
    case number = 0
    /// A number over all accounts.
    case everywhere = 1
    /// Numbers that differ in their last four digits, and in their last three.
    case block = 2
    case halfBlock = 3
    /// The first three digits behind the country code: a network, or a part of one.
    case network = 4
    case country = 5
    case account = 6
    case address = 7
    case device = 8
    /// Guesses: wrong ones are counted as sent, right ones as used.
    case guessAddress = 9
    case guessDevice = 10
    case guessAccount = 11
    /// Those of whose user nothing is known.
    case guessAnonymous = 12
    /// Codes of the account's own making, which it alone can say of whether they were used.
    case reported = 13
    /// Money, in its smallest unit.
    case spendText = 14
    case spendVoice = 15

    /// Of the shorter window; the longer is a day.
    var shortWindow: Int64 {
        switch self {
        case .network, .country, .account, .guessAccount, .guessAnonymous, .reported, .spendText, .spendVoice: 3600
        default: 600
        }
    }

    /// How much a process counts alone before it tells the others. Most numbers get a code or two, of which nobody need know.
    var shareThreshold: Int64 {
        switch self {
        case .number, .everywhere, .address, .device, .halfBlock: 2
        case .block: 3
        default: 1
        }
    }

    /// There are few of these, and they count most.
    var isBroad: Bool {
        switch self {
        case .number, .everywhere, .block, .halfBlock, .address, .device, .guessAddress, .guessDevice: false
        default: true
        }
    }
}

/// Whose count it is.
public struct GuardKey: Sendable, Hashable {
    /// 0 for what is counted over all accounts.
    public var account: AccountID
    public var kind: GuardKind
    /// A number or its beginning, a country, an address, a device.
    public var value: String

    public init(account: AccountID, kind: GuardKind, value: String) {
        self.account = account
        self.kind = kind
        self.value = value
    }
}

/// Prints without its value, which may be a number.
extension GuardKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(self.kind) of account \(self.account.rawValue)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// How many were sent, and how many of them used.
public struct GuardCount: Sendable, Hashable {
    public var sent: Int64
    public var used: Int64

    public init(sent: Int64 = 0, used: Int64 = 0) {
        self.sent = sent
        self.used = used
    }

    public static func + (left: GuardCount, right: GuardCount) -> GuardCount {
        GuardCount(sent: left.sent + right.sent, used: left.used + right.used)
    }

    public static func - (left: GuardCount, right: GuardCount) -> GuardCount {
        GuardCount(sent: left.sent - right.sent, used: left.used - right.used)
    }

    public static func += (left: inout GuardCount, right: GuardCount) { left = left + right }

    /// By how much those sent are ahead of what the used ones account for. More may be used than were sent: what is told twice, and
    /// what was sent in the window before.
    var ahead: Int64 { max(0, self.sent - GuardState.usedWorth * self.used) }
}

/// A sliding window: what fell into the running one, and as much of the one before as still counts.
struct GuardWindow: Sendable, Hashable {
    /// Of the running window, in lengths of it since 1970.
    private(set) var index: Int64 = 0
    /// All processes' as far as is known, and this one's.
    private(set) var current = GuardCount()
    private(set) var previous = GuardCount()
    /// Of ``current``, what the others do not know yet.
    private(set) var unshared = GuardCount()

    init(
        index: Int64 = 0, current: GuardCount = GuardCount(), previous: GuardCount = GuardCount(),
        unshared: GuardCount = GuardCount()
    ) {
        self.index = index
        self.current = current
        self.previous = previous
        self.unshared = unshared
    }

    mutating func add(_ count: GuardCount, at second: Int64, length: Int64) {
        self.move(to: second / length)
        self.current += count
        self.unshared += count
    }

    /// As of a moment, with the window before counted by the part of it that is within one length.
    func count(at second: Int64, length: Int64) -> GuardCount {
        // A clock that has stepped back is still in the window that it was in.
        let index = max(second / length, self.index)
        let rest = index == second / length ? length - second % length : length
        let share = { (count: GuardCount) in
            GuardCount(sent: count.sent * rest / length, used: count.used * rest / length)
        }
        if index == self.index { return self.current + share(self.previous) }
        return index == self.index + 1 ? share(self.current) : GuardCount()
    }

    /// Only what fell into the window that runs.
    func running(at second: Int64, length: Int64) -> GuardCount {
        second / length <= self.index ? self.current : GuardCount()
    }

    /// All that fell into the window before the running one.
    func before(at second: Int64, length: Int64) -> GuardCount {
        switch second / length - self.index {
        case ...0: self.previous
        case 1: self.current
        default: GuardCount()
        }
    }

    func isWorthTelling(_ kind: GuardKind) -> Bool {
        let isMuch = self.current.sent >= kind.shareThreshold || self.unshared.used != 0
        return self.unshared != GuardCount() && (isMuch || self.unshared.sent < 0)
    }

    /// What the others are to be told, which counts as told from here on.
    mutating func takeUnshared() -> GuardCount {
        defer { self.unshared = GuardCount() }
        return self.unshared
    }

    /// What all have counted together; `previous` of the window before.
    mutating func learn(_ total: GuardCount, previous: GuardCount, index: Int64) {
        guard index == self.index else { return }
        self.current = total + self.unshared
        // What this process counted alone, and never told, stays.
        if previous.sent > self.previous.sent { self.previous = previous }
    }

    /// They could not be told.
    mutating func giveBack(_ count: GuardCount, index: Int64) {
        guard index == self.index else { return }
        self.unshared += count
    }

    private mutating func move(to index: Int64) {
        guard index > self.index else { return }
        self.previous = index == self.index + 1 ? self.current : GuardCount()
        self.current = GuardCount()
        self.unshared = GuardCount()
        self.index = index
    }
}

struct GuardCounter: Sendable, Hashable {
    static let day: Int64 = 86_400

    var short = GuardWindow()
    var day = GuardWindow()
    /// The last four digits of the number that came last in a block.
    var lastNumber: Int32 = -1
    /// Whether the others have told what they have counted today and yesterday.
    var isLearned = false
    /// Whether it is among those of which the others are to be told.
    var isQueued = false

    subscript(isDay isDay: Bool) -> GuardWindow {
        get { isDay ? self.day : self.short }
        set { if isDay { self.day = newValue } else { self.short = newValue } }
    }

    /// Whether the others should know what they do not.
    func isWorthTelling(_ kind: GuardKind) -> Bool {
        self.short.isWorthTelling(kind) || self.day.isWorthTelling(kind)
    }

    mutating func add(_ count: GuardCount, kind: GuardKind, at second: Int64) {
        self.short.add(count, at: second, length: kind.shortWindow)
        self.day.add(count, at: second, length: Self.day)
    }
}
