public import HTTP
import JSON
public import Messaging
public import Timestamps

extension InfobipSMS {
    /// As many receipts as there are results, in their order. A result that cannot be read gives a receipt of no
    /// message, so that one bad result does not cost its neighbours and nothing vanishes uncounted.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        guard self.receiptAuthentication.authenticates(request) else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let results = (try? JSON(parsing: request.body))?["results"]?.array else {
            throw .malformed("no results")
        }
        guard results.count <= Self.resultLimit else { throw .malformed("more than \(Self.resultLimit) results") }
        return results.map(self.receipt)
    }

    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard response.status == 200, let results = (try? JSON(parsing: response.body))?["results"]?.array else {
            return []
        }
        // Whatever else it holds is given out but once, so nothing is left out.
        return results.prefix(Self.resultLimit).map(self.receipt).filter { $0.message != nil }
    }

    // MARK: - Private

    /// The most that a subscription can be set to send at once (`maxBucketSize`).
    private static let resultLimit = 2000

    private func receipt(_ result: JSON) -> Receipt {
        let messageID = result["messageId"]?.scalarText ?? ""
        let named = MessageReference(messageID)
        let status = InfobipStatus(result["status"], self.table)
        let error = InfobipError(result["error"], self.table)
        return Receipt(
            // The id is ours already; the data of the callback is for messages whose id Infobip chose.
            message: named ?? result["callbackData"]?.string.flatMap { MessageReference($0) },
            part: named == nil ? String(providerText: messageID) : "",
            coversMessage: true,
            verdict: Self.verdict(status, error),
            status: status?.name ?? "",
            code: String(error?.id ?? 0),
            occurredAt: result["doneAt"]?.string.flatMap { Timestamp($0) }
        )
    }

    /// An error explains a message that was not delivered; where it was refused, the status itself is the reason.
    private static func verdict(_ status: InfobipStatus?, _ error: InfobipError?) -> Verdict {
        guard let status else { return Verdict(.unknown, .none, .wait, .unknown) }
        guard status.verdict.state == .undelivered, let error else { return status.verdict }
        return error.refine(status.verdict)
    }
}
