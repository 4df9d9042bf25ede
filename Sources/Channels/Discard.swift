public import Messaging

/// Takes every message and sends it nowhere: for measuring a deployment without a provider. It has no receipts.
///
/// No credentials, no settings; the base URL is not looked at.
public struct Discard: Driver {
    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        try AccountReader(account).finish()
    }

    public var batchLimit: Int { 100 }
    public var channels: Set<Channel> { ProviderKind.discard.channels }

    public var wire: Wire { .nowhere }
}
