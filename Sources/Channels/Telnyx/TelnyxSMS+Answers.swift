public import HTTP
import JSON
public import Messaging
public import Timestamps

extension TelnyxSMS {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let error = body?["errors"]?[0]
        let code = error?["code"]?.scalarText.map { String(providerText: $0) }
        let outcome = Outcome(
            response: response, id: body?["data"]?["id"]?.string, code: code, verdict: self.verdict(of: error))
        return dispatches.map { _ in outcome }
    }

    /// One event of one message. Events of other kinds, as of a message that came in, say nothing.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        if let token = self.receiptToken, !token.authenticates(request) { throw .unauthenticated }
        if let signature = self.signature, !signature.verifies(request, now: now) { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let data = (try? JSON(parsing: request.body))?["data"], data.members != nil else {
            throw .malformed("no data")
        }
        guard let payload = data["payload"], payload["direction"]?.string != "inbound" else { return [] }
        guard
            let receipt = self.receipt(
                ReceiptAddress.reference(in: request, provedBy: self.addressKey), of: payload,
                at: data["occurred_at"]?.string.flatMap { Timestamp($0) })
        else { throw .malformed("no id, or no status of a recipient") }
        return [receipt]
    }

    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard
            response.status == 200, let message = (try? JSON(parsing: response.body))?["data"],
            let receipt = self.receipt(inquiry.reference, of: message, at: nil),
            inquiry.parts.first == receipt.part
        else { return [] }
        return [receipt]
    }

    // MARK: - Private

    /// What is said of the one recipient of a message; nil without an id or a status.
    private func receipt(_ reference: MessageReference?, of message: JSON, at moment: Timestamp?) -> Receipt? {
        guard
            let id = message["id"]?.string, !id.isEmpty,
            let status = message["to"]?[0]?["status"]?.string, !status.isEmpty
        else { return nil }
        let error = message["errors"]?[0]
        let verdict = self.table["status", status] ?? .unread
        return Receipt(
            message: reference, part: String(providerText: id), coversMessage: true,
            verdict: verdict.explained(by: self.verdict(of: error)), status: String(providerText: status),
            code: String(providerText: error?["code"]?.scalarText ?? ""),
            occurredAt: message["completed_at"]?.string.flatMap { Timestamp($0) } ?? moment)
    }

    /// A blocked recipient has opted out only where the title says so.
    private func verdict(of error: JSON?) -> Verdict? {
        guard let code = error?["code"]?.scalarText else { return nil }
        let stops = error?["title"]?.string?.uppercased().contains("STOP") ?? false
        return (stops ? self.table["error", "\(code) STOP"] : nil) ?? self.table["error", code]
    }
}
