import HTTP
import JSON
import Messaging
import Timestamps

/// Reads what Infobip says of messages, calls and mails, which it does in the same form: in answers and in reports.
struct InfobipReading {
    let table: StatusTable

    /// The most that a subscription can be set to send at once (`maxBucketSize`).
    static let resultLimit = 2000

    // MARK: - Answers

    func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        guard (200...299).contains(response.status) else {
            let code = Self.errorCode(in: response.body)
            let outcome = Outcome(failure: response, code: code, dispatchCount: dispatches.count)
            return dispatches.map { _ in outcome }
        }
        let items = (try? JSON(parsing: response.body))?["messages"]?.array ?? []
        let outcomes = Dictionary(items.compactMap(self.entry)) { first, _ in first }
        return dispatches.map { outcomes[$0.reference] ?? .unanswered(.providerError) }
    }

    /// One item's message and outcome; nil when it names no message of ours or has no status.
    private func entry(_ item: JSON) -> (MessageReference, Outcome)? {
        guard
            let reference = item["messageId"]?.string.flatMap({ MessageReference($0) }),
            let status = InfobipStatus(item["status"], self.table)
        else { return nil }
        return (reference, Self.outcome(of: status))
    }

    private static func outcome(of status: InfobipStatus) -> Outcome {
        let verdict = status.verdict
        return switch verdict.state {
        case .submitted, .sent, .delivered: .accepted(parts: [])
        // A status of tomorrow in a group of tomorrow says neither yes nor no.
        case .unknown: .unanswered(verdict.reason)
        case .undelivered, .rejected, .failed, .expired, .canceled:
            .refused(verdict, code: String(status.id), retryAfter: nil)
        }
    }

    /// The word in either shape of error: `errorCode`, or `requestError.serviceException.messageId`.
    private static func errorCode(in body: [UInt8]) -> String? {
        guard let error = try? JSON(parsing: body) else { return nil }
        let code =
            error["errorCode"]?.scalarText ?? error["requestError"]?["serviceException"]?["messageId"]?.scalarText
        return code.map { String(providerText: $0) }
    }

    // MARK: - Reports

    /// As many receipts as there are results, in their order. A result that cannot be read gives a receipt of no
    /// message, so that one bad result does not cost its neighbours and nothing vanishes uncounted.
    ///
    /// The type of the content is not looked at: calls' reports have come as plain text.
    func receipts(in request: HTTPRequest, by authentication: ReceiptAuthentication) throws(ReceiptRefusal) -> [Receipt]
    {
        guard authentication.authenticates(request) else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let results = (try? JSON(parsing: request.body))?["results"]?.array else {
            throw .malformed("no results")
        }
        guard results.count <= Self.resultLimit else { throw .malformed("more than \(Self.resultLimit) results") }
        return results.map(self.receipt)
    }

    func receipt(_ result: JSON) -> Receipt {
        let messageID = result["messageId"]?.scalarText ?? ""
        let named = MessageReference(messageID)
        let status = InfobipStatus(result["status"], self.table)
        let error = InfobipError(result["error"], self.table)
        return Receipt(
            // The id is ours already; the data of the callback is for messages whose id Infobip chose.
            message: named ?? result["callbackData"]?.string.flatMap { MessageReference($0) },
            part: named == nil ? String(providerText: messageID) : "",
            coversMessage: true,
            verdict: self.verdict(status, error),
            status: status?.name ?? "",
            code: String(error?.id ?? 0),
            occurredAt: result["doneAt"]?.string.flatMap { Timestamp($0) }
        )
    }

    /// An error explains a message that was not delivered; where it was refused, the status itself is the reason. Who answered
    /// a call is told by an error alone, and a machine's answer is one of a call that was delivered.
    private func verdict(_ status: InfobipStatus?, _ error: InfobipError?) -> Verdict {
        guard let status else { return .unread }
        if let error, let answer = self.table["answer", String(error.id)] { return answer }
        guard status.verdict.state == .undelivered, let error else { return status.verdict }
        return error.refine(status.verdict)
    }
}
