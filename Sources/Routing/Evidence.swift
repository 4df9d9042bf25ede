public import Messaging

/// What became lately of a provider's messages in the countries of one calling code.
public struct Evidence: Sendable, Hashable {
    public var provider: ProviderID
    public var channel: Channel
    /// The calling code with its plus sign; empty for mails.
    public var country: String
    /// Handed over.
    public var sent: Int64
    public var delivered: Int64
    /// Nil when nobody told of any whether it converted.
    public var converted: Int64?

    public init(
        provider: ProviderID, channel: Channel, country: String, sent: Int64, delivered: Int64, converted: Int64?
    ) {
        self.provider = provider
        self.channel = channel
        self.country = country
        self.sent = sent
        self.delivered = delivered
        self.converted = converted
    }
}

/// A step of one weight, from what was read.
public struct WeightMove: Sendable, Hashable {
    public var route: RouteID
    public var provider: ProviderID
    /// Nil: it was at rest and is stored nowhere.
    public var from: Int32?
    /// Nil: it is at rest, or there is nothing to move any more, and need not be stored.
    public var to: Int32?

    public init(route: RouteID, provider: ProviderID, from: Int32?, to: Int32?) {
        self.route = route
        self.provider = provider
        self.from = from
        self.to = to
    }
}
