/// What the carrier will tell of a message, or of one part of it.
struct CarrierReceipt: Sendable, Hashable {
    enum Outcome: Sendable, Hashable {
        case delivered
        /// With the provider's code; nil for the provider's usual one.
        case failed(code: String?)
        /// Not final: it has left the carrier for the network.
        case onTheWay
    }

    var message: TakenMessage
    /// One of the message's ids.
    var id: String
    var outcome: Outcome
}

extension CarrierReceipt {
    /// The receipts of a message, each with its time since the taking.
    static func plan(
        for message: TakenMessage, fault: Fault?, delay: Duration
    ) -> [(after: Duration, receipt: CarrierReceipt)] {
        guard message.receiptURL != nil else { return [] }
        let onTheWay = message.ids.map { CarrierReceipt(message: message, id: $0, outcome: .onTheWay) }
        let failureCode = fault.flatMap { $0.kind == .receiptFailed ? $0 : nil }
        let outcome = failureCode.map { Outcome.failed(code: $0.code) } ?? .delivered
        let final = message.ids.map { CarrierReceipt(message: message, id: $0, outcome: outcome) }
        let before = message.wantsIntermediate ? onTheWay.map { (after: delay / 2, receipt: $0) } : []
        switch fault?.kind {
        case .receiptNever: return []
        case .receiptLate:
            let late = Duration.milliseconds(fault?.milliseconds ?? 0)
            return before + final.map { (after: late, receipt: $0) }
        case .receiptTwice:
            return before + [delay, delay * 2].flatMap { after in final.map { (after: after, receipt: $0) } }
        case .receiptOutOfOrder:
            return final.reversed().map { (after: delay, receipt: $0) }
                + onTheWay.reversed().map { (after: delay * 2, receipt: $0) }
        default: return before + final.map { (after: delay, receipt: $0) }
        }
    }
}

/// Receipts that are posted together: one, where the provider posts them one by one.
struct ReceiptPost: Sendable, Hashable {
    var provider: Provider
    var url: String
    var receipts: [CarrierReceipt]
    /// Tries before this one.
    var attempt = 0
}
