public import HTTP
import JSON
public import Messaging
public import Timestamps

extension BandwidthSMS {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let code = body?["type"]?.string.map { String(providerText: $0) }
        let outcome = Outcome(
            response: response, id: body?["id"]?.string, code: code, verdict: code.flatMap { self.table["submit", $0] })
        return dispatches.map { _ in outcome }
    }

    /// An array, of one event as far as is known. What is no report of an outgoing message, such as a message that came in,
    /// is left out; a report that cannot be read is a receipt of no message, so that nothing vanishes uncounted.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        guard self.receiptAuthentication.authenticates(request) else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let events = (try? JSON(parsing: request.body))?.array else { throw .malformed("no array") }
        guard events.count <= Self.eventLimit else { throw .malformed("more than \(Self.eventLimit) events") }
        return events.filter { $0["message"]?["direction"]?.string != "in" }.map(self.receipt)
    }

    // MARK: - Private

    private static let eventLimit = 1000

    private func receipt(_ event: JSON) -> Receipt {
        let status = event["type"]?.string ?? ""
        let code = event["errorCode"]?.scalarText ?? ""
        return Receipt(
            message: event["message"]?["tag"]?.string.flatMap { MessageReference($0) },
            part: String(providerText: event["message"]?["id"]?.string ?? ""), coversMessage: true,
            verdict: self.verdict(status: status, code: code), status: String(providerText: status),
            code: String(providerText: code),
            occurredAt: (event["eventTime"] ?? event["time"])?.string.flatMap { Timestamp($0) })
    }

    /// All failures have one type, so the error alone tells them apart.
    private func verdict(status: String, code: String) -> Verdict {
        let verdict = self.table["receipt", status] ?? .unread
        guard verdict.state.messageState == .undelivered else { return verdict }
        return self.table["error", code] ?? self.table["class", String(code.prefix(1))] ?? verdict
    }
}
