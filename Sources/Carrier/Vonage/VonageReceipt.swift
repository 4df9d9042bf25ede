import HTTP
import JSON
import Timestamps
import WebClient

/// A receipt as Vonage posts it: by GET, as a form or as JSON, signed if the account says so.
struct VonageReceipt {
    var receipt: CarrierReceipt
    var now: Timestamp
    /// Text that never comes twice.
    var nonce: String

    func request(to url: String, from account: Carrier.Configuration.Vonage) -> WebRequest {
        let parameters = self.parameters(of: account)
        switch account.receiptForm {
        case .get:
            // Who verifies a GET sees one query, so what the address had of its own is signed with the rest.
            let own = url.firstIndex(of: "?").flatMap { Form(parsing: String(url[url.index(after: $0)...])) }
            let signed = Self.signed(parameters, with: own?.pairs ?? [], account, self)
            let query = String(decoding: Form(signed.map { ($0.name, $0.value) }).serialized(), as: UTF8.self)
            return WebRequest(method: "GET", url: url + (own == nil ? "?" : "&") + query)
        case .form:
            let signed = Self.signed(parameters, with: [], account, self)
            return WebRequest(
                method: "POST", url: url, fields: ["Content-Type": "application/x-www-form-urlencoded"],
                body: Form(signed.map { ($0.name, $0.value) }).serialized()
            )
        case .json:
            let signed = Self.signed(parameters, with: [], account, self)
            return WebRequest(
                method: "POST", url: url, fields: ["Content-Type": "application/json"],
                body: JSON.object(signed.map { JSON.Member($0.name, .string($0.value)) }).serialized()
            )
        }
    }

    // MARK: - Private

    private typealias Parameters = [(name: String, value: String)]

    /// `msisdn` is the recipient and `to` the sender: the names are the provider's.
    private func parameters(of account: Carrier.Configuration.Vonage) -> Parameters {
        let message = self.receipt.message
        let (status, code) = self.status
        let time = self.now.description
        var parameters: Parameters = [
            ("msisdn", String(message.to.dropFirst())), ("to", message.from), ("network-code", "22801"),
            ("messageId", self.receipt.id), ("price", "0.03330000"), ("status", status),
            // `2026-11-21T09:15:…` becomes `2611210915` here and `2026-11-21 09:15:00` there.
            ("scts", time.dropFirst(2).prefix(14).filter(\.isNumber)), ("err-code", code), ("api-key", account.apiKey),
            ("message-timestamp", "\(time.prefix(10)) \(time.dropFirst(11).prefix(8))"),
        ]
        if let reference = message.reference { parameters.append(("client-ref", reference)) }
        return parameters
    }

    private var status: (status: String, code: String) {
        switch self.receipt.outcome {
        case .delivered: ("delivered", "0")
        case .onTheWay: ("buffered", "0")
        case .failed(let code):
            switch code {
            case "4", "6", "9", "10", "13", "14": ("rejected", code ?? "")
            default: ("failed", code ?? "1")
            }
        }
    }

    private static func signed(
        _ parameters: Parameters, with own: Parameters, _ account: Carrier.Configuration.Vonage,
        _ receipt: VonageReceipt
    ) -> Parameters {
        guard account.signsReceipts, let secret = account.signatureSecret else { return parameters }
        let complete = parameters + [("timestamp", "\(receipt.now.seconds)"), ("nonce", receipt.nonce)]
        return complete + [("sig", VonageSignature.sign(own + complete, with: secret, by: account.signatureMethod))]
    }
}
