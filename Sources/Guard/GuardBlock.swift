public import Messaging
public import Timestamps

/// Something that nothing is sent to, or for.
public struct GuardBlock: Sendable, Hashable {
    public enum Scope: String, Sendable, Hashable, CaseIterable {
        /// One number, an address, a device: kept as keyed hashes.
        case number, address, device
        /// What numbers begin with, in clear.
        case prefix
        /// ISO 3166, or as policies name one.
        case country
        /// `sms` or `voice`.
        case channel
        /// All of an account's texts and calls; its value is empty.
        case account

        public var isHashed: Bool { [.number, .address, .device].contains(self) }
    }

    /// Nil: of all accounts.
    public var account: AccountID?
    public var scope: Scope
    public var value: String
    /// Nil: until somebody lifts it.
    public var until: Timestamp?
    /// Made by the guard itself, and not by an operator.
    public var isGuards: Bool

    public init(account: AccountID?, scope: Scope, value: String, until: Timestamp?, isGuards: Bool = false) {
        self.account = account
        self.scope = scope
        self.value = value
        self.until = until
        self.isGuards = isGuards
    }
}

extension GuardBlock {
    /// How long the guard's first block of something lasts; each further one within ``memory`` lasts twice as long.
    public static let firstDuration = Duration.seconds(900)
    /// The guard's blocks of one thing after which the next is in force until an operator has looked at it: 32 hours before.
    public static let permanentLevel: Int16 = 8
    /// How long a block counts when the next is made.
    public static let memory = Duration.seconds(7 * 86_400)
}

/// The blocks in force, found by what a message is to and for.
public struct GuardBlocks: Sendable {
    private struct Place: Hashable {
        var account: AccountID?
        var scope: GuardBlock.Scope
        var value: String
        var isGuards = false
    }

    /// The longest of each; `.some(nil)` lasts.
    private var until: [Place: Timestamp?] = [:]
    /// What an operator has lifted for a time: the guard makes no block of it until then.
    private var lifted: [Place: Timestamp] = [:]
    /// Lengths of the prefixes that there are, so that a number is looked up as often as need be.
    private var prefixLengths: Set<Int> = []
    /// Whether there are any that are kept as hashes.
    public private(set) var needsHashes = false

    public init(_ blocks: [GuardBlock] = [], lifted: [GuardBlock] = []) {
        for block in blocks { self.insert(block) }
        for block in lifted {
            self.lifted[Place(account: block.account, scope: block.scope, value: block.value)] = block.until
        }
    }

    public mutating func insert(_ block: GuardBlock) {
        let place = Place(
            account: block.account, scope: block.scope, value: block.value, isGuards: block.isGuards)
        if case .some(let known) = self.until[place] {
            guard let known, let until = block.until else { return self.until[place] = .some(nil) }
            self.until[place] = .some(max(known, until))
        } else {
            self.until[place] = .some(block.until)
        }
        if block.scope == .prefix { self.prefixLengths.insert(block.value.utf8.count) }
        if block.scope.isHashed { self.needsHashes = true }
    }

    /// How long something stays blocked: nil when it is not, `.some(nil)` until it is lifted. `isSafe`: by operators alone.
    public func wait(
        _ scope: GuardBlock.Scope, _ value: String, account: AccountID, isSafe: Bool = false, at now: Timestamp
    ) -> Duration?? {
        if self.until.isEmpty { return nil }
        var longest: Duration?? = nil
        for (owner, isGuards) in [(account, false), (nil, false), (account, true), (nil, true)]
        where !(isSafe && isGuards) {
            let place = Place(account: owner, scope: scope, value: value, isGuards: isGuards)
            guard case .some(let until) = self.until[place] else { continue }
            guard let until else { return .some(nil) }
            if until > now { longest = .some(max(until - now, longest.flatMap { $0 } ?? .zero)) }
        }
        return longest
    }

    /// The same of whatever a number begins with.
    public func wait(
        prefixOf number: String, account: AccountID, isSafe: Bool = false, at now: Timestamp
    ) -> Duration?? {
        var longest: Duration?? = nil
        for length in self.prefixLengths where length <= number.utf8.count {
            let wait = self.wait(.prefix, String(number.prefix(length)), account: account, isSafe: isSafe, at: now)
            guard case .some(let wait) = wait else { continue }
            guard let wait else { return .some(nil) }
            longest = .some(max(wait, longest.flatMap { $0 } ?? .zero))
        }
        return longest
    }

    /// Whether an operator has said that the guard is to leave this alone for a time.
    func isLifted(_ scope: GuardBlock.Scope, _ value: String, account: AccountID, at now: Timestamp) -> Bool {
        let place = Place(account: account, scope: scope, value: value)
        return self.lifted[place].map { $0 > now } ?? false
    }
}
