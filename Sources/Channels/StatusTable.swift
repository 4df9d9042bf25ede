import Messaging

/// What a provider's codes mean, read from text.
///
/// Codes are data and not program: providers add and change them, and a line of a table is easier to check against
/// their documentation than a branch. One line a code, with the columns `kind,code,state,permanence,action,reason`;
/// `kind` parts code spaces of one provider, and `500-509` stands for each number from the first to the last, in
/// hexadecimal with `0x400-0x4FF`. Empty lines and lines that begin with `#` are left out.
struct StatusTable: Sendable {
    private struct Key: Hashable {
        let kind: String
        let code: String
    }

    private var verdicts: [Key: Verdict] = [:]

    init(parsing text: String) throws(StatusTableError) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            try self.read(line, number: index + 1)
        }
    }

    /// A table that is part of the program: one of the files in `Tables`.
    init(builtIn text: [UInt8]) {
        do {
            try self.init(parsing: String(decoding: text, as: UTF8.self))
        } catch {
            fatalError("a built-in status table is wrong: \(error)")
        }
    }

    /// Nil for what the table does not know; the caller has a safe default and keeps the raw code.
    subscript(_ kind: String, _ code: String) -> Verdict? { self.verdicts[Key(kind: kind, code: code)] }

    /// This table, but for what `other` says otherwise.
    func patched(with other: StatusTable) -> StatusTable {
        var table = self
        table.verdicts.merge(other.verdicts) { $1 }
        return table
    }

    /// The codes of a kind.
    func codes(_ kind: String) -> Set<String> {
        Set(self.verdicts.keys.lazy.filter { $0.kind == kind }.map(\.code))
    }

    // MARK: - Private

    private mutating func read(_ line: Substring, number: Int) throws(StatusTableError) {
        let columns = line.split(separator: ",", omittingEmptySubsequences: false)
        guard columns.count == 6 else { throw StatusTableError(line: number, problem: "has not six columns") }
        guard
            let state = Verdict.ProviderState(rawValue: String(columns[2])),
            let permanence = Verdict.Permanence(rawValue: String(columns[3])),
            let action = Verdict.Action(rawValue: String(columns[4])),
            let reason = Verdict.Reason(rawValue: String(columns[5]))
        else { throw StatusTableError(line: number, problem: "holds an unknown word") }
        guard let codes = Self.codes(in: columns[1]) else {
            throw StatusTableError(line: number, problem: "stands for more than \(Self.rangeLimit) codes")
        }
        for code in codes {
            let verdict = Verdict(state, permanence, action, reason)
            let former = self.verdicts.updateValue(verdict, forKey: Key(kind: String(columns[0]), code: code))
            guard former == nil else { throw StatusTableError(line: number, problem: "repeats a code") }
        }
    }

    /// No more than sixteen bits: a range is written out.
    private static func hexadecimal(_ text: Substring) -> UInt16? {
        text.hasPrefix("0x") ? UInt16(text.dropFirst(2), radix: 16) : nil
    }

    /// Codes that one line may stand for.
    private static let rangeLimit = 1000

    /// Nil when they are too many: two numbers far apart are a mistake, and would fill the memory.
    private static func codes(in column: Substring) -> [String]? {
        let ends = column.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return [String(column)] }
        if let first = Self.hexadecimal(ends[0]), let last = Self.hexadecimal(ends[1]), first <= last {
            return (first...last).map { "0x" + String($0, radix: 16, uppercase: true) }
        }
        guard let first = Int(ends[0]), let last = Int(ends[1]), first <= last else { return [String(column)] }
        return last - first < Self.rangeLimit ? (first...last).map(String.init) : nil
    }
}

extension StatusTable {
    static let vonageSMS = StatusTable(builtIn: PackageResources.vonage_sms_csv)
    static let infobipSMS = StatusTable(builtIn: PackageResources.infobip_sms_csv)
    static let twilio = StatusTable(builtIn: PackageResources.twilio_csv)
    static let bandwidthSMS = StatusTable(builtIn: PackageResources.bandwidth_sms_csv)
    static let telnyxSMS = StatusTable(builtIn: PackageResources.telnyx_sms_csv)
    static let plivoSMS = StatusTable(builtIn: PackageResources.plivo_sms_csv)
    static let sinchSMS = StatusTable(builtIn: PackageResources.sinch_sms_csv)
    static let messageBirdSMS = StatusTable(builtIn: PackageResources.messagebird_sms_csv)
    static let infobipVoice = StatusTable(builtIn: PackageResources.infobip_voice_csv)
    static let vonageVoice = StatusTable(builtIn: PackageResources.vonage_voice_csv)
    static let bandwidthVoice = StatusTable(builtIn: PackageResources.bandwidth_voice_csv)
    static let infobipEmail = StatusTable(builtIn: PackageResources.infobip_email_csv)
    static let sendGrid = StatusTable(builtIn: PackageResources.sendgrid_csv)
    static let vonageMessages = StatusTable(builtIn: PackageResources.vonage_messages_csv)
    static let webhook = StatusTable(builtIn: PackageResources.webhook_csv)
    static let smpp = StatusTable(builtIn: PackageResources.smpp_csv)
    static let carrier = StatusTable(builtIn: PackageResources.carrier_csv)
}

/// Where a status table is wrong, by its line counted from 1.
struct StatusTableError: Error, Hashable, CustomStringConvertible {
    let line: Int
    let problem: String

    var description: String { "line \(self.line) \(self.problem)" }
}
