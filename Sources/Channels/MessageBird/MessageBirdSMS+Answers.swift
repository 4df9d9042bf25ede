public import HTTP
import JSON
public import Messaging
public import Timestamps

extension MessageBirdSMS {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let code = body?["errors"]?[0]?["code"]?.scalarText.map { String(providerText: $0) }
        let outcome = Outcome(
            response: response, id: body?["id"]?.string, code: code, verdict: code.flatMap { self.table["submit", $0] })
        return dispatches.map { _ in outcome }
    }

    /// One receipt of one recipient, as a GET. With both proofs both must be right.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        if let token = self.receiptToken, !token.authenticates(request) { throw .unauthenticated }
        if let signature = self.signature {
            guard let target = self.address.target(of: request), signature.verifies(request, at: target, now: now)
            else {
                throw .unauthenticated
            }
        }
        guard request.method == "GET" else { throw .malformed("not GET") }
        guard let parameters = Form(parsing: request.query ?? "") else { throw .malformed("unreadable parameters") }
        guard let id = parameters["id"], !id.isEmpty else { throw .malformed("no id") }
        guard let status = parameters["status"], !status.isEmpty else { throw .malformed("no status") }
        let report = Report(
            id: id, status: status, code: parameters["statusErrorCode"] ?? "",
            reason: parameters["statusReason"] ?? "", moment: parameters["statusDatetime"] ?? "")
        return [self.receipt(parameters["reference"].flatMap { MessageReference($0) }, report)]
    }

    public func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? {
        guard let id = inquiry.parts.first else { return nil }
        return .get("\(self.url)/\(PercentEncoding.encode(id))", authorization: self.authorization)
    }

    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard
            response.status == 200, let body = try? JSON(parsing: response.body),
            let id = body["id"]?.string, inquiry.parts.first == id,
            let item = body["recipients"]?["items"]?[0], let status = item["status"]?.string
        else { return [] }
        let report = Report(
            id: id, status: status, code: item["statusErrorCode"]?.scalarText ?? "",
            reason: item["statusReason"]?.string ?? "", moment: item["statusDatetime"]?.string ?? "")
        return [self.receipt(inquiry.reference, report)]
    }

    // MARK: - Private

    private struct Report {
        var id: String
        var status: String
        var code: String
        var reason: String
        var moment: String
    }

    private func receipt(_ reference: MessageReference?, _ report: Report) -> Receipt {
        Receipt(
            message: reference, part: String(providerText: report.id), coversMessage: true,
            verdict: self.verdict(report), status: String(providerText: report.status),
            code: String(providerText: report.code.isEmpty ? report.reason : report.code),
            // In a query, the plus sign of an offset may have become a blank.
            occurredAt: Timestamp(report.moment.replacing(" ", with: "+")))
    }

    private func verdict(_ report: Report) -> Verdict {
        let verdict = self.table["status", report.status] ?? .unread
        guard verdict.state == .undelivered else { return verdict }
        return self.table["error", report.code] ?? self.table["reason", report.reason.lowercased()] ?? verdict
    }
}
