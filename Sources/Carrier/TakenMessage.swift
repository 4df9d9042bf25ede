import Messaging
import Timestamps

/// The contracts that the carrier speaks.
enum Provider: String, Sendable, CaseIterable {
    case vonage, infobip, smpp, twilio, bandwidth, telnyx, plivo, sinch
    case messageBird = "messagebird"
    case infobipCalls = "infobip-voice"
    case infobipMails = "infobip-email"
    case vonageCalls = "vonage-voice"
    case vonageMessages = "vonage-messages"
    case twilioCalls = "twilio-voice"
    case bandwidthCalls = "bandwidth-voice"
    case sendGrid = "sendgrid"
    /// An operator's own gateway.
    case gateway = "webhook"
    /// Its own, for calls and mails.
    case own = "carrier"
    /// Mails by SMTP; see ``MailSink``.
    case smtp
}

/// A message that the carrier has accepted: it is on the handset, and receipts will follow.
struct TakenMessage: Sendable, Hashable {
    var provider: Provider
    /// A number with its plus sign, or an address.
    var to: String
    var from: String
    var content: Content
    /// The caller's name for it, where it gave one.
    var reference: String?
    /// What the provider calls the message, or each of its parts.
    var ids: [String]
    /// What the caller wants echoed.
    var echo: String?
    /// Names the request, where the contract has a name for it.
    var bulk: String?
    /// Short messages that it took.
    var segments: Int
    /// Nil when no receipt is wanted, or none can be posted.
    var receiptURL: String?
    /// A receipt for a state on the way is wanted too.
    var wantsIntermediate = false
    /// Whether the caller wants to know that a machine answered.
    var detectsMachines = false
    var takenAt: Timestamp
}
