public import HTTP
public import Messaging
public import Timestamps

/// A provider's dialect as pure functions. It sends nothing and knows no clock, so it is tested with literals.
///
/// A driver is made from an account that it has checked whole; what exists can be used from anywhere.
public protocol Driver: Sendable {
    init(_ account: ProviderAccount) throws(ProviderProblems)

    /// How many dispatches one request may carry, at least 1.
    var batchLimit: Int { get }
    /// The channels that it carries. Whoever hands it dispatches of others breaks the contract.
    var channels: Set<Channel> { get }

    /// What comes of dispatches without asking anybody. Nil, the default, for a driver that has a provider.
    func outcomesAtOnce(for dispatches: [Dispatch]) -> [Outcome]?

    /// The request that hands over 1 to ``batchLimit`` dispatches. `now` is for signatures.
    func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest

    /// What came of each dispatch, as many as were in the request and in their order. What a successful response does
    /// not speak of readably is unanswered, since it may have been sent.
    func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome]

    /// What a callback reports, after its sender has proved to be the provider.
    func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt]

    /// What the provider wants to hear once its receipts are stored.
    func receiptAnswer() -> HTTPResponse
}

extension Driver {
    public func outcomesAtOnce(for dispatches: [Dispatch]) -> [Outcome]? { nil }
}

/// A request to a provider. Holds credentials and bodies, so it prints its address only.
public struct OutgoingRequest: Sendable, Hashable {
    public var method: String
    public var url: String
    public var fields: HTTPFields
    public var body: [UInt8]

    public init(method: String, url: String, fields: HTTPFields, body: [UInt8]) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
    }
}

extension OutgoingRequest: CustomStringConvertible, CustomReflectable {
    /// The method and the address without its query, where some providers want their secret.
    public var description: String { "\(self.method) \(self.url.prefix { $0 != "?" })" }
    public var customMirror: Mirror { Mirror(self, children: ["request": self.description]) }
}

/// Why a callback is not taken.
public enum ReceiptRefusal: Error, Hashable, CustomStringConvertible {
    /// The proof of origin is missing, wrong or too old. Nothing more is told, for the asker may be anybody.
    case unauthenticated
    /// It cannot be read; the reason names a field and never quotes what came.
    case malformed(String)

    /// The status to answer with.
    public var status: Int {
        switch self {
        case .unauthenticated: 403
        case .malformed: 400
        }
    }

    public var description: String {
        switch self {
        case .unauthenticated: "not authenticated"
        case .malformed(let reason): reason
        }
    }
}

/// All dialects that we speak.
public enum Drivers {
    /// The driver for an account, which it has checked.
    public static func make(_ account: ProviderAccount) throws(ProviderProblems) -> any Driver {
        switch account.kind {
        case .vonageSMS: try VonageSMS(account)
        case .infobipSMS: try InfobipSMS(account)
        case .carrier: try CarrierGateway(account)
        case .discard: try Discard(account)
        }
    }
}
