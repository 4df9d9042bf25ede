public import HTTP
import JSON
public import Messaging
public import Timestamps

extension CarrierGateway {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let outcome = self.outcome(of: response)
        return dispatches.map { _ in outcome }
    }

    /// One receipt of one message. Who knows the address is the carrier.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        guard self.receiptToken?.authenticates(request) == true else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let json = try? JSON(parsing: request.body) else { throw .malformed("no JSON") }
        guard let reference = json["reference"]?.string.flatMap({ MessageReference($0) }) else {
            throw .malformed("no reference")
        }
        guard let status = json["status"]?.string, !status.isEmpty else { throw .malformed("no status") }
        let code = json["code"]?.string ?? ""
        return [
            Receipt(
                message: reference, part: "", coversMessage: true, verdict: self.verdict(status: status, code: code),
                status: String(providerText: status), code: String(providerText: code),
                occurredAt: json["at"]?.string.flatMap { Timestamp($0) })
        ]
    }

    public func receiptAnswer() -> HTTPResponse { HTTPResponse(status: 200) }

    // MARK: - Private

    private func outcome(of response: HTTPResponse) -> Outcome {
        let answer = try? JSON(parsing: response.body)
        if (200...299).contains(response.status) {
            // A page of some proxy says neither yes nor no.
            return answer?["id"]?.string == nil ? .unanswered(.providerError) : .accepted(parts: [])
        }
        let code = answer?["code"]?.string.map { String(providerText: $0) }
        guard let code, let verdict = self.table["refusal", code] else {
            return Outcome(failure: response, code: code, dispatchCount: 1)
        }
        if verdict.state == .submitted { return .accepted(parts: []) }
        return .refused(verdict, code: code, retryAfter: nil)
    }

    private func verdict(status: String, code: String) -> Verdict {
        let verdict = status == "failed" ? self.table["failure", code] : nil
        return verdict ?? self.table["receipt", status] ?? Verdict(.unknown, .none, .wait, .unknown)
    }
}
