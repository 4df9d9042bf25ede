public import Crypto
public import Messaging

/// Which provider's dialect an account speaks; the raw values are what an operator writes.
public enum ProviderKind: String, Sendable, Hashable, CaseIterable {
    /// Vonage (Nexmo) SMS API; see ``VonageSMS``.
    case vonageSMS = "vonage-sms"
    /// Infobip SMS version 3; see ``InfobipSMS``.
    case infobipSMS = "infobip-sms"
    /// Twilio's Programmable Messaging; see ``TwilioSMS``.
    case twilioSMS = "twilio-sms"
    /// Bandwidth's Messaging version 2; see ``BandwidthSMS``.
    case bandwidthSMS = "bandwidth-sms"
    /// Telnyx's Messaging version 2; see ``TelnyxSMS``.
    case telnyxSMS = "telnyx-sms"
    /// Plivo's Message API; see ``PlivoSMS``.
    case plivoSMS = "plivo-sms"
    /// Sinch's SMS API (XMS); see ``SinchSMS``.
    case sinchSMS = "sinch-sms"
    /// MessageBird's REST API; see ``MessageBirdSMS``.
    case messageBirdSMS = "messagebird-sms"
    /// Infobip's text to speech; see ``InfobipVoice``.
    case infobipVoice = "infobip-voice"
    /// Vonage's Voice API; see ``VonageVoice``.
    case vonageVoice = "vonage-voice"
    /// Twilio's calls; see ``TwilioVoice``.
    case twilioVoice = "twilio-voice"
    /// Bandwidth's calls; see ``BandwidthVoice``.
    case bandwidthVoice = "bandwidth-voice"
    /// Infobip's mail API version 4; see ``InfobipEmail``.
    case infobipEmail = "infobip-email"
    /// SendGrid; see ``SendGrid``.
    case sendGrid = "sendgrid"
    /// Vonage's Messages API version 1, for short messages; see ``VonageMessages``.
    case vonageMessages = "vonage-messages"
    /// The operator's own gateway; see ``WebhookGateway``.
    case webhook = "webhook"
    /// Mails to an SMTP server; see ``SMTPDriver``.
    case smtp = "smtp"
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
        case .twilioSMS, .bandwidthSMS, .telnyxSMS, .plivoSMS, .sinchSMS, .messageBirdSMS: [.sms]
        case .vonageMessages: [.sms]
        case .infobipVoice, .vonageVoice, .twilioVoice, .bandwidthVoice: [.voice]
        case .infobipEmail, .sendGrid: [.email]
        case .smtp: [.email]
        case .carrier: [.voice, .email]
        // Each of its accounts says which.
        case .webhook: [.sms, .voice, .email]
        }
    }

    /// Where the provider answers, when that is the same for everybody.
    public var defaultBaseURL: String? {
        switch self {
        case .vonageSMS: "https://rest.nexmo.com"
        // Each of its accounts has a host of its own.
        case .infobipSMS, .infobipVoice, .infobipEmail, .smtp: nil
        case .twilioSMS: "https://api.twilio.com"
        case .bandwidthSMS: "https://messaging.bandwidth.com"
        case .telnyxSMS: "https://api.telnyx.com"
        case .plivoSMS: "https://api.plivo.com"
        // In the United States; other regions have hosts of their own.
        case .sinchSMS: "https://us.sms.api.sinch.com"
        case .messageBirdSMS: "https://rest.messagebird.com"
        case .vonageVoice, .vonageMessages: "https://api.nexmo.com"
        case .twilioVoice: "https://api.twilio.com"
        case .bandwidthVoice: "https://voice.bandwidth.com"
        case .sendGrid: "https://api.sendgrid.com"
        // Each SMSC has a host of its own; the others are wherever somebody has started them.
        case .smpp, .carrier, .webhook: nil
        case .discard: "http://127.0.0.1"
        }
    }

    /// Whether the provider's rate counts segments and not messages (providers.md section 1 rule 6).
    public var countsSegments: Bool {
        switch self {
        case .twilioSMS, .bandwidthSMS, .smpp: true
        default: false
        }
    }

    /// For how long after taking a message a receipt may still come. What has none by then ends unknown.
    public var receiptWindow: Duration {
        switch self {
        // It says 9902, no receipt from the carrier, after about two hours, and posts each receipt for 24.
        case .bandwidthSMS: .seconds(24 * 3600)
        default: .seconds(72 * 3600)
        }
    }

    /// The kind's table of codes as text, for an operator to read and to copy lines from.
    public var codes: String { String(decoding: self.codeBytes, as: UTF8.self) }

    private var codeBytes: [UInt8] {
        switch self {
        case .vonageSMS: PackageResources.vonage_sms_csv
        case .infobipSMS: PackageResources.infobip_sms_csv
        case .twilioSMS, .twilioVoice: PackageResources.twilio_csv
        case .infobipVoice: PackageResources.infobip_voice_csv
        case .vonageVoice: PackageResources.vonage_voice_csv
        case .bandwidthVoice: PackageResources.bandwidth_voice_csv
        case .infobipEmail: PackageResources.infobip_email_csv
        case .sendGrid: PackageResources.sendgrid_csv
        case .vonageMessages: PackageResources.vonage_messages_csv
        case .webhook: PackageResources.webhook_csv
        case .bandwidthSMS: PackageResources.bandwidth_sms_csv
        case .telnyxSMS: PackageResources.telnyx_sms_csv
        case .plivoSMS: PackageResources.plivo_sms_csv
        case .sinchSMS: PackageResources.sinch_sms_csv
        case .messageBirdSMS: PackageResources.messagebird_sms_csv
        case .smtp: PackageResources.smtp_csv
        case .smpp: PackageResources.smpp_csv
        case .carrier: PackageResources.carrier_csv
        case .discard: []
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
