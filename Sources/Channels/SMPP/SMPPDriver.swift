import Crypto
public import Messaging
public import SMPP

/// Any SMSC that speaks SMPP 3.4 (providers.md section 5), over one or more sessions that each worker keeps. One message
/// becomes a `submit_sm` a part, with an id and a receipt each.
///
/// The URL is `smpp://HOST:2775`, or `smpps://HOST:3550` for TLS, in which the certificate must be the host's.
///
/// Credentials
/// - `system_id`, `password`: as the SMSC's operator gave them, at most 15 and 8 characters. Required.
///
/// Settings, of which most SMSCs need none
/// - `system_type`: at most 12 characters; none by default.
/// - `bind`: `transceiver` (the default), or `transmitter+receiver` where the SMSC forbids the first.
/// - `binds`: sessions, or pairs of them, of each worker; 1 by default, 16 at most.
/// - `window`: submissions that a session keeps under way; 10 by default, 1000 at most. `in_flight` bounds it too.
/// - `enquire_link_seconds`: silence after which a session is asked whether it lives; 30 by default.
/// - `authorities`: a file of certificates in PEM to trust instead of the system's; only with smpps.
/// - `alphabet`: how texts travel that it can hold, others go as UCS-2: `gsm7` (the default) or `latin1`.
/// - `data_coding`: the number for that alphabet, 0 by default for gsm7 and 3 for latin1. Ask the SMSC's operator what 0
///   means there.
/// - `concatenation`: how long texts travel: `udh8` (the default), `udh16`, `sar` or `payload`.
/// - `number_address`, `short_code_address`, `name_address`, `destination_address`: `TON/NPI` of senders that are a
///   number, a short code or a name, and of recipients; 1/1, 3/0, 5/0 and 1/1 by default.
/// - `service_type`: at most 5 characters; none by default.
/// - `validity`: `relative` (the default) has the SMSC drop what comes too late; `none` leaves it to the SMSC.
/// - `receipts`: `final` (the default), `all` with those on the way, `failures`, or `none`.
/// - `receipt_detection`: `esm_class` (the default), or `text` for SMSCs whose receipts are marked as nothing special:
///   then whatever reads like a whole receipt is one, which a person who answers could write as well.
/// - `dlr_id_mode`: how ids in receipts relate to those in answers: `as_is` (the default), `resp_hex_receipt_dec`,
///   `resp_dec_receipt_hex` or `both_hex_ci`.
/// - `receipt_utc_offset_minutes`: how far the clock in receipts is ahead of UTC; 0 by default.
public struct SMPPDriver: Driver {
    /// One for each session that a worker keeps.
    public let sessions: [Session.Configuration]
    let form: SMPPForm
    let receiptIDs: SMPPMessageIDs
    let detectsByText: Bool
    let receiptOffset: Duration
    let table: StatusTable

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.sessions = Self.sessions(&reader)
        self.form = SMPPForm(&reader, defaultSender: account.defaultSender)
        self.receiptIDs = reader.choice("dlr_id_mode", default: .asIs)
        self.detectsByText = reader.choice("receipt_detection", default: ReceiptDetection.esmClass) == .text
        let offset = reader.number("receipt_utc_offset_minutes", default: 0, in: -840...840)
        self.receiptOffset = .seconds(60 * offset)
        self.table = reader.table(.smpp)
        try reader.finish()
    }

    /// Enough to fill a packet. More would have quick answers wait for slow ones.
    public var batchLimit: Int { 10 }
    public var channels: Set<Channel> { ProviderKind.smpp.channels }
    public var wire: Wire { .smpp(self) }

    // MARK: - Private

    private enum ReceiptDetection: String, CaseIterable {
        case text
        case esmClass = "esm_class"
    }

    private enum BindMode: String, CaseIterable {
        case transceiver
        case pair = "transmitter+receiver"

        var kinds: [BindKind] {
            switch self {
            case .transceiver: [.transceiver]
            case .pair: [.transmitter, .receiver]
            }
        }
    }

    private static func sessions(_ reader: inout AccountReader) -> [Session.Configuration] {
        let place = reader.smppURL()
        let bind = Bind(
            systemID: reader.short(reader.requiredCredential("system_id").text, "credential system_id", limit: 15),
            password: reader.short(reader.requiredCredential("password").text, "credential password", limit: 8),
            systemType: reader.octets("system_type", limit: 12))
        let kinds = reader.choice("bind", default: BindMode.transceiver).kinds
        let count = reader.number("binds", default: 1, in: 1...16)
        let window = reader.number("window", default: 10, in: 1...1000)
        let enquire = reader.number("enquire_link_seconds", default: 30, in: 1...3600)
        let authorities = reader.setting("authorities", default: nil, expected: "a path") {
            $0.isEmpty ? nil : .some($0)
        }
        if authorities != nil, !place.isEncrypted { reader.problem("setting authorities goes with smpps only") }
        let tls = place.isEncrypted ? TLSSettings(authorities: authorities) : nil
        return (0..<count).flatMap { _ in kinds }.map { kind in
            var session = Session.Configuration(host: place.host, port: place.port, kind: kind, bind: bind)
            session.tls = tls
            session.window = window
            session.enquireInterval = .seconds(enquire)
            return session
        }
    }
}

extension AccountReader {
    /// A setting of a few words.
    mutating func choice<Word: RawRepresentable & CaseIterable>(
        _ name: String, default value: Word
    ) -> Word where Word.RawValue == String {
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        return self.setting(name, default: value, expected: "one of \(words)") { Word(rawValue: $0) }
    }

    /// A text for a field of an SMPP PDU.
    mutating func octets(_ name: String, limit: Int) -> String {
        self.setting(name, default: "", expected: "at most \(limit) characters of ASCII") { text in
            text.utf8.count <= limit && text.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? text : nil
        }
    }

    fileprivate mutating func short(_ text: String, _ name: String, limit: Int) -> String {
        if text.utf8.count > limit || !text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            self.problem("\(name) is longer than \(limit) characters of ASCII")
        }
        return text
    }
}
