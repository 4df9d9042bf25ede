/// Lanes that follow from what a row is about, so that every process looks for it in the same place.
public struct LaneChoice: Sendable {
    /// Never empty.
    public let lanes: [Lane]

    public init(lanes: [Lane]) {
        precondition(!lanes.isEmpty, "messages need a lane")
        self.lanes = lanes
    }

    /// The lane of an account's idempotency key, of a recipient, of whatever text names the row.
    public func lane(of text: String, account: AccountID) -> Lane {
        self.lanes[Int(Self.hash(account, text) % UInt64(self.lanes.count))]
    }

    /// For what nobody looks for by anything but its id.
    public var any: Lane { self.lanes.randomElement()! }  // Never empty.

    /// FNV-1a: the same in every process, which Swift's own hashes are not.
    private static func hash(_ account: AccountID, _ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(account.rawValue)/\(text)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
