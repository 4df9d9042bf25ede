public import Crypto

extension Carrier {
    /// Whom the carrier knows, how it reports, and how much it remembers.
    public struct Configuration: Sendable {
        public var vonage = Vonage()
        public var infobip = Infobip()
        public var own = Own()
        public var services = Services()
        public var twilio = Account()
        public var bandwidth = Account()
        public var telnyx = Account()
        public var plivo = Account()
        public var sinch = Account()
        public var messageBird = Account()
        public var mail = MailServer()
        public var smpp = SMPP()
        /// Where the SMSC listens; nil when there is none.
        public var smppListen: (host: String, port: UInt16)?
        /// Takes every message whatever its credentials; for trying things out. The accounts below then only say how
        /// receipts are made.
        public var acceptsAnyCredential = false

        /// From taking a message to posting its receipt.
        public var receiptDelay = Duration.milliseconds(100)
        /// Receipts being posted at the same time.
        public var postLimit = 64
        /// Receipts waiting for their time; those beyond are lost, and counted.
        public var scheduledReceiptLimit = 1_000_000
        /// How long the receiver may take: to connect, and in all.
        public var connectTimeout = Duration.seconds(3)
        public var postTimeout = Duration.seconds(15)

        /// Messages in the inbox; the oldest make room.
        public var inboxLimit = 10_000
        /// Different references whose arrivals are counted; 0 counts none, which a measurement may want.
        public var arrivalLimit = 1_000_000
        /// Caller's ids that a second message may not have; the oldest are forgotten.
        public var knownIDLimit = 1_000_000
        /// Messages that may be asked after; the oldest are forgotten.
        public var knownMessageLimit = 100_000
        /// Where ids and nonces begin. The same seed and the same requests in the same order give the same ids.
        public var seed: UInt64 = .random(in: .min ... .max)

        public init() {}
    }
}

extension Carrier.Configuration {
    /// The account with the first provider's contract (Vonage's SMS API).
    public struct Vonage: Sendable {
        public var apiKey = ""
        public var apiSecret = Secret("")
        /// For requests that are signed instead of carrying the secret, and for signing receipts.
        public var signatureSecret: Secret?
        public var signatureMethod = SignatureMethod.md5hash
        public var signsReceipts = false
        /// How this account wants its receipts.
        public var receiptForm = ReceiptForm.get
        /// Where receipts go when a message names no `callback`.
        public var receiptURL: String?
        /// Waits before each further try to post a receipt: about every minute, here for an hour.
        public var retries = [Duration](repeating: .seconds(60), count: 60)

        public enum ReceiptForm: String, Sendable, CaseIterable {
            case get, form, json
        }

        public enum SignatureMethod: String, Sendable, CaseIterable {
            case md5hash, md5, sha1, sha256, sha512
        }
    }

    /// The account with the second provider's contract (Infobip's SMS API v3).
    public struct Infobip: Sendable {
        public var apiKey = Secret("")
        public var receiptAuthorization = ReceiptAuthorization.none
        /// Where receipts go when a message names no `webhooks.delivery.url`.
        public var receiptURL: String?
        /// Receipts in one post, and how long the first may wait for others.
        public var receiptBatchLimit = 100
        public var receiptGathering = Duration.milliseconds(20)
        /// Waits before each further try to post receipts: one minute and n² minutes.
        public var retries = (0..<10).map { Duration.seconds(60 * (1 + $0 * $0)) }

        public enum ReceiptAuthorization: Sendable {
            case none
            case basic(user: String, password: Secret)
            case header(name: String, value: Secret)
        }
    }

    /// The mail server, and who may hand over mails to it; with an empty user anybody.
    public struct MailServer: Sendable {
        /// Nil: there is none.
        public var host: String?
        public var port: UInt16 = 0
        public var user = ""
        public var password = Secret("")
    }

    /// The account with the carrier's own contract, for calls and mails.
    public struct Own: Sendable {
        public var apiKey = Secret("")
        /// Waits before each further try to post a receipt: every minute for an hour.
        public var retries = [Duration](repeating: .seconds(60), count: 60)
    }
}
