import Messaging
import Postgres
import Timestamps
import Verification

/// Verifications, a column an array, as `unnest` wants them.
struct SendingColumns {
    var ids: [MessageID] = []
    var accounts: [Int32] = []
    var applications: [Int32] = []
    var revisions: [Int32] = []
    var recipients: [String] = []
    /// Null for a resend, as the three that follow.
    var templates: [Int32?] = []
    var keyIDs: [Int16?] = []
    var macs: [Bytes?] = []
    var codes: [Bytes?] = []
    var attemptLimits: [Int16] = []
    var allowsReuse: [Bool] = []
    var timesToLive: [Int64] = []
    var sendLimits: [Int32] = []
    var sendPeriods: [Int64] = []
    var checkLimits: [Int32] = []
    var checkPeriods: [Int64] = []
    var mostSends: [Int16?] = []
    var cooldowns: [Int64?] = []
    var keys: [String?] = []
    var fingerprints: [Bytes?] = []
    var messages = MessageColumns()
    var tracked: [Bool] = []

    /// Without the keys that are in another lane: see ``Store/send(_:now:)``.
    init(_ sendings: [Sending]) {
        for sending in sendings {
            self.append(sending)
            self.append(sending.settings)
        }
    }

    private mutating func append(_ sending: Sending) {
        let lane = sending.verification.lane
        precondition(sending.message.id.lane == lane, "a code's message is in its verification's lane")
        self.messages.append(sending.message)
        self.tracked.append(sending.isTracked)
        self.ids.append(sending.verification.rawValue)
        self.accounts.append(sending.account.rawValue)
        self.applications.append(sending.application.rawValue)
        self.revisions.append(sending.revision)
        self.recipients.append(sending.recipient)
        self.templates.append(sending.start?.template.rawValue)
        self.keyIDs.append(sending.start?.mac.keyID)
        self.macs.append(sending.start.map { Bytes($0.mac.bytes) })
        self.codes.append(sending.start.map { Bytes($0.sealedCode) })
        let key = sending.idempotency.flatMap { $0.lane == lane ? $0 : nil }
        self.keys.append(key?.key)
        self.fingerprints.append(key.map { Bytes($0.fingerprint) })
    }

    private mutating func append(_ settings: ApplicationSettings) {
        self.attemptLimits.append(settings.attemptLimit)
        self.allowsReuse.append(settings.allowsReuse)
        self.timesToLive.append(settings.timeToLive.duration.microseconds)
        self.sendLimits.append(settings.recipientSendLimit.count)
        self.sendPeriods.append(settings.recipientSendLimit.period.microseconds)
        self.checkLimits.append(settings.checkLimit.count)
        self.checkPeriods.append(settings.checkLimit.period.microseconds)
        self.mostSends.append(settings.sendLimit)
        self.cooldowns.append(settings.resendCooldown?.duration.microseconds)
    }
}
