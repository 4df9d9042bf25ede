public import HTTP
import JSON
public import Messaging
public import Timestamps

extension CarrierGateway {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let outcome = Self.outcome(of: response)
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
                message: reference, part: "", coversMessage: true, verdict: Self.verdict(status: status, code: code),
                status: String(providerText: status), code: String(providerText: code),
                occurredAt: json["at"]?.string.flatMap { Timestamp($0) })
        ]
    }

    public func receiptAnswer() -> HTTPResponse { HTTPResponse(status: 200) }

    // MARK: - Private

    private static func outcome(of response: HTTPResponse) -> Outcome {
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

    private static func verdict(status: String, code: String) -> Verdict {
        let verdict = status == "failed" ? self.table["failure", code] : nil
        return verdict ?? self.table["receipt", status] ?? Verdict(.unknown, .none, .wait, .unknown)
    }

    /// `refusal` is `code` in an answer, `receipt` is `status` and `failure` is `code` in a receipt.
    static let table = StatusTable(
        builtIn: """
            # kind,code,state,permanence,action,reason
            refusal,duplicate,submitted,none,wait,duplicate
            refusal,invalid_destination,rejected,permanent_recipient,stop,invalid_destination
            refusal,invalid_sender,failed,permanent_message,stop,sender_invalid
            refusal,invalid_request,failed,config,failover_once,config_error
            refusal,content_rejected,rejected,permanent_message,stop,content_rejected
            receipt,on_the_way,sent,none,wait,accepted
            receipt,delivered,delivered,none,none,ok
            receipt,failed,undelivered,transient_provider,failover,unknown
            failure,no_answer,undelivered,transient_recipient,retry_same,no_answer
            failure,busy,undelivered,transient_recipient,retry_same,busy
            failure,machine_answered,undelivered,transient_recipient,retry_same,machine_answered
            failure,call_barred,undelivered,permanent_recipient,stop,call_barred
            failure,hard_bounce,undelivered,permanent_recipient,stop_suppress,hard_bounce
            failure,soft_bounce,undelivered,transient_recipient,retry_same,soft_bounce
            failure,spam_filtered,rejected,permanent_message,failover_once,spam_filtered
            """
    )
}
