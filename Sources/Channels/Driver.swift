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
    /// Over what it speaks.
    var wire: Wire { get }
    /// Whether a message's content is needed after its provider has taken it. By default it is not, and goes at once.
    var keepsContent: Bool { get }

    /// What a callback says, after its sender has proved to be the provider. The default, of a driver to which nobody
    /// calls back, takes nobody for the provider.
    func callback(_ request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> ProviderCallback
    /// What the provider wants to hear once its receipts are stored. By default 200 and nothing else.
    func receiptAnswer() -> HTTPResponse
    /// The status of the answer to a callback that was refused. By default the refusal's own.
    func status(of refusal: ReceiptRefusal, of request: HTTPRequest) -> Int
}

extension Driver {
    public var keepsContent: Bool { false }

    public func callback(_ request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> ProviderCallback {
        throw .unauthenticated
    }

    public func receiptAnswer() -> HTTPResponse { HTTPResponse(status: 200) }
    public func status(of refusal: ReceiptRefusal, of request: HTTPRequest) -> Int { refusal.status }
}

/// Over what a provider is spoken to. Whoever sends has one way to do it for each.
public enum Wire: Sendable {
    case http(any HTTPDriver)
    case smtp(SMTPDriver)
    case smpp(SMPPDriver)
    /// Nobody is asked: everything is taken at once.
    case nowhere
}

/// The dialect of a provider that takes messages as HTTP requests, and reports what became of them by callbacks.
public protocol HTTPDriver: Driver {
    /// The request that hands over 1 to ``Driver/batchLimit`` dispatches. `now` is for signatures.
    func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest

    /// What came of each dispatch, as many as were in the request and in their order. What a successful response does
    /// not speak of readably is unanswered, since it may have been sent.
    func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome]

    /// What a callback reports, after its sender has proved to be the provider.
    func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt]

    /// The request that asks what became of a message. Nil where the provider cannot be asked, or not about this one: the
    /// default.
    func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest?

    /// What the answer to an inquiry reports: nothing when the provider knows nothing, and nothing when it cannot be read.
    func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt]
}

extension HTTPDriver {
    public var wire: Wire { .http(self) }

    public func callback(_ request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> ProviderCallback {
        .receipts(try self.receipts(in: request, now: now))
    }

    public func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? { nil }
    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] { [] }
}

/// A message of which nothing has been heard since its provider took it, or which its provider may never have got.
public struct Inquiry: Sendable, Hashable {
    public var reference: MessageReference
    /// The provider's ids of its parts, in their order; empty when it goes by our reference, or gave none.
    public var parts: [String]
    public var recipient: Recipient

    public init(reference: MessageReference, parts: [String], recipient: Recipient) {
        self.reference = reference
        self.parts = parts
        self.recipient = recipient
    }
}

/// What a provider calls us for.
public enum ProviderCallback: Sendable {
    /// It reports what became of messages.
    case receipts([Receipt])
    /// A call was answered, and the provider asks what to say. ``ScriptWriter/script(_:)`` of the driver says it.
    case script(MessageReference)
    /// Nothing that is to be stored; this is what it wants to hear.
    case answer(HTTPResponse)
}

/// A driver whose provider asks for what is to be said only when the call is answered. Until then the message's content is kept.
public protocol ScriptWriter: Driver {
    /// What is to be said. Nil content: the message is over, or unknown; nothing is said then.
    func script(_ speech: Speech?) -> HTTPResponse
}

extension ScriptWriter {
    public var keepsContent: Bool { true }
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
        case .infobipVoice: try InfobipVoice(account)
        case .vonageVoice: try VonageVoice(account)
        case .twilioVoice: try TwilioVoice(account)
        case .bandwidthVoice: try BandwidthVoice(account)
        case .infobipEmail: try InfobipEmail(account)
        case .sendGrid: try SendGrid(account)
        case .vonageMessages: try VonageMessages(account)
        case .webhook: try WebhookGateway(account)
        case .infobipSMS: try InfobipSMS(account)
        case .twilioSMS: try TwilioSMS(account)
        case .bandwidthSMS: try BandwidthSMS(account)
        case .telnyxSMS: try TelnyxSMS(account)
        case .plivoSMS: try PlivoSMS(account)
        case .sinchSMS: try SinchSMS(account)
        case .messageBirdSMS: try MessageBirdSMS(account)
        case .smtp: try SMTPDriver(account)
        case .smpp: try SMPPDriver(account)
        case .carrier: try CarrierGateway(account)
        case .discard: try Discard(account)
        }
    }
}
