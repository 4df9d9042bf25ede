import Messaging

/// What a mail server reports of mails that it could not, or not yet, deliver (RFC 3464), or a mailbox provider of one that
/// was complained about (RFC 5965): a `multipart/report`.
///
/// It comes from anybody who knows a bounce address, so it is read with limits, and nothing in it but the address counts as
/// proof.
struct BounceReport: Hashable {
    /// One recipient's part of it.
    struct Item: Hashable {
        /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`, or `complaint`.
        var action: String
        /// As in `5.1.1`.
        var status: String
        /// The first number of the diagnosis that an SMTP server gave.
        var code: String
    }

    var items: [Item]

    /// Recipients in one report; each of our mails has one.
    private static let itemLimit = 16

    /// Bytes that are read; what was sent back stands behind the report, and may be long.
    private static let byteLimit = 256 << 10

    /// Nil for what is no report.
    init?(parsing message: [UInt8]) {
        let mail = MIMEPart(message.prefix(Self.byteLimit))
        guard mail.type == "multipart/report" else { return nil }
        var items: [Item] = []
        for part in mail.parts {
            switch part.type {
            case "message/delivery-status", "message/global-delivery-status": items += Self.items(of: part)
            case "message/feedback-report": items.append(Item(action: "complaint", status: "", code: ""))
            default: continue
            }
        }
        guard !items.isEmpty else { return nil }
        self.items = Array(items.prefix(Self.itemLimit))
    }

    /// A receipt for each. Without a reference, for a bounce address that is missing or not ours, it names no message.
    func receipts(for reference: MessageReference?, _ table: StatusTable) -> [Receipt] {
        self.items.map { item in
            Receipt(
                message: reference, part: "", coversMessage: true, verdict: item.verdict(table),
                status: String(providerText: item.action),
                code: String(providerText: item.code.isEmpty ? item.status : "\(item.code) \(item.status)"),
                occurredAt: nil)
        }
    }

    /// Behind the fields of the whole report stand those of each recipient, an empty line between.
    private static func items(of part: MIMEPart) -> [Item] {
        part.body.mailBlocks.dropFirst().prefix(self.itemLimit).compactMap { block in
            let fields = MIMEFields(block)
            guard let action = fields["action"]?.lowercased(), !action.isEmpty else { return nil }
            let status = fields["status"]?.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "(" }).first ?? ""
            let diagnosis = fields["diagnostic-code"]?.split(separator: ";", maxSplits: 1).last ?? ""
            let code = diagnosis.drop { $0 == " " }.prefix { $0.isASCII && $0.isNumber }
            return Item(action: action, status: String(status), code: code.utf8.count == 3 ? String(code) : "")
        }
    }
}

extension BounceReport.Item {
    func verdict(_ table: StatusTable) -> Verdict {
        let unknown = Verdict(.unknown, .none, .wait, .unknown)
        guard self.action == "failed" else { return table["report", self.action] ?? unknown }
        // Failed is failed, whatever the status is.
        guard let status = EnhancedStatus(self.status) else { return table["bounce", "5"] ?? unknown }
        return table.verdict("bounce", status) ?? table["bounce", "5"] ?? unknown
    }
}

/// A part of a mail: its fields and what follows them. Nothing in it is decoded.
struct MIMEPart {
    let fields: MIMEFields
    let body: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        let end = bytes.mailLines.first { $0.isEmpty }
        self.fields = MIMEFields(bytes[..<(end?.startIndex ?? bytes.endIndex)])
        self.body = end.map { bytes[$0.endIndex...].afterLineEnd } ?? bytes[bytes.endIndex...]
    }

    /// In lower case; plain text when it does not say.
    var type: String {
        let type = self.fields["content-type"]?.prefix { $0 != ";" && $0 != " " } ?? "text/plain"
        return type.lowercased()
    }

    /// Of a multipart, in their order.
    var parts: [MIMEPart] {
        guard let boundary = self.boundary else { return [] }
        let delimiter = Array("--\(boundary)".utf8)
        var parts: [MIMEPart] = []
        var start: Int?
        for line in self.body.mailLines where line.starts(with: delimiter) {
            if let start { parts.append(MIMEPart(self.body[start..<max(start, line.startIndex)])) }
            if line.dropFirst(delimiter.count).starts(with: "--".utf8) || parts.count == Self.partLimit { break }
            start = self.body[line.endIndex...].afterLineEnd.startIndex
        }
        return parts
    }

    /// A report has three.
    private static let partLimit = 16

    private var boundary: String? {
        guard let type = self.fields["content-type"] else { return nil }
        for parameter in type.split(separator: ";").dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].filter({ !$0.isWhitespace }).lowercased() == "boundary" else { continue }
            let value = pair[1].filter { $0 != "\"" && !$0.isWhitespace }
            return (1...70).contains(value.utf8.count) ? String(value) : nil
        }
        return nil
    }
}

/// The fields of a mail or a part, by their names in lower case; of doubled ones the first.
struct MIMEFields {
    private var values: [String: String] = [:]

    /// Fields that are read, and bytes of one.
    private static let fieldLimit = 256
    private static let valueLimit = 2048

    init(_ bytes: ArraySlice<UInt8>) {
        var name: String?
        for line in bytes.mailLines.prefix(Self.fieldLimit) {
            if line.first == 0x20 || line.first == 0x09 {
                if let name, let value = self.values[name], value.utf8.count < Self.valueLimit {
                    self.values[name] = value + String(decoding: line.prefix(Self.valueLimit), as: UTF8.self)
                }
                continue
            }
            name = nil
            guard let colon = line.firstIndex(of: 0x3A) else { continue }
            let field = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            guard self.values[field] == nil else { continue }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }.prefix(Self.valueLimit)
            self.values[field] = String(decoding: value, as: UTF8.self)
            name = field
        }
    }

    subscript(_ name: String) -> String? { self.values[name] }
}

extension ArraySlice<UInt8> {
    /// Without their ends, which are CRLF or, behind some pipes, LF alone.
    var mailLines: [ArraySlice<UInt8>] {
        self.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            line.last == 0x0D ? line.dropLast() : line
        }
    }

    /// Groups of lines, parted by empty ones.
    var mailBlocks: [ArraySlice<UInt8>] {
        var blocks: [ArraySlice<UInt8>] = []
        var start: Int?
        for line in self.mailLines {
            if !line.isEmpty {
                start = start ?? line.startIndex
            } else if let begun = start {
                blocks.append(self[begun..<line.startIndex])
                start = nil
            }
        }
        if let start { blocks.append(self[start...]) }
        return blocks
    }

    /// What follows the line end that this begins with.
    var afterLineEnd: ArraySlice<UInt8> {
        let rest = self.first == 0x0D ? self.dropFirst() : self
        return rest.first == 0x0A ? rest.dropFirst() : rest
    }
}
