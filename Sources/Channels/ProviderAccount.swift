public import Crypto
public import Messaging

/// Which provider's dialect an account speaks; the raw values are what an operator writes.
public enum ProviderKind: String, Sendable, Hashable, CaseIterable {
    /// Vonage (Nexmo) SMS API; see ``VonageSMS``.
    case vonageSMS = "vonage-sms"
    /// Infobip SMS version 3; see ``InfobipSMS``.
    case infobipSMS = "infobip-sms"
    /// Any SMSC that speaks SMPP 3.4; see ``SMPPDriver``.
    case smpp = "smpp"
    /// The simulated carrier's own contract, for what has no real driver yet; see ``CarrierGateway``.
    case carrier = "carrier"
    /// Nobody; see ``Discard``.
    case discard = "discard"

    /// What it can carry.
    public var channels: Set<Channel> {
        switch self {
        case .vonageSMS, .infobipSMS, .smpp, .discard: [.sms]
        case .carrier: [.voice, .email]
        }
    }

    /// Where the provider answers, when that is the same for everybody.
    public var defaultBaseURL: String? {
        switch self {
        case .vonageSMS: "https://rest.nexmo.com"
        // Each of its accounts has a host of its own.
        case .infobipSMS: nil
        // Each SMSC has a host of its own, and the carrier is wherever somebody has started it.
        case .smpp, .carrier: nil
        case .discard: "http://127.0.0.1"
        }
    }
}

/// An account at a provider, as the operator set it up. A driver checks it when it is made from it.
public struct ProviderAccount: Sendable {
    public var id: ProviderID
    public var name: String
    public var kind: ProviderKind
    /// Scheme and host, and a path where there is one, without the path of the call.
    public var baseURL: String
    public var credentials: Credentials
    /// Where the provider reaches our receiver for this account. Nil: no receipts are asked for with the message,
    /// although they may come when the provider's own console names an address.
    public var receiptURL: String?
    /// For messages that name no sender.
    public var defaultSender: String?
    /// What else a driver can be told; each driver documents its names.
    public var settings: [String: String]
    /// The operator's own reading of the provider's codes, over the built-in table; lines as in ``StatusTable``.
    public var codes: String

    public init(
        id: ProviderID, name: String, kind: ProviderKind, baseURL: String, credentials: Credentials,
        receiptURL: String? = nil, defaultSender: String? = nil, settings: [String: String] = [:], codes: String = ""
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.baseURL = baseURL
        self.credentials = credentials
        self.receiptURL = receiptURL
        self.defaultSender = defaultSender
        self.settings = settings
        self.codes = codes
    }
}

/// Named secrets; each driver documents its names.
public struct Credentials: Sendable, ExpressibleByDictionaryLiteral {
    private let secrets: [String: Secret]

    public init(_ secrets: [String: Secret]) { self.secrets = secrets }

    public init(dictionaryLiteral elements: (String, Secret)...) {
        self.secrets = Dictionary(elements) { _, last in last }
    }

    public subscript(_ name: String) -> Secret? { self.secrets[name] }

    /// In the order of the alphabet.
    public var names: [String] { self.secrets.keys.sorted() }
}

/// All that is wrong with an account, in sentences for the operator; never a secret's value.
public struct ProviderProblems: Error, Hashable, CustomStringConvertible {
    public let account: String
    public let problems: [String]

    public var description: String { "provider \(self.account): \(self.problems.joined(separator: "; "))" }
}
