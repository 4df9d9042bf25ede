public import HTTP
public import Messaging
public import Timestamps

/// Takes every message and sends it nowhere: for measuring a deployment without a provider. It has no receipts.
///
/// No credentials, no settings; the base URL is not looked at.
public struct Discard: Driver {
    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        try AccountReader(account).finish()
    }

    public var batchLimit: Int { 100 }
    public var channels: Set<Channel> { ProviderKind.discard.channels }

    public func outcomesAtOnce(for dispatches: [Dispatch]) -> [Outcome]? {
        dispatches.map { _ in .accepted(parts: []) }
    }

    public func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        preconditionFailure("a discarded message needs no request")
    }

    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        preconditionFailure("a discarded message has no response")
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        throw .unauthenticated
    }

    public func receiptAnswer() -> HTTPResponse { HTTPResponse(status: 200) }
}
