public import Messaging

/// A receipt and the provider on whose route it came in.
public struct IncomingReceipt: Sendable {
    public var provider: ProviderID
    public var receipt: Receipt

    public init(provider: ProviderID, receipt: Receipt) {
        self.provider = provider
        self.receipt = receipt
    }
}

/// What became of a batch of receipts.
public struct ReceiptCounts: Sendable, Hashable {
    /// Stored, and its message's state raised where the receipt says so.
    public var stored = 0
    /// Kept until its message is known.
    public var unmatched = 0
    /// Messages that another provider had delivered before.
    public var duplicated = 0
    /// How long ago the messages that became final here were accepted.
    public var finished: [Duration] = []
    /// Where workers have something to do now.
    public var ready = ReadyLanes()
}
