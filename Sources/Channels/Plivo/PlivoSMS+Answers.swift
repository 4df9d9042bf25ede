public import HTTP
import JSON
public import Messaging
public import Timestamps

extension PlivoSMS {
    /// Errors have no code but the HTTP status: their `error` is prose.
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let body = try? JSON(parsing: response.body)
        let outcome: Outcome
        if (200...299).contains(response.status), body?["message_uuid"]?[0]?.string == nil,
            body?["invalid_number"]?[0] != nil
        {
            let verdict = Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)
            outcome = .refused(verdict, code: "invalid_number", retryAfter: nil)
        } else {
            outcome = Outcome(response: response, id: body?["message_uuid"]?[0]?.string, code: nil, verdict: nil)
        }
        return dispatches.map { _ in outcome }
    }

    /// One receipt of one message, of a form or of a query: the method is the account's to choose at Plivo when the address
    /// is not named in the message. `Sequence`, which numbers the states, is not needed: a state on the way never takes the
    /// place of a final one, whichever comes first.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        guard let url = self.address.url(of: request), self.signature.verifies(request, at: url) else {
            throw .unauthenticated
        }
        let parameters: Form? =
            switch request.method {
            case "GET": Form(parsing: request.query ?? "")
            case "POST": Form(parsing: request.body)
            default: throw .malformed("neither GET nor POST")
            }
        guard let parameters else { throw .malformed("unreadable parameters") }
        guard let id = parameters["MessageUUID"], !id.isEmpty else { throw .malformed("no MessageUUID") }
        guard let status = parameters["Status"], !status.isEmpty else { throw .malformed("no Status") }
        let moment = [parameters["DeliveryReportTime"], parameters["SentTime"]].lazy.compactMap(\.self)
            .compactMap { Timestamp($0 + "Z") }.first
        return [
            self.receipt(
                ReceiptAddress.reference(in: request), id: id, status: status, code: parameters["ErrorCode"] ?? "",
                at: moment)
        ]
    }

    public func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? {
        guard let id = inquiry.parts.first else { return nil }
        return .get("\(self.url)\(PercentEncoding.encode(id))/", authorization: self.authorization)
    }

    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard
            response.status == 200, let body = try? JSON(parsing: response.body),
            let id = body["message_uuid"]?.string, inquiry.parts.first == id,
            let status = body["message_state"]?.string
        else { return [] }
        let code = body["error_code"]?.scalarText ?? ""
        return [self.receipt(inquiry.reference, id: id, status: status, code: code, at: nil)]
    }

    // MARK: - Private

    private func receipt(
        _ reference: MessageReference?, id: String, status: String, code: String, at moment: Timestamp?
    ) -> Receipt {
        let verdict = self.table["status", status.lowercased()] ?? .unread
        // `000` is no error; errors may come with leading zeros.
        let error = code.drop { $0 == "0" }
        return Receipt(
            message: reference, part: String(providerText: id), coversMessage: true,
            verdict: verdict.explained(by: self.table["error", String(error)]), status: String(providerText: status),
            code: String(providerText: code), occurredAt: moment)
    }
}
