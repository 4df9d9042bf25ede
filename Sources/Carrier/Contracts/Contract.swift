public import Crypto
import HTTP
import Messaging
import Timestamps
import WebClient

/// One provider's side of a contract that takes a short message a request, and reports once for the whole of it. What all
/// of them have in common, faults and inquiries among it, is done by ``Carrier/answer(_:by:)``.
protocol Contract: Sendable {
    var provider: Provider { get }
    var account: Carrier.Configuration.Account { get }

    /// What a request to this contract wants; nil when it is another's.
    func errand(of request: HTTPRequest) -> Errand?
    func isAuthorized(_ request: HTTPRequest) -> Bool
    /// The message of a request, read and checked.
    func submission(of request: HTTPRequest) throws(ContractRefusal) -> Submission

    /// The id of a message, from text that never comes twice.
    func id(_ unique: String) -> String
    func answer(taken message: TakenMessage) -> HTTPResponse
    func answer(_ refusal: ContractRefusal, to number: String) -> HTTPResponse
    /// What became of a message that somebody asks after; nil state: it is not known.
    func answer(report: Report?) -> HTTPResponse
    /// The receipt as it is posted. `unique` is text that never comes twice.
    func request(for report: Report, unique: String) -> WebRequest
}

/// What is wanted of a contract.
enum Errand: Hashable {
    case send
    case inquiry(id: String)
}

/// A message as a contract reads it.
struct Submission: Sendable {
    /// With its plus sign.
    var to: String
    var from: String
    var text: String
    /// What the caller wants echoed.
    var reference: String?
    var receiptURL: String?
}

/// What is told of a message at a moment.
struct Report: Sendable {
    var message: TakenMessage
    var outcome: CarrierReceipt.Outcome
    /// Where the receipt goes.
    var url: String
    var now: Timestamp

    var id: String { self.message.ids[0] }

    init(_ receipt: CarrierReceipt, url: String, now: Timestamp) {
        self.init(message: receipt.message, outcome: receipt.outcome, url: url, now: now)
    }

    init(message: TakenMessage, outcome: CarrierReceipt.Outcome, url: String = "", now: Timestamp) {
        self.message = message
        self.outcome = outcome
        self.url = url
        self.now = now
    }
}

/// Why a contract does not take a message.
enum ContractRefusal: Error, Hashable {
    case unauthorized
    /// The name of what is missing or wrong.
    case invalid(String)
    case invalidRecipient
    case throttled(milliseconds: Int)
    /// The refusal that somebody asked for, with the provider's code or its usual one.
    case asked(code: String?)
    case internalError

    /// `Retry-After` in whole seconds, rounded up.
    var retryAfter: String? {
        guard case .throttled(let milliseconds) = self else { return nil }
        return "\((milliseconds + 999) / 1000)"
    }
}

extension Carrier.Configuration {
    /// An account with one of the contracts that take a message a request.
    public struct Account: Sendable {
        /// What names the account: a SID, a user, an id.
        public var user = ""
        /// What proves it, and signs receipts where the contract has no key for that: a token, a password, an access key.
        public var secret = Secret("")
        /// What signs receipts: a seed of Ed25519 (Telnyx), a signing key (MessageBird).
        public var signingKey: Secret?
        /// What receipts show where nobody signs them (Bandwidth, Sinch).
        public var receiptUser = ""
        public var receiptPassword = Secret("")
        /// Where receipts go when a message names no address.
        public var receiptURL: String?
        /// Waits before each further try to post a receipt: every minute for an hour.
        public var retries = [Duration](repeating: .seconds(60), count: 60)

        public init() {}
    }
}
