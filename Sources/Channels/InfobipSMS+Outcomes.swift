public import HTTP
import JSON
public import Messaging

extension InfobipSMS {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        guard (200...299).contains(response.status) else {
            let code = Self.errorCode(in: response.body)
            let outcome = Outcome(failure: response, code: code, dispatchCount: dispatches.count)
            return dispatches.map { _ in outcome }
        }
        let items = (try? JSON(parsing: response.body))?["messages"]?.array ?? []
        let outcomes = Dictionary(items.compactMap(self.entry)) { first, _ in first }
        return dispatches.map { outcomes[$0.reference] ?? .unanswered(.providerError) }
    }

    public func receiptAnswer() -> HTTPResponse { HTTPResponse(status: 200) }

    // MARK: - Private

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
}
