import Crypto
import Egress
import HTTP
import Timestamps

@testable import Channels
@testable import Messaging
@testable import Settings

extension FuzzTarget {
    /// What stands in single fields: times, addresses, ids, amounts, settings, tables of codes, and how long a text is as
    /// short messages.
    static let texts = FuzzTarget(name: "texts") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        try Self.checkTimes(text)
        try Self.checkMail(text)
        try Self.checkIDs(text)
        try Self.checkSettings(text)
        try Self.checkURL(text)
        try Self.checkTable(text)
        try Self.checkSegments(text)
    }

    // MARK: - Private

    private static func checkTimes(_ text: String) throws {
        if let moment = Timestamp(text) {
            let milliseconds = Timestamp(microseconds: moment.microseconds - (moment.microseconds % 1000 + 1000) % 1000)
            // An offset may reach beyond the years that can be written.
            if (0...9999).contains(moment.fields.date.year) {
                try promise("a time that is written is the same", Timestamp("\(moment)") == milliseconds)
            }
        }
        if let date = Timestamp(httpDate: text) {
            try promise("a date of HTTP has whole seconds", date.microseconds % 1_000_000 == 0)
        }
        if let wait = Duration(retryAfterIn: ["Retry-After": text, "Date": "Sun, 06 Nov 1994 08:49:37 GMT"]) {
            try promise("nobody waits for the past", wait >= .zero)
        }
        if let duration = Spelling.duration(text) {
            try promise(
                "a duration that is written is the same", Spelling.duration(Spelling.text(duration)) == duration)
        }
    }

    private static func checkMail(_ text: String) throws {
        if let address = EmailAddress(text) {
            try promise("an address is ASCII", address.address.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            try promise("an address reads as itself", EmailAddress(address.address) == address)
            try promise("an address is its parts", "\(address.local)@\(address.domain)" == address.address)
            try promise("a mailbox may be an address", Mailbox(text)?.address == address)
        }
        if let mailbox = Mailbox(text), let name = mailbox.name {
            let written = "\(name) <\(mailbox.address.address)>"
            try promise("a mailbox reads as itself", Mailbox(written) == mailbox)
            try promise("no name breaks a header", !name.utf8.contains { $0 < 0x20 } && !name.contains("\""))
        }
    }

    private static func checkIDs(_ text: String) throws {
        if let id = MessageID(text) { try promise("an id is the same but for case", "\(id)" == text.lowercased()) }
        if let reference = MessageReference(text) {
            try promise("a reference reads as itself", MessageReference("\(reference)") == reference)
            try promise("a reference is at most 42 characters", "\(reference)".utf8.count <= 42)
        }
        if let id = MessageID(compactText: text) { try promise("a compact id is the same", id.compactText == text) }
        if let id = MessageID(bandwidthText: text) {
            try promise("an id of Bandwidth's form is the same", id.bandwidthText == text)
        }
        if let id = MessageID(bandwidthCallText: text) {
            try promise("an id of a call is the same", id.bandwidthCallText == text)
        }
        if let money = Money(text) { try promise("money reads as itself", Money("\(money)") == money) }
        _ = APIKey.isWellFormed(text)
    }

    private static func checkSettings(_ text: String) throws {
        if let address = Address(text) { try promise("an address reads as itself", Address("\(address)") == address) }
        if let count = Spelling.bytes(text) {
            try promise("a size that is written is the same", Spelling.bytes(Spelling.text(bytes: count)) == count)
        }
    }

    private static func checkURL(_ text: String) throws {
        if let url = try? CallbackURL(text, policy: EgressPolicy()) {
            let again = try? CallbackURL(url.text, policy: EgressPolicy())
            try promise("a URL in its normal form stays", again?.text == url.text && again?.host == url.host)
            try promise("only https is called", url.isSecure && url.text.hasPrefix("https://"))
            try promise("no forbidden address is called", url.address.map { EgressPolicy().permits($0) } ?? true)
        }
        if let address = NetworkAddress(text) {
            try promise("an address of a network reads as itself", NetworkAddress("\(address)") == address)
        }
        if let network = Network(text) {
            try promise("a network reads as itself", Network("\(network)").map { "\($0)" } == "\(network)")
        }
    }

    private static func checkTable(_ text: String) throws {
        guard let table = try? StatusTable(parsing: text) else { return }
        let patched = StatusTable.vonageSMS.patched(with: table)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let columns = line.split(separator: ",", omittingEmptySubsequences: false)
            let codes = table.codes(String(columns[0]))
            try promise("each line gives a code", !codes.isEmpty)
            if let code = codes.first {
                try promise("a patch goes first", patched[String(columns[0]), code] == table[String(columns[0]), code])
            }
        }
    }

    private static func checkSegments(_ text: String) throws {
        let segments = Segments(of: text)
        let expected = SegmentCount(of: text)
        try promise(
            "the alphabet is \(expected.isGSM ? "GSM" : "UCS-2")", (segments.alphabet == .gsm7) == expected.isGSM)
        try promise("there are \(expected.count) segments", segments.count == expected.count)
        try promise(
            "content opens as it was sealed",
            Content(decoding: Content.text(TextContent(text)).encoded, channel: .sms) == .text(TextContent(text)))
    }
}
