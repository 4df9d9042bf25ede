public import HTTP
import JSON
public import Messaging
public import Timestamps

extension SinchSMS {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let code = body?["code"]?.scalarText.map { String(providerText: $0) }
        let outcome = Outcome(
            response: response, id: body?["id"]?.string, code: code, verdict: code.flatMap { self.table["submit", $0] })
        return dispatches.map { _ in outcome }
    }

    /// One report of one recipient, or a summary, which of a batch of one says the same. What is no report says nothing.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        guard self.receiptAuthentication.authenticates(request) else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let report = try? JSON(parsing: request.body), let type = report["type"]?.string else {
            throw .malformed("no type")
        }
        guard type.hasSuffix("delivery_report_sms") else { return [] }
        guard let receipt = self.receipt(nil, of: report) else { throw .malformed("no batch_id or no status") }
        return [receipt]
    }

    public func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? {
        guard let batch = inquiry.parts.first, case .phone(let number) = inquiry.recipient else { return nil }
        return .get(
            "\(self.url)/\(PercentEncoding.encode(batch))/delivery_report/\(number.digits)",
            authorization: self.authorization)
    }

    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard
            response.status == 200, let report = try? JSON(parsing: response.body),
            let receipt = self.receipt(inquiry.reference, of: report), inquiry.parts.first == receipt.part
        else { return [] }
        return [receipt]
    }

    // MARK: - Private

    /// `reference`: where it is known already; else what the report echoes. Nil without a batch or one status.
    private func receipt(_ reference: MessageReference?, of report: JSON) -> Receipt? {
        // A summary lists each status, with how many have it.
        let entry: JSON? =
            if let statuses = report["statuses"] { statuses.array?.count == 1 ? statuses[0] : nil } else { report }
        guard
            let batch = report["batch_id"]?.string, !batch.isEmpty,
            let status = entry?["status"]?.string, !status.isEmpty
        else { return nil }
        let code = entry?["code"]?.scalarText ?? ""
        let verdict = self.table["status", status.lowercased()] ?? .unread
        return Receipt(
            message: reference ?? report["client_reference"]?.string.flatMap { MessageReference($0) },
            part: String(providerText: batch), coversMessage: true,
            verdict: verdict.explained(by: self.table["code", code]), status: String(providerText: status),
            code: String(providerText: code),
            occurredAt: (report["operator_status_at"] ?? report["at"])?.string.flatMap { Timestamp($0) })
    }
}
