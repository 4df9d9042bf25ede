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
    /// Since the taking, or since the receipt before it was answered.
    var wait: Duration
    /// The one that follows when this one is taken or given up: where the order matters, it does not hang on timing.
    var later: [CarrierReceipt] = []

    /// This one and all that follow.
    var count: Int { self.later.reduce(1) { $0 + $1.count } }
}

extension CarrierReceipt {
    /// What becomes of a message in the end, whether a receipt says so or not.
    static func outcome(under fault: Fault?) -> Outcome {
        switch fault?.kind {
        case .receiptFailed: .failed(code: fault?.code)
        case .callBusy: .failed(code: "busy")
        case .callUnanswered: .failed(code: "no_answer")
        case .callMachine: .failed(code: "machine_answered")
        default: .delivered
        }
    }

    /// The receipts of a message.
    static func plan(for message: TakenMessage, fault: Fault?, delay: Duration) -> [CarrierReceipt] {
        guard message.receiptURL != nil else { return [] }
        let outcome = self.outcome(under: fault)
        func receipts(_ outcome: Outcome, after wait: Duration) -> [CarrierReceipt] {
            message.ids.map { CarrierReceipt(message: message, id: $0, outcome: outcome, wait: wait) }
        }
        switch fault?.kind {
        case .receiptNever: return []
        case .receiptEarly: return receipts(outcome, after: .zero)
        case .receiptTwice: return receipts(outcome, after: delay) + receipts(outcome, after: delay * 2)
        case .receiptOutOfOrder:
            return self.chain(
                receipts(outcome, after: delay).reversed() + receipts(.onTheWay, after: delay).reversed()
            )
        default:
            let wait = fault?.kind == .receiptLate ? .milliseconds(fault?.milliseconds ?? 0) : delay
            guard message.wantsIntermediate else { return receipts(outcome, after: wait) }
            return zip(receipts(.onTheWay, after: wait / 2), receipts(outcome, after: wait / 2)).flatMap { pair in
                self.chain([pair.0, pair.1])
            }
        }
    }

    /// The first of them, which the others follow.
    private static func chain(_ receipts: [CarrierReceipt]) -> [CarrierReceipt] {
        receipts.reversed().reduce(into: []) { later, receipt in
            var receipt = receipt
            receipt.later = later
            later = [receipt]
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
