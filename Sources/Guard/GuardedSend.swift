public import Messaging
public import PhoneNumbers

/// Whose user a message is for, as far as the customer tells: its own users' addresses and devices.
public struct GuardCaller: Sendable, Hashable {
    /// An IPv4 address, or the first 64 bits of an IPv6 address: what one household has.
    public var address: String?
    /// The customer's name for it.
    public var device: String?

    public init(address: String? = nil, device: String? = nil) {
        self.address = address
        self.device = device
    }
}

extension GuardCaller: CustomStringConvertible, CustomReflectable {
    public var description: String { "caller" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A text or a call that is to be judged.
public struct GuardedSend: Sendable {
    public var account: AccountID
    /// In its canonical form.
    public var number: PhoneNumber
    public var range: PhoneNumberRange
    public var channel: Channel
    /// Of the priority `otp`: only these are looked at for how many there are, and for what becomes of them.
    public var isCode: Bool
    /// Whether this service sees when the code is used; otherwise the customer has to tell.
    public var isVerification: Bool
    /// Of all of its segments; nil without a price.
    public var cost: Money?
    public var caller: GuardCaller

    public init(
        account: AccountID, number: PhoneNumber, range: PhoneNumberRange, channel: Channel, isCode: Bool,
        isVerification: Bool, cost: Money?, caller: GuardCaller = GuardCaller()
    ) {
        self.account = account
        self.number = number
        self.range = range
        self.channel = channel
        self.isCode = isCode
        self.isVerification = isVerification
        self.cost = cost
        self.caller = caller
    }
}

/// What a message that was let pass counts for, to be taken back when it is not sent after all.
public struct GuardPass: Sendable {
    var counts: [(key: GuardKey, count: GuardCount)] = []
    public init() {}
}

/// What the guard makes of a message.
public struct GuardVerdict: Sendable {
    /// Nil: it may go.
    public var refusal: GuardRefusal?
    /// Why it would have been refused, were the account not only watched.
    public var watched: GuardReason?
    public var pass = GuardPass()
    /// A block that has come into force with it.
    public var block: (block: GuardBlock, reason: GuardReason)?
    /// What a day's messages to this country may cost before somebody looks has been spent with it.
    public var softCapReached = false
    /// Nobody tells whether the account's codes are used.
    public var lacksFeedback = false
    /// For the tables.
    public var country: String

    /// Of a message that may go, and counts for nothing.
    public init(country: String = "") { self.country = country }
}

/// Numbers as counters go by them.
struct GuardLevels {
    let number: String
    let block: String
    let halfBlock: String
    let network: String
    let lastDigits: Int32

    init(_ number: PhoneNumber, _ range: PhoneNumberRange) {
        self.number = number.e164
        self.block = String(number.e164.dropLast(4))
        self.halfBlock = String(number.e164.dropLast(3))
        let code = range.countryCode.map { "\($0)".utf8.count } ?? 3
        // A plus sign, the country code and three digits, but never the whole of a short number.
        self.network = String(number.e164.prefix(min(1 + code + 3, number.e164.utf8.count - 4)))
        self.lastDigits = Int32(number.e164.suffix(4)) ?? 0
    }
}
