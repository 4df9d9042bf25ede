import HTTP
import Messaging
import Timestamps
import WebClient

/// A provider's contract as the carrier keeps it: how its requests are read, what is answered, and how it reports.
protocol ServiceContract: Sendable {
    var provider: Provider { get }
    /// Waits before each further try to post a receipt.
    var retries: [Duration] { get }

    /// Whom a request is for, as far as it can be read, for faults that befall it before anything else.
    func recipients(in request: HTTPRequest) -> [String]
    /// The messages that a request brings, when its sender is known and its form is right.
    func read(_ request: HTTPRequest, anyCredential: Bool, now: Timestamp) throws(ServiceRefusal) -> [ServiceSubmission]
    /// What is answered; each message was taken under an id, or refused with a code.
    func answer(_ results: [Result<TakenMessage, ServiceRefusal>]) -> HTTPResponse
    func answer(_ refusal: ServiceRefusal) -> HTTPResponse
    func receipt(_ receipt: CarrierReceipt, now: Timestamp, nonce: String) -> WebRequest
}

/// A message as a request brings it.
struct ServiceSubmission: Sendable {
    var recipient: Recipient
    var from: String
    var content: Content
    /// What the caller calls it.
    var reference: String?
    /// The id that the caller chose; a second message may not have it.
    var id: String?
    var receiptURL: String?
    /// Whether the caller wants to know that a machine answered.
    var detectsMachines = false
    /// Not yet known; the caller is asked when the call is answered.
    var isAskedLater = false
}

/// Why a contract's request, or a message in it, is not taken.
struct ServiceRefusal: Error, Hashable {
    var status: Int
    /// The provider's own code.
    var code: String
    /// For a throttle.
    var milliseconds: Int?
    /// Of one message of several: the caller's name for it.
    var reference: String?

    static let unauthorized = ServiceRefusal(status: 401, code: "unauthorized")

    static func invalid(_ code: String) -> ServiceRefusal { ServiceRefusal(status: 400, code: code) }

    /// The answer's status and, for a throttle, when to come again: in whole seconds, so rounded up.
    func response(_ body: [UInt8]) -> HTTPResponse {
        var response = HTTPResponse(
            status: self.status, fields: ["Content-Type": "application/json"], body: body)
        if let milliseconds { response.fields["Retry-After"] = "\((milliseconds + 999) / 1000)" }
        return response
    }
}

extension CarrierReceipt {
    /// How a call ended, in one word; nil when its words were heard.
    var callEnd: String? { if case .failed(let code) = self.outcome { code ?? "no_answer" } else { nil } }
    var isOnTheWay: Bool { self.outcome == .onTheWay }
}
