public import Messaging

/// The number of a row in `routes`.
public struct RouteID: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// Which messages go by which providers.
public struct Route: Sendable, Hashable {
    public var id: RouteID
    /// Nil: every account's.
    public var account: AccountID?
    public var channel: Channel
    /// What numbers begin with; empty for all, and for mails.
    public var prefix: String
    /// ISO 3166's two letters; nil for every country. Never beside a prefix.
    public var country: String?
    /// The sender that messages name; nil for any.
    public var sender: String?
    /// Nil for any.
    public var priority: Priority?
    /// Whether the targets share the messages by weight; otherwise the first that is well takes all.
    public var isWeighted: Bool
    /// How long a code that a provider took may be without a receipt until it goes on to the next target; nil: for ever.
    public var silenceLimit: Duration?
    /// 1 to ``targetLimit``, in the order of preference.
    public var targets: [RouteTarget]

    /// Targets of one route: each has a bit in ``TargetSet``.
    public static let targetLimit = 16

    public init(
        id: RouteID, account: AccountID? = nil, channel: Channel, prefix: String = "", country: String? = nil,
        sender: String? = nil, priority: Priority? = nil, isWeighted: Bool = false, silenceLimit: Duration? = nil,
        targets: [RouteTarget]
    ) {
        self.id = id
        self.account = account
        self.channel = channel
        self.prefix = prefix
        self.country = country
        self.sender = sender
        self.priority = priority
        self.isWeighted = isWeighted
        self.silenceLimit = silenceLimit
        self.targets = targets
    }
}

/// One provider of a route.
public struct RouteTarget: Sendable, Hashable {
    public var provider: ProviderID
    /// The way by which it carries the message: the route's own channel, or voice for a route of short messages.
    public var channel: Channel
    /// At rest: its share is this part of all targets' weights.
    public var weight: Int32
    /// Between these the measured delivery may move the weight.
    public var bounds: ClosedRange<Int32>
    /// False while its provider is switched off, or cannot be served here: nothing begins or goes on there. It keeps its place, which
    /// messages remember.
    public var isServed = true

    public static let weights: ClosedRange<Int32> = 0...1000
    public static let defaultWeight: Int32 = 100

    public init(
        provider: ProviderID, channel: Channel, weight: Int32 = Self.defaultWeight, bounds: ClosedRange<Int32>? = nil
    ) {
        self.provider = provider
        self.channel = channel
        self.weight = weight
        self.bounds = bounds ?? weight...weight
    }
}

/// Targets of a route, by their places: those that a message has been to.
public struct TargetSet: RawRepresentable, Sendable, Hashable {
    /// Bit n is set when target n is among them.
    public var rawValue: Int32
    public init(rawValue: Int32 = 0) { self.rawValue = rawValue }

    public func contains(_ index: Int) -> Bool { self.rawValue & (1 << Int32(index)) != 0 }

    public func inserting(_ index: Int) -> TargetSet { TargetSet(rawValue: self.rawValue | 1 << Int32(index)) }
}

/// What a route is looked for by.
public struct RouteQuery: Sendable {
    public var account: AccountID
    public var channel: Channel
    public var recipient: Recipient
    public var sender: String?
    public var priority: Priority

    public init(account: AccountID, channel: Channel, recipient: Recipient, sender: String?, priority: Priority) {
        self.account = account
        self.channel = channel
        self.recipient = recipient
        self.sender = sender
        self.priority = priority
    }
}
