public import HTTP
import JSON
public import Messaging
public import Timestamps

extension VonageSMS {
    /// One receipt of one part. The method is a setting of the account at Vonage, so all three are read: a query, a
    /// form, and JSON.
    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        if let token = self.receiptToken, !token.authenticates(request) { throw .unauthenticated }
        let parameters: Form
        do throws(ReceiptRefusal) {
            parameters = try Self.parameters(in: request)
        } catch {
            // What cannot be read cannot be signed.
            throw self.signature == nil ? error : .unauthenticated
        }
        if let signature = self.signature {
            guard signature.verifies(parameters), self.isFresh(parameters, now: now) else { throw .unauthenticated }
        }
        return [try self.receipt(parameters)]
    }

    // MARK: - Private

    /// How far ahead of ours the provider's clock may be.
    private static let clockTolerance = Duration.seconds(300)

    /// The parameters of the query for GET, of the body for POST; never a mixture, which Vonage does not sign.
    private static func parameters(in request: HTTPRequest) throws(ReceiptRefusal) -> Form {
        let form: Form? =
            switch request.method {
            case "GET": Form(parsing: request.query ?? "")
            case "POST": self.isJSON(request) ? Self.members(of: request.body) : Form(parsing: request.body)
            default: throw .malformed("neither GET nor POST")
            }
        guard let form else { throw .malformed("unreadable parameters") }
        return form
    }

    /// By its type, or by its first byte, which no form of Vonage's begins with.
    private static func isJSON(_ request: HTTPRequest) -> Bool {
        request.fields["Content-Type"]?.lowercased().contains("json") == true
            || request.body.first == UInt8(ascii: "{")
    }

    private static func members(of body: [UInt8]) -> Form? {
        guard let members = (try? JSON(parsing: body))?.members else { return nil }
        return Form(members.map { ($0.name, $0.value.scalarText ?? ($0.value.isNull ? "" : $0.value.text)) })
    }

    /// A receipt without a time could be repeated for ever.
    private func isFresh(_ parameters: Form, now: Timestamp) -> Bool {
        guard
            let text = parameters["timestamp"], let seconds = Int64(text), (0...Int64(UInt32.max)).contains(seconds)
        else { return false }
        let age = now - Timestamp(seconds: seconds)
        return age <= self.receiptWindow && age >= .zero - Self.clockTolerance
    }

    private func receipt(_ parameters: Form) throws(ReceiptRefusal) -> Receipt {
        guard let part = parameters["messageId"], !part.isEmpty else { throw .malformed("no messageId") }
        guard let status = parameters["status"], !status.isEmpty else { throw .malformed("no status") }
        let code = parameters["err-code"] ?? ""
        return Receipt(
            message: parameters["client-ref"].flatMap { MessageReference($0) },
            part: String(providerText: part),
            coversMessage: false,
            verdict: self.verdict(status: status, code: code),
            status: String(providerText: status),
            code: String(providerText: code),
            occurredAt: parameters["message-timestamp"].flatMap { Timestamp($0 + "Z") }
        )
    }

    /// The status says what happened, the error whose fault it was.
    private func verdict(status: String, code: String) -> Verdict {
        guard var verdict = self.table["receipt", status] else { return Verdict(.unknown, .none, .wait, .unknown) }
        guard
            verdict.state == .undelivered || verdict.state == .rejected,
            let error = self.table["error", code], error.state != .delivered
        else { return verdict }
        (verdict.permanence, verdict.action, verdict.reason) = (error.permanence, error.action, error.reason)
        return verdict
    }
}
